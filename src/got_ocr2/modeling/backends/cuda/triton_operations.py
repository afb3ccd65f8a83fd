# pyright: basic, reportMissingImports=false
"""The operations as Triton kernels: nine or ten launches a layer for single tokens instead of about fifty."""

from __future__ import annotations

import math
from typing import Any

import torch
import triton
from torch import Tensor

from ...attention import relative_terms
from . import triton_kernels
from .operations import Places, TorchOperations

_kernels: Any = triton_kernels  # launched by subscript, which type checkers do not know
_BLOCK = 64  # positions that attention reads at a time; 8 KB of keys at the published size
_MOST_SHARES = 16
# Queries of one program of the encoder's attention: as many as fit into registers on Ampere and on Hopper.
_QUERIES = 64


class TritonOperations:
    """See `operations.Operations`. Attention reads the arena where it is and loops as far as each token looks back,
    so shapes depend on the number of tokens alone.

    Nothing is tuned at run time: a launch inside a recording must be the one that was warmed up.
    """

    most_tokens = 256
    by_context = False

    def __init__(self, processors: int) -> None:
        """
        Args:
            processors: multiprocessors of the device; few tokens are cut into shares until each has work.
        """
        self._processors = processors
        self._torch = TorchOperations()

    @classmethod
    def on(cls, device: torch.device) -> TritonOperations:
        """For a CUDA device."""
        return cls(torch.cuda.get_device_properties(device).multi_processor_count)

    def add_norm(self, x: Tensor, more: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        n, size = x.shape
        out = torch.empty_like(x)
        total = x if more is None else torch.empty_like(x)
        block = triton.next_power_of_2(size)
        _kernels.add_norm_kernel[(n,)](
            x, more, weight, total, out, size, eps, ADDS=more is not None, BLOCK=block,
            num_warps=_warps(block),
        )  # fmt: skip
        return total, out

    def rotate_and_store(self, qkv: Tensor, places: Places, keys: Tensor, values: Tensor) -> Tensor:
        n, together, head = qkv.shape
        kv_heads, positions, _ = keys.shape
        heads = together - 2 * kv_heads
        _kernels.rotate_and_store_kernel[(n, together)](
            qkv, *places.rotary, places.slots, keys, values, positions, heads, kv_heads,
            HEAD=head, HALF=triton.next_power_of_2(head // 2), num_warps=1,
        )  # fmt: skip
        return qkv[:, :heads]

    def attend(self, q: Tensor, places: Places, keys: Tensor, values: Tensor) -> Tensor:
        n, heads, head = q.shape
        kv_heads, positions, _ = keys.shape
        shares = self.shares(n * heads)
        out = q.new_empty((n, heads * head))
        sizes = {"SPLITS": shares, "HEAD": head, "WIDTH": triton.next_power_of_2(head)}
        parts = out if shares == 1 else q.new_empty((n, heads, shares, head), dtype=torch.float32)
        peaks, sums = q.new_empty((2, n, heads, shares), dtype=torch.float32).unbind()
        scale = head**-0.5 * math.log2(math.e)
        _kernels.attend_kernel[(n, heads, shares)](
            q, q.stride(0), keys, values, places.starts, places.places, parts, peaks, sums, positions, scale,
            GROUP=heads // kv_heads, BLOCK=_BLOCK, num_warps=4, **sizes,
        )  # fmt: skip
        if shares > 1:
            _kernels.join_kernel[(n * heads,)](parts, peaks, sums, out, num_warps=1, **sizes)
        return out

    def gated(self, gate_and_up: Tensor) -> Tensor:
        n, double = gate_and_up.shape
        out = gate_and_up.new_empty((n, double // 2))
        _kernels.gated_kernel[(n, triton.cdiv(double // 2, 1024))](
            gate_and_up, out, double // 2, BLOCK=1024, num_warps=4
        )
        return out

    def attend_grid(
        self, qkv: Tensor, rel_h: Tensor | None, rel_w: Tensor | None, grid_hw: tuple[int, int]
    ) -> Tensor:
        if rel_h is None or rel_w is None:
            return self._torch.attend_grid(qkv, rel_h, rel_w, grid_hw)
        grids, length, _, heads, head = qkv.shape
        rows, columns = grid_hw
        q = qkv[:, :, 0].transpose(1, 2)  # (grids, heads, rows * columns, head_dim)
        terms = relative_terms(q, rel_h, rel_w, grid_hw)
        out = qkv.new_empty((grids, length, heads * head))
        _kernels.relative_attention_kernel[(triton.cdiv(length, _QUERIES), heads, grids)](
            *qkv.unbind(2), terms, out, qkv.stride(1), heads, rows, columns, head**-0.5,
            HEAD=head, WIDTH=max(16, triton.next_power_of_2(head)),
            ACROSS=max(16, triton.next_power_of_2(columns)), BLOCK=_QUERIES, num_warps=4,
            num_stages=3 if qkv.itemsize == 2 else 1,  # fp32 would not fit into shared memory thrice
        )  # fmt: skip
        return out

    def shares(self, programs: int) -> int:
        """Into how many shares attention is cut when there are so many tokens times heads: a power of two.

        Two programs for each multiprocessor hide each other's waits; more shares than that only have to be joined.
        """
        wanted = max(1, 2 * self._processors // programs)
        return min(_MOST_SHARES, 1 << (wanted.bit_length() - 1))


def _warps(block: int) -> int:
    return min(8, max(1, block // 256))
