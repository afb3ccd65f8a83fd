"""The native kernels beside their torch twins, on a model's own matrices."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..kernels.linear import PackedLinear
from ..kernels.quantize import FORMATS, Format, quantize_input
from ..modeling import GotOcr2ForConditionalGeneration
from .layers import difference

_ROWS = (1, 3, 8)  # kernels treat one row, a few and many in different ways


@torch.inference_mode()
def linear_differences(model: GotOcr2ForConditionalGeneration, seed: int = 0) -> Iterator[tuple[str, float]]:
    """For each weight format its name and the largest `difference` over some of the model's linear layers.

    Args:
        model: on the CPU; formats that cannot hold its weights exactly and are not quantised are left out.
        seed: of the inputs.
    """
    generator = torch.Generator().manual_seed(seed)
    first = model.model.language_model.layers[0]
    layers: list[nn.Linear] = [first.self_attn.q_proj, first.mlp.down_proj, model.lm_head]  # type: ignore[union-attr]
    inputs = [torch.randn(rows, layer.in_features, generator=generator) for rows in _ROWS for layer in layers]
    for format in FORMATS:
        if format in ("bf16", "compact") and not all(
            torch.equal(layer.weight.bfloat16().to(layer.weight.dtype), layer.weight) for layer in layers
        ):
            continue
        packed = [PackedLinear.pack(layer.weight, layer.bias, format) for layer in layers]
        yield (
            format,
            max(
                difference(one(x), _twin(one, layer.bias, x, format))
                for (one, layer), x in zip(
                    [*zip(packed, layers, strict=True)] * len(_ROWS), inputs, strict=True
                )
            ),
        )


def _twin(packed: PackedLinear, bias: Tensor | None, x: Tensor, format: Format) -> Tensor:
    """What the kernel computes, from the weights that it holds, in fp64."""
    wide = x.double()
    if format in ("int16", "int8", "int4"):
        values, scales = quantize_input(x, format)
        wide = values.double() * scales.double()
    return F.linear(wide, packed.unpack().double(), None if bias is None else bias.double()).float()
