"""The attention kernel by itself: what its tests call, and the layout of keys and values that it reads.

Inside a pass C calls it directly; see csrc/attention.h.
"""

from __future__ import annotations

import ctypes

import torch
import torch.nn.functional as F
from torch import Tensor

from .library import native

KEY_PANEL = 16
"""`GOT_KEY_PANEL` in csrc/attention.h: keys that lie element by element side by side."""


_STORED = (torch.float32, torch.bfloat16, torch.int8)  # by their numbers in csrc/attention.h


class _Attention(ctypes.Structure):
    """`got_attention`."""

    _fields_ = (
        ("head_dim", ctypes.c_int),
        ("queries", ctypes.c_int),
        ("q", ctypes.c_void_p),
        ("q_stride", ctypes.c_long),
        ("k", ctypes.c_void_p),
        ("v", ctypes.c_void_p),
        ("stored", ctypes.c_int),
        ("k_scales", ctypes.c_void_p),
        ("v_scales", ctypes.c_void_p),
        ("first", ctypes.c_int),
        ("keys", ctypes.c_int),
        ("causal", ctypes.c_int),
        ("rel", ctypes.c_void_p),
        ("rel_stride", ctypes.c_long),
        ("row_shift", ctypes.c_void_p),
        ("column_shift", ctypes.c_void_p),
        ("columns", ctypes.c_int),
        ("out", ctypes.c_void_p),
        ("out_stride", ctypes.c_long),
    )


def padded(n: int) -> int:
    """`n` up to a whole panel: positions of an arena, elements of a stored value row."""
    return -(-n // KEY_PANEL) * KEY_PANEL


def pack_keys(keys: Tensor) -> Tensor:
    """`(positions, head_dim)` -> panels `(positions up / 16, head_dim, 16)`; missing positions are NaN."""
    missing = padded(len(keys)) - len(keys)
    panels = F.pad(keys, (0, 0, 0, missing), value=float("nan"))
    return panels.view(-1, KEY_PANEL, keys.shape[1]).transpose(1, 2).contiguous()


def pack_values(values: Tensor) -> Tensor:
    """`(positions, head_dim)` -> `(positions, head_dim up)`, zeros added."""
    return F.pad(values, (0, padded(values.shape[1]) - values.shape[1])).contiguous()


def attend(
    q: Tensor,
    panels: Tensor,
    values: Tensor,
    *,
    keys: int,
    first: int = 0,
    causal: bool = False,
    relative: Tensor | None = None,
    row_shift: Tensor | None = None,
    column_shift: Tensor | None = None,
    columns: int = 1,
    scales: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Softmax attention of one head on the calling thread.

    Args:
        q: `(queries, head_dim)` fp32, already scaled.
        panels, values: what `pack_keys` and `pack_values` give, both fp32, both bf16, or both int8.
        scales: of int8 keys and values, `(positions up / 16 * 16,)` fp32 each.
        keys: end of the keys that are seen; `first <= key < keys`.
        causal: query i sees the keys below `keys - queries + 1 + i` only.
        relative: `(queries, terms)` fp32; query i adds to the logit of key `row * columns + column` the terms
            `row_shift[i] + row` and `column_shift[i] + column`; both shifts are `(queries,)` int32.

    Returns:
        `(queries, head_dim)` fp32.
    """
    q, out = q.contiguous(), torch.empty_like(q, memory_format=torch.contiguous_format)
    if relative is not None and (row_shift is None or column_shift is None):
        raise ValueError("relative needs row_shift and column_shift.")
    if (scales is None) != (panels.dtype != torch.int8):
        raise ValueError("scales go with keys and values in int8.")
    job = _Attention(
        head_dim=q.shape[1],
        queries=q.shape[0],
        q=q.data_ptr(),
        q_stride=q.stride(0),
        k=panels.data_ptr(),
        v=values.data_ptr(),
        stored=_STORED.index(panels.dtype),
        k_scales=None if scales is None else scales[0].data_ptr(),
        v_scales=None if scales is None else scales[1].data_ptr(),
        first=first,
        keys=keys,
        causal=causal,
        rel=None if relative is None else relative.data_ptr(),
        rel_stride=0 if relative is None else relative.stride(0),
        row_shift=None if row_shift is None else row_shift.data_ptr(),
        column_shift=None if column_shift is None else column_shift.data_ptr(),
        columns=columns,
        out=out.data_ptr(),
        out_stride=out.stride(0),
    )
    native().got_attend(ctypes.byref(job))
    return out
