"""bf16 weights in 12 bits each, losslessly, as csrc/compact.h describes: packed by C, with twins in torch."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import torch
from torch import Tensor

from .library import native

STEP, TABLE = 96, 16
"""`GOT_COMPACT_STEP` and `GOT_COMPACT_TABLE`."""

_OTHER = TABLE - 1  # the place of exponents that are not in the table


class Survey(NamedTuple):
    """What is found before weights are packed.

    Attributes:
        tables: `(panels, 16)` uint8: the exponents used most.
        starts: `(panels + 1,)` int32: where the escapes of each panel begin, and their number.
    """

    tables: Tensor
    starts: Tensor


def survey(panels: Tensor) -> Survey:
    """Of bf16 panels `(panels, steps, 32, 2)`, contiguous."""
    count, steps = panels.shape[:2]
    found = Survey(torch.empty(count, TABLE, dtype=torch.uint8), torch.empty(count + 1, dtype=torch.int32))
    lib, pointer = native(), ctypes.c_void_p
    lib.got_compact_survey.argtypes = [pointer, ctypes.c_int, ctypes.c_int, pointer, pointer]
    lib.got_compact_survey.restype = None
    lib.got_compact_survey(panels.data_ptr(), count, steps, found.tables.data_ptr(), found.starts.data_ptr())
    return found


def fill(panels: Tensor, found: Survey, out: Tensor) -> Tensor:
    """Packs panels into `out` `(panels, steps, 96)` uint8.

    Returns:
        The escapes `(n, 2)` int32: places in their panels, and bf16 numbers as whole ones.
    """
    escapes = torch.empty(int(found.starts[-1]), 2, dtype=torch.int32)
    lib, pointer = native(), ctypes.c_void_p
    lib.got_compact_fill.argtypes = [pointer, ctypes.c_int, ctypes.c_int, *[pointer] * 4]
    lib.got_compact_fill.restype = None
    lib.got_compact_fill(
        panels.data_ptr(), panels.shape[0], panels.shape[1], found.tables.data_ptr(), found.starts.data_ptr(),
        out.data_ptr(), escapes.data_ptr(),
    )  # fmt: skip
    return escapes


def pack_plain(panels: Tensor) -> tuple[Tensor, Survey, Tensor]:
    """The slow twin of `survey` and `fill`: weights `(panels, steps, 96)`, the survey, the escapes."""
    count, steps = panels.shape[:2]
    words = (
        panels.contiguous().view(torch.int16).to(torch.int32).view(count, -1) & 0xFFFF
    )  # (panels, weights)
    exponents = (words >> 7 & 255).long()
    uses = torch.zeros(count, 256, dtype=torch.int64).scatter_add_(1, exponents, torch.ones_like(exponents))
    # Of equally many uses the lower exponent comes first; a place that no exponent needs holds 0.
    order = uses.argsort(dim=1, descending=True, stable=True)[:, :_OTHER]
    chosen = torch.where(uses.gather(1, order) > 0, order, 0)
    places = torch.full((count, 256), _OTHER)
    for place in reversed(range(_OTHER)):
        places.scatter_(1, chosen[:, place : place + 1], place)
    entries = places.gather(1, exponents)
    bytes_ = (words >> 8 & 0x80) | (words & 0x7F)
    low, high = _interleaved(entries.view(count, steps, 64)).split(32, dim=-1)
    packed = torch.cat([_interleaved(bytes_.view(count, steps, 64)), low | high << 4], dim=-1).to(torch.uint8)
    tables = torch.cat([chosen, torch.zeros(count, 1, dtype=torch.int64)], dim=1).to(torch.uint8)
    panel, place = (entries == _OTHER).nonzero(as_tuple=True)
    starts = torch.zeros(count + 1, dtype=torch.int32)
    starts[1:] = torch.bincount(panel, minlength=count).cumsum(0)
    escapes = torch.stack([place, words[panel, place].long()], dim=1).to(torch.int32)
    return packed, Survey(tables, starts), escapes


def unpack_plain(packed: Tensor, found: Survey, escapes: Tensor) -> Tensor:
    """bf16 panels `(panels, steps, 32, 2)`."""
    count, steps = packed.shape[:2]
    wide = packed.to(torch.int32)
    bytes_ = _interleaved(wide[..., :64])
    entries = _interleaved(torch.cat([wide[..., 64:] & 15, wide[..., 64:] >> 4], dim=-1))
    exponents = found.tables.to(torch.int32).gather(1, entries.flatten(1).long()).view_as(entries)
    words = (bytes_ & 0x80) << 8 | exponents << 7 | (bytes_ & 0x7F)
    words = words.view(count, -1)
    panel = torch.repeat_interleave(torch.arange(count), found.starts.diff().long())
    words[panel, escapes[:, 0].long()] = escapes[:, 1]
    return words.to(torch.int16).view(torch.bfloat16).view(count, steps, 32, 2)


def _interleaved(step: Tensor) -> Tensor:
    """`(..., 64)` weights in the order of bf16 panels -> of compact bytes, or back: halves and lanes change places."""
    parts = step.unflatten(-1, (2, 2, 2, 8))
    return parts.transpose(-3, -2).flatten(-4)
