"""Linear layers in 8 and 4 bits, in torch: the twins of the native kernels, and what serves where those cannot.

The arithmetic is the kernels': weights as `kernels.quantize` makes them, every token's inputs brought to 8 bits with
a scale of its own, whole-number products. Here the numbers are widened to floating point first, which gives the
same sums and saves memory but no time.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import InvalidOptionError
from ..kernels.quantize import DEFAULT_GROUP, Format, QuantizedWeight, quantize_input, quantize_weight

Quantization = Literal["int8", "int4"]


def linear_twin(x: Tensor, weight: Tensor, bias: Tensor | None, format: Format) -> Tensor:
    """What a native layer computes, from its dequantised weight.

    Args:
        x: `(..., inputs)` floating; "int8" and "int4" bring it to 8 bits, "int16" to 13.
        weight: `(outputs, inputs)`, in the type of `x`.

    Returns:
        `(..., outputs)`.
    """
    if format in ("int16", "int8", "int4"):
        values, scales = quantize_input(x.float(), format)
        x = values.to(x.dtype) * scales.to(x.dtype)
    return F.linear(x, weight, bias)


class QuantizedLinear(nn.Module):
    """A linear layer with weights in 8 or 4 bits; int4 values take a byte each here.

    Args:
        linear: the layer whose weights and bias to take.
        format: "int8" or "int4".
        group: int4: inputs that share a scale.
    """

    values: Tensor
    scales: Tensor
    bias: nn.Parameter | None

    def __init__(self, linear: nn.Linear, format: Quantization, group: int = DEFAULT_GROUP) -> None:
        super().__init__()
        quantized = quantize_weight(linear.weight, format, group)
        self.format: Quantization = format
        self.group = quantized.group
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.register_buffer("values", quantized.values)
        self.register_buffer("scales", quantized.scales)
        self.register_parameter("bias", linear.bias)

    @property
    def weight(self) -> Tensor:
        """`(outputs, inputs)` fp32, as the layer computes with it."""
        return QuantizedWeight(self.values, self.scales, self.group).dequantized()

    def forward(self, x: Tensor) -> Tensor:
        """`(..., inputs)` -> `(..., outputs)`, in the type of `x`."""
        bias = None if self.bias is None else self.bias.float()
        return linear_twin(x.float(), self.weight, bias, self.format).to(x.dtype)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, format={self.format!r}"


def quantize_linears(module: nn.Module, format: Quantization, group: int = DEFAULT_GROUP) -> int:
    """Replaces every linear layer inside `module`, in place; returns how many.

    A weight that others share (a head tied to the embeddings) keeps its first owner's copy: quantise such a head
    only where the embeddings may stay as they are.

    Raises:
        InvalidOptionError: unknown format or group size.
    """
    if format not in ("int8", "int4"):
        raise InvalidOptionError(f"The quantisation is {format!r}; it must be 'int8' or 'int4'.")
    count = 0
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear):
                with torch.no_grad():
                    setattr(parent, name, QuantizedLinear(child, format, group))
                count += 1
    return count
