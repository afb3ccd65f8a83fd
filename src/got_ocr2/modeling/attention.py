"""Attention with decomposed relative positions, as SAM defines it, in a fast form and its slow twin.

    logits[y x, y' x'] = (q * d**-0.5) . k + q . R_h[y - y'] + q . R_w[x - x']

Both added terms are dot products with q, so they fold into the first one: q is extended by its products with
the two tables (rows + columns more numbers), k by one-hot vectors that pick y' and x'. The heads x positions x
positions logits are then never held: fused attention kernels see a plain, slightly wider head.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

# Below this many positions the logits fit in cache and the plain form is the faster one.
_FOLD_FROM = 1024


@lru_cache(maxsize=32)
def _relative_index(size: int, device: torch.device) -> Tensor:
    """`(size, size)` int64: row y, column y' holds the table row for the offset y - y'."""
    with torch.inference_mode(False):  # kept for training too, whichever comes first
        at = torch.arange(size, device=device)
        return at[:, None] - at[None, :] + size - 1


@lru_cache(maxsize=32)
def _position_one_hot(rows: int, columns: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """`(rows * columns, rows + columns)`: for position (y, x), ones at y and at rows + x."""
    with torch.inference_mode(False):
        at = torch.arange(rows * columns, device=device)
        return torch.cat([F.one_hot(at // columns, rows), F.one_hot(at % columns, columns)], dim=1).to(dtype)


def relative_terms(q: Tensor, rel_h: Tensor, rel_w: Tensor, grid_hw: tuple[int, int]) -> Tensor:
    """What each query adds for every row and for every column of keys.

    Args:
        q: `(N, heads, rows * columns, d)`, not scaled.
        rel_h, rel_w: tables `(2 * rows - 1, d)` and `(2 * columns - 1, d)`.

    Returns:
        `(N, heads, rows * columns, rows + columns)`.
    """
    rows, columns = grid_hw
    n, heads, length, d = q.shape
    grid = q.view(n, heads, rows, columns, d)
    by_row = rel_h[_relative_index(rows, q.device)]  # (rows, rows', d)
    by_column = rel_w[_relative_index(columns, q.device)]  # (columns, columns', d)
    # matmul with the table as the right factor keeps both products as plain batched GEMMs
    to_rows = grid @ by_row.transpose(1, 2)  # (N, heads, rows, columns, rows')
    # (N, heads, columns, rows, columns') -> (N, heads, rows, columns, columns')
    to_columns = (grid.transpose(2, 3) @ by_column.transpose(1, 2)).transpose(2, 3)
    return torch.cat([to_rows, to_columns], dim=-1).view(n, heads, length, rows + columns)


def attention_plain(
    q: Tensor, k: Tensor, v: Tensor, rel_h: Tensor | None, rel_w: Tensor | None, grid_hw: tuple[int, int],
    dropout: float = 0.0,
) -> Tensor:  # fmt: skip
    """The formula as written, logits and all; softmax sums in fp32, as in HF. Slow twin of `attention_folded`."""
    logits = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)  # (N, heads, L, L)
    if rel_h is not None and rel_w is not None:
        rows, _ = grid_hw
        terms = relative_terms(q, rel_h, rel_w, grid_hw)
        n, heads, length, _ = terms.shape
        to_rows, to_columns = terms[..., :rows], terms[..., rows:]
        bias = to_rows[..., :, None] + to_columns[..., None, :]  # (N, heads, L, rows, columns)
        logits = logits + bias.view(n, heads, length, length)
    # Inside, softmax computes in fp32 whatever the dtype; HF's casts around it give the same numbers.
    weights = F.softmax(logits, dim=-1)
    return (F.dropout(weights, dropout) if dropout else weights) @ v


def attention_folded(
    q: Tensor, k: Tensor, v: Tensor, rel_h: Tensor | None, rel_w: Tensor | None, grid_hw: tuple[int, int],
    dropout: float = 0.0,
) -> Tensor:  # fmt: skip
    """The same through `scaled_dot_product_attention`, the relative position folded into q and k."""
    if rel_h is None or rel_w is None:
        return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
    rows, columns = grid_hw
    n, heads, _, d = q.shape
    terms = relative_terms(q, rel_h, rel_w, grid_hw)
    one_hot = _position_one_hot(rows, columns, k.dtype, k.device)
    wide_q = torch.cat([q * d**-0.5, terms], dim=-1)
    wide_k = torch.cat([k, one_hot.expand(n, heads, -1, -1)], dim=-1)
    # Fused kernels want one head size for q, k and v, a multiple of 8.
    width = math.ceil(wide_q.shape[-1] / 8) * 8
    wide_q, wide_k, wide_v = (F.pad(t, (0, width - t.shape[-1])) for t in (wide_q, wide_k, v))
    out = F.scaled_dot_product_attention(wide_q, wide_k, wide_v, dropout_p=dropout, scale=1.0)
    return out[..., :d]


def decomposed_attention(
    q: Tensor, k: Tensor, v: Tensor, rel_h: Tensor | None, rel_w: Tensor | None, grid_hw: tuple[int, int],
    dropout: float = 0.0,
) -> Tensor:  # fmt: skip
    """Picks the form by size; both give the same numbers.

    Args:
        q, k, v: `(N, heads, rows * columns, d)`.
        rel_h, rel_w: relative position tables, or None for none.
        grid_hw: rows and columns.

    Returns:
        `(N, heads, rows * columns, d)`.
    """
    # On CPUs the fused backward takes twice as long as the plain one.
    small_learner = rel_h is None and q.requires_grad and q.device.type == "cpu"
    form = attention_folded if q.shape[2] >= _FOLD_FROM and not small_learner else attention_plain
    return form(q, k, v, rel_h, rel_w, grid_hw, dropout)
