"""Weights in 8 and 4 bits, and inputs in 8: the arithmetic, in torch.

Symmetric everywhere: a weight is `scale * q` with `-127 <= q <= 127` (int8, one scale for each output) or
`-8 <= q <= 7` (int4, one scale for each output and group of consecutive inputs). Int4 scales are bf16 numbers, held
in fp32. Nothing here depends on the native library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..errors import InvalidOptionError

Format = Literal["fp32", "bf16", "int8", "int4"]
FORMATS: tuple[Format, ...] = ("fp32", "bf16", "int8", "int4")
"""By their numbers in csrc/linear.h."""

GROUPS = (32, 64, 128)
DEFAULT_GROUP = 64

# Shares of the largest weight of a group that the search below tries as the end of the int4 range.
_SHARES = tuple(1.0 - 0.025 * i for i in range(17))


@dataclass(frozen=True)
class QuantizedWeight:
    """A weight matrix in 8 or 4 bits.

    Attributes:
        values: `(outputs, inputs)` int8.
        scales: `(outputs, groups)` fp32; int8 has one group. Group g covers inputs `g * group ...`.
        group: inputs that share a scale; the last group may be shorter.
    """

    values: Tensor
    scales: Tensor
    group: int

    def dequantized(self) -> Tensor:
        """`(outputs, inputs)` fp32."""
        inputs = self.values.shape[1]
        return self.values.float() * self.scales.repeat_interleave(self.group, dim=1)[:, :inputs]


def check_group(group: int) -> None:
    """Raises InvalidOptionError unless int4 knows this group size."""
    if group not in GROUPS:
        known = ", ".join(map(str, GROUPS))
        raise InvalidOptionError(f"The group size of int4 weights is {group}; it must be one of {known}.")


def quantize_weight(
    weight: Tensor, format: Literal["int8", "int4"], group: int = DEFAULT_GROUP
) -> QuantizedWeight:
    """`(outputs, inputs)` floating -> 8 or 4 bits.

    Raises:
        InvalidOptionError: unknown group size, or weights that are not finite.
    """
    wide = weight.detach().float()
    if not bool(torch.isfinite(wide).all()):
        raise InvalidOptionError("Weights that are infinite or not a number cannot be quantised.")
    if format == "int8":
        scales = wide.abs().amax(dim=1, keepdim=True) / 127.0
        return QuantizedWeight(_rounded(wide, scales, 127, 127), scales, max(wide.shape[1], 1))
    check_group(group)
    outputs, inputs = wide.shape
    grouped = torch.nn.functional.pad(wide, (0, -inputs % group)).view(outputs, -1, group)
    scales = _best_scales(grouped)
    values = _rounded(grouped, scales, 8, 7).view(outputs, -1)[:, :inputs].contiguous()
    return QuantizedWeight(values, scales.squeeze(-1), group)


def quantize_input(x: Tensor) -> tuple[Tensor, Tensor]:
    """`(..., inputs)` fp32 -> int8 values and `(..., 1)` fp32 scales, one for each token."""
    top = x.abs().amax(dim=-1, keepdim=True)
    factor = torch.where(top > 0, torch.full_like(top, 127.0) / top, torch.zeros_like(top))
    return (x * factor).round().clamp(-127, 127).to(torch.int8), top / 127.0


def _rounded(wide: Tensor, scales: Tensor, below: int, above: int) -> Tensor:
    factor = torch.where(scales != 0, 1.0 / scales, torch.zeros_like(scales))
    return (wide * factor).round_().clamp_(-below, above).to(torch.int8)


def _best_scales(grouped: Tensor) -> Tensor:
    """Scales `(outputs, groups, 1)` with the least squared error of those tried.

    The range -8..7 is not even: the weight of largest size gets the end at -8, so a scale may be negative. Giving
    up a few percent of the range's ends makes all steps finer, which often pays.
    """
    place = grouped.abs().argmax(dim=-1, keepdim=True)
    extreme = grouped.gather(-1, place)
    best = torch.empty_like(extreme)
    least = torch.full_like(extreme, torch.inf)
    for share in _SHARES:
        scales = (extreme * (share / -8.0)).to(torch.bfloat16).float()
        error = (_rounded(grouped, scales, 8, 7) * scales - grouped).square_().sum(-1, keepdim=True)
        better = error < least
        best = torch.where(better, scales, best)
        least = torch.where(better, error, least)
    return best
