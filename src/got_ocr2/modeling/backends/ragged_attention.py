"""Attention of many pages at once, each over its own span of one arena."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from ...config import GotOcr2TextConfig
from ...generation.cache import attend
from ...generation.engine.device_transfer import to_device
from ...generation.engine.runner import RowInput


class Arena:
    """Keys and values of every layer for `positions` positions, left untouched until they are used.

    Attributes:
        keys, values: `(layers, kv_heads, positions, head_dim)`.
        positions: how many there are.
    """

    def __init__(
        self, config: GotOcr2TextConfig, positions: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        shape = (config.num_hidden_layers, config.num_key_value_heads, positions, config.head_dim)
        self.keys = torch.empty(shape, dtype=dtype, device=device)
        self.values = torch.empty(shape, dtype=dtype, device=device)
        self.positions = positions


def bytes_per_position(config: GotOcr2TextConfig, dtype: torch.dtype) -> int:
    """Bytes of an `Arena` for one position."""
    width = config.num_key_value_heads * config.head_dim
    return 2 * config.num_hidden_layers * width * dtype.itemsize


class RaggedCache:
    """The cache of one step, for `Decoder.forward`: all new tokens in one flat row `(1, sum n, hidden)`.

    What the rows have in common is worked out once and used by every layer. Prompts of equal length that stand
    next to one another and begin together are attended to in one call; every other row in a call of its own.

    Attributes:
        position_ids: `(1, sum n)` int64, for the rotary embedding.
    """

    def __init__(self, arena: Arena, rows: Sequence[RowInput]) -> None:
        self._arena = arena
        device = arena.keys.device
        self._groups = [_Group(list(group), device) for _, group in groupby(rows, _kind)]
        places = torch.cat([torch.arange(row.past, row.past + row.tokens) for row in rows])
        starts = torch.tensor([row.span.start for row in rows])
        lengths = torch.tensor([row.tokens for row in rows])
        at = places + starts.repeat_interleave(lengths)
        self.position_ids = to_device(places[None], device)
        self._at = to_device(at, device)  # where in the arena the new tokens are stored

    def get_seq_length(self, layer: int = 0) -> int:
        """0: rows have no common past; `position_ids` say where each token stands."""
        return 0

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """See `generation.cache.Cache`; the batch is 1, and `mask` is not used: rows see themselves only."""
        keys, values = self._arena.keys[layer], self._arena.values[layer]
        keys.index_copy_(1, self._at, k[0])
        values.index_copy_(1, self._at, v[0])
        out: list[Tensor] = []
        first = 0
        for group in self._groups:
            new = slice(first, first + group.tokens)
            first = new.stop
            out.append(group.attend(q[:, :, new], k[:, :, new], v[:, :, new], keys, values))
        return out[0] if len(out) == 1 else torch.cat(out, dim=2)


class _Group:
    """Rows that are attended to in one call: prompts of one length, or a single row that goes on."""

    def __init__(self, rows: list[RowInput], device: torch.device) -> None:
        first = rows[0]
        self.tokens = sum(row.tokens for row in rows)
        self._rows = len(rows)
        self._begins = first.past == 0
        self._seen = slice(first.span.start, first.span.start + first.past + first.tokens)
        self._mask: Tensor | None = None
        if not self._begins and first.tokens > 1:
            # Drafted tokens: each sees everything before it, and itself.
            all_true = torch.ones((first.tokens, first.past + first.tokens), dtype=torch.bool, device=device)
            self._mask = all_true.tril(first.past)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """`(1, heads, tokens of the group, head_dim)` -> the same; `keys`, `values`: one layer of the arena."""
        if not self._begins:
            return attend(q, keys[None, :, self._seen], values[None, :, self._seen], self._mask)
        # (heads, tokens of the group, head_dim) -> (rows, heads, tokens of a row, head_dim)
        q, k, v = (t.view(len(t), self._rows, -1, t.shape[2]).transpose(0, 1) for t in (q[0], k[0], v[0]))
        out = attend(q, k, v, None)
        return out.transpose(0, 1).reshape(1, out.shape[1], self.tokens, -1)


def _kind(row: RowInput) -> tuple[int, int]:
    """Equal for rows that may share a call."""
    return (0, row.tokens) if row.past == 0 else (1, row.span.start)
