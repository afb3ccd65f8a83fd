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
from torch.nn import functional as F

from ..errors import InvalidOptionError

Format = Literal["fp32", "bf16", "int8", "int4"]
FORMATS: tuple[Format, ...] = ("fp32", "bf16", "int8", "int4")
"""By their numbers in csrc/linear.h."""

GROUPS = (32, 64, 128)
DEFAULT_GROUP = 32

# Shares of a group's largest weight that are tried as the end of the int4 range.
_SHARES = (1.0, 0.9, 0.8)

# Weights that are quantised at a time: the many steps of the search stay in the cache.
_CHUNK = 1 << 18


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
    if format == "int4":
        check_group(group)
    else:
        group = max(weight.shape[1], 1)
    one = _int8 if format == "int8" else _int4
    rows = max(_CHUNK // group // max(-(-weight.shape[1] // group), 1), 1)
    parts = [one(chunk.detach().float(), group) for chunk in weight.split(rows)]
    values, scales = (torch.cat(part) for part in zip(*parts, strict=True))
    if not bool(torch.isfinite(scales).all()):
        raise InvalidOptionError("Weights that are infinite or not a number cannot be quantised.")
    return QuantizedWeight(values, scales, group)


def quantize_input(x: Tensor) -> tuple[Tensor, Tensor]:
    """`(..., inputs)` fp32 -> int8 values and `(..., 1)` fp32 scales, one for each token."""
    top = x.abs().amax(dim=-1, keepdim=True)
    factor = torch.where(top > 0, torch.full_like(top, 127.0) / top, torch.zeros_like(top))
    return (x * factor).round().clamp(-127, 127).to(torch.int8), top / 127.0


def _rounded(wide: Tensor, scales: Tensor, below: int, above: int) -> Tensor:
    """Whole numbers, still in floating point."""
    factor = torch.where(scales != 0, 1.0 / scales, torch.zeros_like(scales))
    return (wide * factor).round_().clamp_(-below, above)


def _int8(wide: Tensor, _group: int) -> tuple[Tensor, Tensor]:
    scales = wide.abs().amax(dim=1, keepdim=True) / 127.0
    return _rounded(wide, scales, 127, 127).to(torch.int8), scales


def _int4(wide: Tensor, group: int) -> tuple[Tensor, Tensor]:
    """The values and scales with the least squared error of those tried, group by group.

    The range -8..7 is not even: the weight of largest size gets the end at -8, so a scale may be negative. Giving
    up some of the range's ends makes all steps finer, which often pays; and the rounded values say in turn which
    scale fits them best.
    """
    rows, inputs = wide.shape
    grouped = F.pad(wide, (0, -inputs % group)).view(rows, -1, group)  # (outputs, groups, group)
    extreme = grouped.gather(-1, grouped.abs().argmax(dim=-1, keepdim=True))
    best = torch.zeros_like(extreme)
    least = torch.full_like(extreme, torch.inf)
    for share in _SHARES:
        scales = extreme * (share / -8.0)
        for _ in range(2):
            scales = scales.to(torch.bfloat16).float()
            values = _rounded(grouped, scales, 8, 7)
            error = (values * scales - grouped).square_().sum(-1, keepdim=True)
            best = torch.where(error < least, scales, best)
            least = torch.minimum(least, error)
            length = values.square().sum(-1, keepdim=True).clamp_min_(1.0)
            scales = (values * grouped).sum(-1, keepdim=True) / length
    best = torch.where(torch.isfinite(extreme), best, extreme)
    values = _rounded(grouped, best, 8, 7).view(rows, -1)[:, :inputs]  # (outputs, inputs)
    return values.to(torch.int8), best.squeeze(-1)
