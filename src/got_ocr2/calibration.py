"""A decoder's weights fitted to int4 on pages like those that it will read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .errors import InvalidOptionError
from .kernels.fit_int4 import fit_int4
from .ocr import OCR
from .reading.engine_options import EngineOptions

if TYPE_CHECKING:
    from .documents.sources import Source
    from .modeling import GotOcr2ForConditionalGeneration
    from .processing import GotOcr2Processor

# Linear layers of a decoder layer by what they read: the first of each is watched.
_SAME_INPUT: tuple[tuple[str, ...], ...] = (
    ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    ("self_attn.o_proj",),
    ("mlp.gate_proj", "mlp.up_proj"),
    ("mlp.down_proj",),
)


def calibrate_int4(
    model: GotOcr2ForConditionalGeneration, processor: GotOcr2Processor, pages: Iterable[Source]
) -> int:
    """Reads pages and moves the decoder's linear weights, in place, to numbers that int4 holds.

    What stays is a model in its own dtype that reads the same with `quantization="int4"`, but for the inputs' 8 bits,
    and better than if int4 had rounded its weights one by one. The head and the vision part are left alone.

    Args:
        model: on the CPU, in fp32 or bf16.
        processor: of the same checkpoint.
        pages: documents to read, some hundred lines of print or more in all.

    Returns:
        How many tokens were seen, those of pictures and prompts included.

    Raises:
        InvalidOptionError: another dtype, or pages on which nothing was read.
        GotOcr2Error: a page that cannot be opened or read.
    """
    dtype = model.dtype
    if dtype not in (torch.float32, torch.bfloat16):
        raise InvalidOptionError(
            f"Weights in {str(dtype).removeprefix('torch.')} cannot hold int4 numbers: "
            "calibrate in float32 or bfloat16."
        )
    model.float()  # bf16 sums are slow on most processors, and coarse
    watched = [_Moments(_linear(layer, names[0])) for layer in _layers(model) for names in _SAME_INPUT]
    ocr = OCR(model, processor, EngineOptions(kernels="torch"))
    try:
        for page in pages:
            ocr.read(page)
    finally:
        ocr.close()
        for one in watched:
            one.handle.remove()
    if not watched[0].tokens:
        raise InvalidOptionError("Nothing was read on the pages for calibration: give pages with print.")
    moments = iter(watched)
    with torch.no_grad():
        for layer in _layers(model):
            for names in _SAME_INPUT:
                sums = next(moments).sums
                for name in names:
                    weight = _linear(layer, name).weight
                    weight.copy_(fit_int4(weight, sums))
    model.to(dtype)
    return watched[0].tokens


class _Moments:
    """The sum of `x x^T` over all inputs of a linear layer."""

    def __init__(self, linear: nn.Linear) -> None:
        self.sums = torch.zeros(linear.in_features, linear.in_features)
        self.tokens = 0
        self.handle = linear.register_forward_pre_hook(self._see)

    def _see(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].detach().flatten(0, -2)  # (tokens, inputs)
        self.sums.addmm_(x.T, x)
        self.tokens += len(x)


def _layers(model: GotOcr2ForConditionalGeneration) -> Sequence[nn.Module]:
    return [*model.model.language_model.layers]


def _linear(layer: nn.Module, name: str) -> nn.Linear:
    found = layer.get_submodule(name)
    assert isinstance(found, nn.Linear)
    return found
