"""What is done besides multiplying matrices, in plain torch: the slow twin of the Triton form.

Shapes: n tokens of any rows; arena keys and values of one layer `(kv_heads, positions, head_dim)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ....generation.cache import attend
from ...attention import decomposed_attention
from ...decoder import rotate


@dataclass(frozen=True)
class Places:
    """Where the tokens of a step stand, the same for all layers.

    Attributes:
        starts: `(n,)` int64, the first position of each token's row in the arena.
        places: `(n,)` int64, its place in its row; it looks back at places `0 .. places`.
        slots: `(n,)` int64, `starts + places`: where its key and value are stored.
        rotary: cosines and sines, `(n, head_dim)` each, in the model's dtype.
        context: no token looks back at more positions; 0 if the operations need not know.
    """

    starts: Tensor
    places: Tensor
    slots: Tensor
    rotary: tuple[Tensor, Tensor]
    context: int


class Operations(Protocol):
    """The operations, with fixed shapes and without waiting for the device.

    Attributes:
        most_tokens: a step should not hold more.
        by_context: whether shapes depend on `Places.context`.
    """

    most_tokens: int
    by_context: bool

    def add_norm(self, x: Tensor, more: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        """The residual stream, and it normed: `(n, hidden)` twice.

        Args:
            x: `(n, hidden)`.
            more: `(n, hidden)` to be added first, or None.
            weight: `(hidden,)`.
        """
        ...

    def rotate_and_store(self, qkv: Tensor, places: Places, keys: Tensor, values: Tensor) -> Tensor:
        """Rotates queries and keys, stores keys and values.

        Args:
            qkv: `(n, heads + 2 * kv_heads, head_dim)`, contiguous; what it holds afterwards is not defined.

        Returns:
            The queries, `(n, heads, head_dim)`, each token's contiguous.
        """
        ...

    def attend(self, q: Tensor, places: Places, keys: Tensor, values: Tensor) -> Tensor:
        """What each token sees of its row: `(n, heads, head_dim)` -> `(n, heads * head_dim)`."""
        ...

    def gated(self, gate_and_up: Tensor) -> Tensor:
        """`(n, 2 * size)`, gates first -> `(n, size)`: silu(gate) * up."""
        ...

    def attend_grid(
        self, qkv: Tensor, rel_h: Tensor | None, rel_w: Tensor | None, grid_hw: tuple[int, int]
    ) -> Tensor:
        """The encoder's attention, over grids of positions.

        Args:
            qkv: `(grids, rows * columns, 3, heads, head_dim)`, contiguous.
            rel_h, rel_w: as for `attention.decomposed_attention`.
            grid_hw: rows and columns.

        Returns:
            `(grids, rows * columns, heads * head_dim)`.
        """
        ...


class TorchOperations:
    """See `Operations`. Attention copies what tokens look back at, padded to the context of the step."""

    most_tokens = 64
    by_context = True

    def add_norm(self, x: Tensor, more: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        if more is not None:
            x = x + more
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
        return x, weight * wide.to(x.dtype)

    def rotate_and_store(self, qkv: Tensor, places: Places, keys: Tensor, values: Tensor) -> Tensor:
        kv_heads = keys.shape[0]
        rotated = qkv.shape[1] - kv_heads
        cos, sin = (table[:, None] for table in places.rotary)
        qk = rotate(qkv[:, :rotated], cos, sin)
        # The arena has heads first: (n, kv_heads, head_dim) -> (kv_heads, n, head_dim).
        keys.index_copy_(1, places.slots, qk[:, -kv_heads:].transpose(0, 1))
        values.index_copy_(1, places.slots, qkv[:, rotated:].transpose(0, 1))
        return qk[:, :-kv_heads]

    def attend(self, q: Tensor, places: Places, keys: Tensor, values: Tensor) -> Tensor:
        steps = torch.arange(places.context, device=q.device)
        # Beyond its own place a token gathers its own key again: what lies there may be garbage, and 0 * NaN is NaN.
        seen = places.starts[:, None] + torch.minimum(steps, places.places[:, None])  # (n, context)
        k, v = (t[:, seen].transpose(0, 1) for t in (keys, values))  # (n, kv_heads, context, head_dim)
        mask = (steps <= places.places[:, None])[:, None, None]
        # (n, heads, 1, head_dim) -> (n, heads * head_dim)
        return attend(q[:, :, None], k, v, mask).flatten(1)

    def gated(self, gate_and_up: Tensor) -> Tensor:
        gate, up = gate_and_up.chunk(2, dim=-1)
        return F.silu(gate) * up

    def attend_grid(
        self, qkv: Tensor, rel_h: Tensor | None, rel_w: Tensor | None, grid_hw: tuple[int, int]
    ) -> Tensor:
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (grids, heads, rows * columns, head_dim)
        out = decomposed_attention(q, k, v, rel_h, rel_w, grid_hw)
        return out.transpose(1, 2).flatten(2)  # (grids, rows * columns, heads * head_dim)
