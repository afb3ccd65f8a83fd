"""Weights in 16, 8 and 4 bits, inputs in 16 and 8, keys and values in 8: the arithmetic, in torch.

Symmetric everywhere: a weight is `scale * q` with `-32767 <= q <= 32767` (int16, one scale for each output, and the
sizes of its weights sum up to 524,416 at most), `-127 <= q <= 127` (int8, likewise without the sum) or
`-8 <= q <= 7` (int4, one scale for each output and group of consecutive inputs). Int4 scales are bf16 numbers, held
in fp32. Nothing here depends on the native library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import InvalidOptionError

Format = Literal["fp32", "bf16", "int8", "int4", "compact", "int16"]
FORMATS: tuple[Format, ...] = ("fp32", "bf16", "int8", "int4", "compact", "int16")
"""By their numbers in csrc/linear.h."""

Cache = Literal["fp32", "bf16", "int8"]
CACHES: tuple[Cache, ...] = ("fp32", "bf16", "int8")
"""How keys and values are stored, by their numbers in csrc/attention.h."""

INT16_INPUT = 4095
"""The largest input beside int16 weights: `GOT_INT16_INPUT` in csrc/linear.h."""

_INT16_SUM = (2**31 - 1) // INT16_INPUT  # of the sizes of an output's weights: a sum fits 32 bits

GROUPS = (32, 64, 128)
DEFAULT_GROUP = 32

# Shares of a group's largest weight that are tried as the end of the int4 range, each twice.
_SHARES = (1.0, 0.9, 0.8)

# The same for groups that lie on the int4 grid already, their largest weight 7, 6, 5 or 4 steps from 0. With 8, these
# find every such grid: largest weights of 3, 2 and 1 step are 6 and 4 of a finer one.
_WHOLE_SHARES = (8 / 7, 8 / 6, 8 / 5, 8 / 4)

# Weights that are quantised at a time: the many steps of the search stay in the cache.
_CHUNK = 1 << 18


@dataclass(frozen=True)
class QuantizedWeight:
    """A weight matrix in 16, 8 or 4 bits.

    Attributes:
        values: `(outputs, inputs)` int8, or int16.
        scales: `(outputs, groups)` fp32; int16 and int8 have one group. Group g covers inputs `g * group ...`.
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
    weight: Tensor, format: Literal["int16", "int8", "int4"], group: int = DEFAULT_GROUP
) -> QuantizedWeight:
    """`(outputs, inputs)` floating -> 16, 8 or 4 bits.

    Raises:
        InvalidOptionError: unknown group size, or weights that are not finite.
    """
    if format == "int4":
        check_group(group)
    else:
        group = max(weight.shape[1], 1)
    one = {"int16": _int16, "int8": _int8, "int4": _int4}[format]
    rows = max(_CHUNK // group // max(-(-weight.shape[1] // group), 1), 1)
    parts = [one(chunk.detach().float(), group) for chunk in weight.split(rows)]
    values, scales = (torch.cat(part) for part in zip(*parts, strict=True))
    if not bool(torch.isfinite(scales).all()):
        raise InvalidOptionError("Weights that are infinite or not a number cannot be quantised.")
    return QuantizedWeight(values, scales, group)


def quantize_input(x: Tensor, format: Format = "int8") -> tuple[Tensor, Tensor]:
    """`(..., inputs)` fp32 -> int8 values, int16 beside int16 weights, and `(..., 1)` fp32 scales, one a token."""
    most = INT16_INPUT if format == "int16" else 127
    top = x.abs().amax(dim=-1, keepdim=True)
    factor = torch.where(top > 0, torch.full_like(top, most) / top, torch.zeros_like(top))
    values = (x * factor).round().clamp(-most, most)
    return values.to(torch.int16 if format == "int16" else torch.int8), top / most


def stored_in_cache(x: Tensor, cache: Cache) -> Tensor:
    """What a key/value cache keeps of `(..., head_dim)` fp32: "int8" has a scale for each head and position."""
    if cache == "int8":
        values, scales = quantize_input(x)
        return values.float() * scales
    return x.bfloat16().float() if cache == "bf16" else x


def _rounded(wide: Tensor, scales: Tensor, below: int, above: int) -> Tensor:
    """Whole numbers, still in floating point."""
    factor = torch.where(scales != 0, 1.0 / scales, torch.zeros_like(scales))
    return (wide * factor).round_().clamp_(-below, above)


def _int8(wide: Tensor, _group: int) -> tuple[Tensor, Tensor]:
    scales = wide.abs().amax(dim=1, keepdim=True) / 127.0
    return _rounded(wide, scales, 127, 127).to(torch.int8), scales


def _int16(wide: Tensor, _group: int) -> tuple[Tensor, Tensor]:
    sizes = wide.abs()
    most = _INT16_SUM - wide.shape[1] / 2  # each may be rounded up by a half
    by_sum = sizes.sum(dim=1, keepdim=True) / most
    scales = torch.maximum(sizes.amax(dim=1, keepdim=True) / 32767.0, by_sum)
    return _rounded(wide, scales, 32767, 32767).to(torch.int16), scales


def _int4(wide: Tensor, group: int) -> tuple[Tensor, Tensor]:
    rows, inputs = wide.shape
    grouped = F.pad(wide, (0, -inputs % group)).view(rows, -1, group)  # (outputs, groups, group)
    scales = best_scales(grouped, lambda scales: scales.to(torch.bfloat16).float())
    values = _rounded(grouped, scales, 8, 7).view(rows, -1)[:, :inputs]  # (outputs, inputs)
    return values.to(torch.int8), scales.squeeze(-1)


def best_scales(grouped: Tensor, stored: Callable[[Tensor], Tensor], cost: Tensor | None = None) -> Tensor:
    """The int4 scales with the least squared error of those tried, group by group.

    The range -8..7 is not even: the weight of largest size gets the end at -8, so a scale may be negative. Giving
    up some of the range's ends makes all steps finer, which often pays; and the rounded values say in turn which
    scale fits them best. Weights that are on the grid of a scale already stay where they are.

    Args:
        grouped: `(..., group)` fp32 weights.
        stored: scales -> the nearest ones that can be stored.
        cost: `(group,)`, what an error counts at each place, > 0; None if they count alike.

    Returns:
        `(..., 1)` fp32; infinite or NaN where a weight is.
    """
    extreme = grouped.gather(-1, grouped.abs().argmax(dim=-1, keepdim=True))
    best = torch.zeros_like(extreme)
    least = torch.full_like(extreme, torch.inf)
    for share in (*_SHARES, *_WHOLE_SHARES):
        scales = extreme * (share / -8.0)
        for _ in range(2 if share in _SHARES else 1):
            scales = stored(scales)
            values = _rounded(grouped, scales, 8, 7)
            error = (values * scales - grouped).square_()
            error = (error if cost is None else error * cost).sum(-1, keepdim=True)
            best = torch.where(error < least, scales, best)
            least = torch.minimum(least, error)
            counted = values if cost is None else values * cost
            length = (counted * values).sum(-1, keepdim=True)
            scales = (counted * grouped).sum(-1, keepdim=True) / torch.where(length > 0, length, 1.0)
    return torch.where(torch.isfinite(extreme), best, extreme)


def to_grid(grouped: Tensor, scales: Tensor) -> Tensor:
    """The weights that int4 keeps of `grouped` `(..., group)` with `scales` `(..., 1)`."""
    return _rounded(grouped, scales, 8, 7) * scales
