"""The ways this package can run a model, by the names that measurements and checks know them by."""

from __future__ import annotations

from .. import kernels
from ..errors import InvalidOptionError
from ..generation.engine.runner import Runner
from ..modeling import GotOcr2ForConditionalGeneration
from ..modeling.backends.torch_runner import TorchRunner

BACKENDS = ("exact", "int8", "int4")
"""Besides "torch", the plain model that all of them are held against."""


def why_not(name: str) -> str | None:
    """Why a back end cannot be used on this machine's processor, as part of a sentence; None if it can."""
    return kernels.why_not() if name in BACKENDS else None


def make_runner(
    model: GotOcr2ForConditionalGeneration, name: str, *, threads: int, consume: bool = False
) -> Runner:
    """Makes a model ready to be stepped.

    Args:
        model: on its device, in the dtype that it shall run in; on the CPU also in the one that it is stored in.
        name: "torch" or one of `BACKENDS`; on CUDA "exact" is recorded steps in the model's dtype.
        threads: for the kernels.
        consume: the model is not used otherwise, and the back end may take its weights apart.

    Raises:
        InvalidOptionError: there is no such back end for that device.
        MissingDependencyError: it cannot be used on this machine.
    """
    if name == "torch":
        return TorchRunner(model)
    if name not in BACKENDS:
        raise InvalidOptionError(f"A back end is torch or one of {', '.join(BACKENDS)}, got {name!r}.")
    if model.device.type == "cuda":
        if name != "exact":
            raise InvalidOptionError(f"Quantised weights are for the CPU, got {name!r} on {model.device}.")
        from ..modeling.backends.cuda.runner import CudaRunner

        return CudaRunner(model)
    from ..modeling.backends.native.runner import NativeRunner

    return NativeRunner(model, "auto" if name == "exact" else name, threads=threads, consume=consume)  # type: ignore[arg-type]
