"""The key/value cache: an argument of the model, never hidden state inside it."""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

_GROW = 256  # positions; buffers grow by at least this much, so a long page copies its cache few times


class Cache(Protocol):
    """Where a decoder keeps keys and values; it also decides which of them a new position sees."""

    def get_seq_length(self, layer: int = 0) -> int:
        """Positions stored before the new ones; 0 where rows differ and the caller gives `position_ids`."""
        ...

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """Stores the new keys and values and attends to them and to those from before.

        Args:
            layer: index of the decoder layer.
            q: `(batch, heads, new, head_dim)`; k, v: `(batch, kv_heads, new, head_dim)`, rotated.
            mask: as `causal_mask` makes it.

        Returns:
            `(batch, heads, new, head_dim)`.
        """
        ...


class KeyValueCache:
    """Keys and values of every layer, appended in place into buffers that grow geometrically.

    Shapes: keys and values are `(batch, kv_heads, positions, head_dim)` in the model's dtype.
    """

    def __init__(self) -> None:
        self._keys: list[Tensor] = []
        self._values: list[Tensor] = []
        self._lengths: list[int] = []

    def get_seq_length(self, layer: int = 0) -> int:
        """Positions stored for `layer`; 0 before the first update."""
        return self._lengths[layer] if layer < len(self._lengths) else 0

    def update(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Appends new positions and returns everything stored for the layer, old and new.

        Args:
            layer: index of the decoder layer; layers are first seen in order.
            keys, values: `(batch, kv_heads, new, head_dim)`.

        Returns:
            Views `(batch, kv_heads, stored + new, head_dim)`, valid until the next update.
        """
        if layer == len(self._lengths):
            self._keys.append(keys.new_empty((*keys.shape[:2], 0, keys.shape[3])))
            self._values.append(values.new_empty((*values.shape[:2], 0, values.shape[3])))
            self._lengths.append(0)
        start, end = self._lengths[layer], self._lengths[layer] + keys.shape[2]
        if end > self._keys[layer].shape[2]:
            self._keys[layer] = _grown(self._keys[layer], start, end)
            self._values[layer] = _grown(self._values[layer], start, end)
        self._keys[layer][:, :, start:end] = keys
        self._values[layer][:, :, start:end] = values
        self._lengths[layer] = end
        return self._keys[layer][:, :, :end], self._values[layer][:, :, :end]

    def reorder(self, rows: Tensor) -> None:
        """Row i becomes what row `rows[i]` was, `(batch,)` int64: beams that go on from others."""
        self._keys = [keys[rows] for keys in self._keys]
        self._values = [values[rows] for values in self._values]

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """See `Cache`."""
        return attend(q, *self.update(layer, k, v), mask)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, *, dropout: float = 0.0) -> Tensor:
    """Attention of new positions to all: without a mask causal if there are several new ones, else to everything.

    Args:
        q: `(batch, heads, new, head_dim)`.
        k, v: `(batch, kv_heads, total, head_dim)`; `kv_heads` divides `heads`.
        mask: boolean, broadcast to `(batch, heads, new, total)`, or None.
        dropout: share of the weights that is dropped.
    """
    return F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=mask is None and q.shape[2] > 1, dropout_p=dropout,
        enable_gqa=q.shape[1] != k.shape[1],
    )  # fmt: skip


def _grown(buffer: Tensor, used: int, needed: int) -> Tensor:
    capacity = max(needed + _GROW, 2 * buffer.shape[2])
    grown = buffer.new_empty((*buffer.shape[:2], capacity, buffer.shape[3]))
    grown[:, :, :used] = buffer[:, :, :used]
    return grown


def causal_mask(
    new: int, total: int, attention_mask: Tensor | None, device: torch.device | None = None
) -> Tensor | None:
    """Which stored positions each new one may see.

    Args:
        new: number of new positions, the last ones of `total`.
        total: cached plus new positions.
        attention_mask: `(batch, total)`, 0 where a position is padding, or None.

    Returns:
        Boolean `(batch or 1, 1, new, total)`, True where attention is allowed, or None where SDPA's own
        `is_causal` (prefill) or no mask at all (one new token) says the same.
    """
    # Asking the device whether anything is padded waits for it: worth it once a prefill, not at every step.
    # While compiling there is no asking: a mask is taken to hide something.
    unknown = new == 1 or torch.compiler.is_compiling()
    padded = attention_mask is not None and (unknown or not bool(attention_mask.all()))
    if not padded and (new == 1 or new == total):
        return None
    rows = torch.arange(total - new, total, device=device)[:, None]
    allowed = (torch.arange(total, device=device)[None, :] <= rows)[None, None]
    if not padded or attention_mask is None:
        return allowed
    allowed = allowed & attention_mask[:, None, None, :].bool()
    # A padding row sees nothing; let it see itself, or softmax makes NaN of it.
    itself = torch.arange(total, device=device)[None, :] == rows
    return allowed | itself[None, None]
