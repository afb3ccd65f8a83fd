"""The whole text decoder as one native call: packed layers, an arena of keys and values, one ragged step."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .attention import padded
from .library import native
from .linear import LinearStruct, PackedLinear
from .quantize import CACHES, Cache

STEP_TOKENS = 512
"""New tokens that go through the layers together at most: what one step may need of memory has an end."""

PARTS = ("norm", "qkv", "rotate", "attend", "out", "gate_up", "down", "head")
"""Parts of a step whose seconds are measured: `GOT_T_...` in csrc/decoder.h."""


_CACHE_DTYPES: dict[Cache, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "int8": torch.int8,
}


class _Layer(ctypes.Structure):
    """`got_decoder_layer` of csrc/decoder.h."""

    _fields_ = (
        ("attention_norm", ctypes.c_void_p),
        ("mlp_norm", ctypes.c_void_p),
        ("qkv", LinearStruct),
        ("out", LinearStruct),
        ("gate_up", LinearStruct),
        ("down", LinearStruct),
    )


class _Decoder(ctypes.Structure):
    """`got_decoder`."""

    _fields_ = (
        ("hidden", ctypes.c_int32),
        ("inner", ctypes.c_int32),
        ("layers", ctypes.c_int32),
        ("heads", ctypes.c_int32),
        ("kv_heads", ctypes.c_int32),
        ("head_dim", ctypes.c_int32),
        ("eps", ctypes.c_float),
        ("cache", ctypes.c_int32),
        ("inverse_lengths", ctypes.c_void_p),
        ("norm", ctypes.c_void_p),
        ("layer", ctypes.c_void_p),
        ("head", ctypes.c_void_p),
        ("capacity", ctypes.c_int64),
        ("keys", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
        ("key_scales", ctypes.c_void_p),
        ("value_scales", ctypes.c_void_p),
    )


class _Row(ctypes.Structure):
    """`got_row`."""

    _fields_ = (
        ("start", ctypes.c_int64),
        ("past", ctypes.c_int32),
        ("tokens", ctypes.c_int32),
        ("wanted", ctypes.c_int32),
        ("unused", ctypes.c_int32),
    )


class Row(NamedTuple):
    """One page's part of a step; the numbers are those of `generation.engine.runner.RowInput`.

    Attributes:
        start: the page's first position in the arena.
        past: positions stored by earlier steps.
        tokens: new ones, >= 1.
        wanted: scores are wanted after the last so many of them.
    """

    start: int
    past: int
    tokens: int
    wanted: int


@dataclass(frozen=True)
class PackedDecoderLayer:
    """One layer's weights.

    Attributes:
        attention_norm, mlp_norm: `(hidden,)` fp32.
        qkv: hidden -> queries of all heads, then keys, then values.
        out: heads * head_dim -> hidden.
        gate_up: hidden -> inner, epilogue "silu_mul".
        down: inner -> hidden.
    """

    attention_norm: Tensor
    mlp_norm: Tensor
    qkv: PackedLinear
    out: PackedLinear
    gate_up: PackedLinear
    down: PackedLinear


class NativeDecoder:
    """All layers, the final norm and the head. One thread at a time may use it.

    Attributes:
        head: hidden -> vocabulary.
        capacity: positions of the arena; 0 if there is none.
        seconds: None, or seconds spent in each of `PARTS`, fp64, which every step adds to once it is set.
    """

    def __init__(
        self,
        layers: Sequence[PackedDecoderLayer],
        norm: Tensor,
        head: PackedLinear,
        *,
        heads: int,
        kv_heads: int,
        head_dim: int,
        eps: float,
        theta: float,
        cache: Cache,
    ) -> None:
        """
        Args:
            norm: `(hidden,)` fp32, the last one's weight.
            eps: of all norms.
            theta: base of the rotary embedding.
            cache: how keys and values are stored. In "int8" they are whole numbers, those of a head at a position with
                a scale of their own.
        """
        self.head = head
        self.capacity = 0
        self.seconds: Tensor | None = None
        self._layers, self._norm = tuple(layers), norm
        self._cache: Cache = cache
        self._arena: tuple[Tensor, ...] = ()
        self._workspace = torch.empty(0, dtype=torch.uint8)
        self._logits = torch.empty(0)
        exponents = torch.arange(0, head_dim, 2).float() / head_dim
        self._inverse_lengths = 1.0 / theta**exponents
        self._structs = (_Layer * len(layers))(
            *(
                _Layer(
                    layer.attention_norm.data_ptr(), layer.mlp_norm.data_ptr(), layer.qkv.struct,
                    layer.out.struct, layer.gate_up.struct, layer.down.struct,
                )
                for layer in layers
            )
        )  # fmt: skip
        self._struct = _Decoder(
            hidden=head.inputs,
            inner=layers[0].down.inputs,
            layers=len(layers),
            heads=heads,
            kv_heads=kv_heads,
            head_dim=head_dim,
            eps=eps,
            cache=CACHES.index(cache),
            inverse_lengths=self._inverse_lengths.data_ptr(),
            norm=norm.data_ptr(),
            layer=ctypes.addressof(self._structs),
            head=ctypes.addressof(head.struct),
        )
        self._step = _functions()

    @property
    def nbytes(self) -> int:
        """Bytes of the packed weights, the head's included."""
        linears = [w for layer in self._layers for w in (layer.qkv, layer.out, layer.gate_up, layer.down)]
        return sum(w.nbytes for w in (*linears, self.head))

    @property
    def bytes_per_position(self) -> int:
        """Bytes of the arena for one position."""
        s = self._struct
        scales = 2 * torch.float32.itemsize if self._cache == "int8" else 0
        elements = s.head_dim + padded(s.head_dim)
        return s.layers * s.kv_heads * (elements * _CACHE_DTYPES[self._cache].itemsize + scales)

    def allocate(self, positions: int) -> None:
        """Makes the arena; the system gives the memory when it is first written to.

        Raises:
            RuntimeError: torch gets no such amount.
        """
        self.release()
        s = self._struct
        capacity = padded(positions)
        count = s.layers * s.kv_heads * capacity
        dtype = _CACHE_DTYPES[self._cache]
        sizes = [count * s.head_dim, count * padded(s.head_dim)]
        self._arena = tuple(torch.empty(size, dtype=dtype) for size in sizes)
        s.keys, s.values = (part.data_ptr() for part in self._arena)
        s.capacity = capacity
        if self._cache == "int8":
            scales = torch.empty(count), torch.empty(count)
            self._arena += scales
            s.key_scales, s.value_scales = (part.data_ptr() for part in scales)
        self.capacity = positions

    def release(self) -> None:
        """Gives the arena back."""
        self._arena = ()
        self._struct.capacity = self.capacity = 0

    def step(self, x: Tensor, rows: Sequence[Row]) -> tuple[Tensor, Tensor, Tensor]:
        """One ragged step; positions must lie in the arena.

        Args:
            x: `(sum tokens, hidden)` fp32 embeddings, contiguous; overwritten.
            rows: whose they are, in order.

        Returns:
            Logits `(sum wanted, vocabulary)` fp32, valid until the next step; `(sum wanted,)` int64 the id of the
            highest, -1 where one of them is not finite; `(sum wanted,)` fp32 the logarithm of its probability.
        """
        count = sum(row.wanted for row in rows)
        vocabulary = self.head.outputs
        if self._logits.numel() < count * vocabulary:
            self._logits = torch.empty(count * vocabulary)
        logits = self._logits[: count * vocabulary].view(count, vocabulary)
        best, logprobs = torch.empty(count, dtype=torch.int64), torch.empty(count)
        token = score = 0
        for part in _parts(rows):
            new, scores = sum(row.tokens for row in part), sum(row.wanted for row in part)
            self._run(x[token : token + new], part, logits[score:], best[score:], logprobs[score:])
            token, score = token + new, score + scores
        return logits, best, logprobs

    def _run(self, x: Tensor, rows: Sequence[Row], logits: Tensor, best: Tensor, logprobs: Tensor) -> None:
        structs = (_Row * len(rows))(*rows)
        decoder, count = ctypes.byref(self._struct), len(rows)
        size = self._step.workspace(decoder, structs, count)
        if self._workspace.numel() < size + 64:
            self._workspace = torch.empty(size + 64, dtype=torch.uint8)
        workspace = -(-self._workspace.data_ptr() // 64) * 64
        times = None if self.seconds is None else self.seconds.data_ptr()
        self._step.run(
            decoder, x.data_ptr(), structs, count, logits.data_ptr(), best.data_ptr(), logprobs.data_ptr(),
            workspace, times,
        )  # fmt: skip


def _parts(rows: Sequence[Row]) -> list[list[Row]]:
    """Cuts a step into steps of at most STEP_TOKENS tokens, long rows too; wanted places stay with their tokens."""
    if sum(row.tokens for row in rows) <= STEP_TOKENS:
        return [list(rows)]
    parts: list[list[Row]] = [[]]
    room = STEP_TOKENS
    for row in rows:
        done = 0
        while done < row.tokens:
            if room == 0:
                parts.append([])
                room = STEP_TOKENS
            new = min(room, row.tokens - done)
            before_end = row.tokens - done - new  # tokens of the row that come later
            wanted = min(new, max(0, row.wanted - before_end))
            parts[-1].append(Row(row.start, row.past + done, new, wanted))
            done += new
            room -= new
    return parts


class _Functions(NamedTuple):
    workspace: ctypes._NamedFuncPointer
    run: ctypes._NamedFuncPointer


def _functions() -> _Functions:
    lib, pointer = native(), ctypes.c_void_p
    workspace, run = lib.got_decoder_workspace, lib.got_decoder_step
    workspace.argtypes = [pointer, pointer, ctypes.c_int]
    workspace.restype = ctypes.c_size_t
    run.argtypes = [pointer, pointer, pointer, ctypes.c_int, *[pointer] * 5]
    run.restype = None
    return _Functions(workspace, run)
