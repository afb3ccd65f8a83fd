"""An engine for reading: the back end, and an arena as large as memory allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .options import check_count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..generation.engine.engine import Engine
    from ..generation.engine.runner import Runner
    from ..modeling import GotOcr2ForConditionalGeneration
    from ..modeling.backends.choice import Kernels, KvCache, Quantization


@dataclass(frozen=True)
class EngineOptions:
    """What an engine is made of; the fields are keyword arguments of `OCR.from_pretrained`.

    Attributes:
        quantization: "int8" or "int4", on a CPU; None leaves the model's numbers as they are. For models that read
            lines the compiled kernels keep them in 16 bits where that is faster.
        kernels: "auto", "native" or "torch".
        kv_memory: most that the key/value cache may take, in bytes or as in "2GB"; None for a share of what is
            free.
        kv_cache: how that cache is stored on a CPU: "fp32", "bf16" or "int8"; "auto" is fp32 beside exact weights and
            bf16 beside quantised ones.
        max_batch: most pages that are read together, >= 1.
        threaded: the engine has a thread of its own, so that pages are opened and prepared while others are read.
            None gives it one on CUDA; on a CPU it would take the cores from those who wait for it, unless many do.

    Raises:
        InvalidOptionError: a bad value.
    """

    quantization: Quantization | None = None
    kernels: Kernels = "auto"
    kv_memory: int | str | None = None
    max_batch: int = 64
    threaded: bool | None = None
    kv_cache: KvCache = "auto"

    def __post_init__(self) -> None:
        from ..generation.engine.arena_size import parse_bytes
        from ..modeling.backends.choice import check_names

        check_names(self.kernels, self.quantization, self.kv_cache)
        check_count("max_batch", self.max_batch)
        if self.kv_memory is not None:
            parse_bytes(self.kv_memory)

    def runner(
        self,
        model: GotOcr2ForConditionalGeneration,
        *,
        consume: bool = False,
        empty: NDArray[np.float32] | None = None,
    ) -> Runner:
        """Makes the back end for a loaded model.

        Args:
            consume: the model will not be used otherwise, see `modeling.backends.choice.choose_runner`.
            empty: `(C, H, W)`, a canvas without print, for models that read lines; None for others. On a CPU their
                canvases are then encoded only as far as there is print on them.

        Raises:
            InvalidOptionError: what was asked for cannot be had on the model's device.
        """
        from ..modeling.backends.choice import choose_runner
        from ..modeling.backends.line_canvases import LineCanvases

        narrow = empty is not None and not model.config.vision_config.use_rel_pos
        runner = choose_runner(
            model, self.kernels, self.quantization, kv_cache=self.kv_cache, consume=consume, lines=narrow
        )
        if empty is None or not narrow or runner.device.type != "cpu":
            return runner
        return LineCanvases(runner, empty)

    def open(self, runner: Runner, context: int) -> Engine:
        """Makes an engine.

        Args:
            runner: from `runner`, used by no other engine.
            context: most positions that the model knows.

        Raises:
            InvalidOptionError: there is not enough memory.
        """
        from ..generation.engine.arena_size import arena_positions, parse_bytes
        from ..generation.engine.engine import Engine

        budget = None if self.kv_memory is None else parse_bytes(self.kv_memory)
        positions = arena_positions(runner, context, self.max_batch, budget)
        threaded = runner.device.type == "cuda" if self.threaded is None else self.threaded
        return Engine(runner, positions=positions, rows=self.max_batch, threaded=threaded)
