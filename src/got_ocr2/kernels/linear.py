"""A linear layer with packed weights, run by the native kernels."""

from __future__ import annotations

import ctypes
from typing import Literal

import torch
from torch import Tensor

from ..errors import InvalidOptionError
from . import packing
from .compact import STEP, Survey, fill, survey, unpack_plain
from .library import native
from .quantize import DEFAULT_GROUP, FORMATS, Format, quantize_weight
from .weight_memory import weight_memory

_ROWS_AT_ONCE = 64 * packing.PANEL

Epilogue = Literal["none", "gelu", "silu_mul"]
EPILOGUES: tuple[Epilogue, ...] = ("none", "gelu", "silu_mul")
"""By their numbers in csrc/linear.h."""


class LinearStruct(ctypes.Structure):
    """`got_linear` of csrc/linear.h."""

    _fields_ = (
        ("format", ctypes.c_int32),
        ("epilogue", ctypes.c_int32),
        ("n", ctypes.c_int32),
        ("k", ctypes.c_int32),
        ("group", ctypes.c_int32),
        ("panels", ctypes.c_int32),
        ("weights", ctypes.c_void_p),
        ("scales", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("tables", ctypes.c_void_p),
        ("starts", ctypes.c_void_p),
        ("escapes", ctypes.c_void_p),
    )


class PackedLinear:
    """`epilogue(x @ weight.T + bias) + residual`, weights stored in one of six formats.

    "fp32" and "bf16" compute in fp32, and bf16 weights are widened exactly. "compact" is bf16 in three quarters of
    the memory, with the same results to the bit. "int8" and "int4" also bring every
    token's inputs to 8 bits, with one scale a token, "int16" to 13. A token's result does not depend on the other
    tokens.

    Attributes:
        format: how the weights are stored.
        epilogue: "none", "gelu" (the exact one, with the error function), or "silu_mul": `silu(gate) * up` of two
            matrices in one.
        outputs: columns of the result.
        inputs: columns of `x`.
        group: int4: inputs that share a scale; else 0.
        weights: the packed weights.
        scales: int8, int16: fp32 `(panels * 32,)`; int4: bf16 `(panels, groups, 32)`; else None.
        bias: fp32 `(panels * 32,)` in the panels' order, or None.
        compact: "compact": tables, starts and escapes, see `compact`; else None.
        struct: the same for C. It points into this object's tensors, so it lives as long as the object.
    """

    def __init__(
        self,
        format: Format,
        epilogue: Epilogue,
        outputs: int,
        inputs: int,
        group: int,
        weights: Tensor,
        scales: Tensor | None,
        bias: Tensor | None,
        compact: tuple[Tensor, Tensor, Tensor] | None = None,
    ) -> None:
        self.format: Format = format
        self.epilogue: Epilogue = epilogue
        self.outputs, self.inputs, self.group = outputs, inputs, group
        self.weights, self.scales, self.bias = _aligned(weights), scales, bias
        self.compact = compact
        self.struct = LinearStruct(
            FORMATS.index(format), EPILOGUES.index(epilogue), outputs, inputs, group, weights.shape[0],
            self.weights.data_ptr(), _address(scales), _address(bias), *map(_address, compact or (None, None, None)),
        )  # fmt: skip

    @classmethod
    def pack(
        cls,
        weight: Tensor,
        bias: Tensor | None = None,
        format: Format = "bf16",
        *,
        up: Tensor | None = None,
        epilogue: Epilogue = "none",
        group: int = DEFAULT_GROUP,
    ) -> PackedLinear:
        """Packs `weight` `(outputs, inputs)` and `bias` `(outputs,)`, both floating, on the CPU.

        Args:
            up: the second matrix of "silu_mul", shaped as `weight`, which is then the gate. No bias then.
            group: int4: inputs that share a scale, 32, 64 or 128.

        Raises:
            InvalidOptionError: unknown format, epilogue or group, or shapes that do not match; bf16 or compact from
                fp32 weights that bf16 cannot hold exactly.
            MissingDependencyError: "compact" without the native library.
        """
        _check(weight, bias, format, up, epilogue)
        outputs, inputs = weight.shape
        matrix = weight.detach() if up is None else packing.weave(weight.detach(), up.detach())
        if bias is not None:
            bias = torch.nn.functional.pad(bias.detach().float(), (0, -outputs % packing.PANEL)).contiguous()
        if format == "compact":
            weights, more = _packed_compact(matrix)
            return cls(format, epilogue, outputs, inputs, 0, weights, None, bias, more)
        weights, scales = _packed(matrix, format, group)
        return cls(format, epilogue, outputs, inputs, group if format == "int4" else 0, weights, scales, bias)

    def unpack(self) -> Tensor:
        """The weights as the kernels see them, fp32 `(outputs, inputs)`; gate and up one below the other."""
        count = self.weights.shape[0] * packing.PANEL if self.epilogue == "silu_mul" else self.outputs
        size = (count, self.inputs)
        if self.format == "fp32":
            matrix = packing.unpack_fp32(self.weights, *size)
        elif self.format == "bf16":
            matrix = packing.unpack_bf16(self.weights, *size).float()
        elif self.format == "compact":
            assert self.compact is not None
            tables, starts, escapes = self.compact
            panels = unpack_plain(self.weights, Survey(tables, starts), escapes)
            matrix = packing.unpack_bf16(panels, *size).float()
        elif self.format == "int8":
            assert self.scales is not None
            matrix = packing.unpack_int8(self.weights, self.scales, *size).dequantized()
        elif self.format == "int16":
            assert self.scales is not None
            matrix = packing.unpack_int16(self.weights, self.scales, *size).dequantized()
        else:
            assert self.scales is not None
            matrix = packing.unpack_int4(self.weights, self.scales, self.group, *size).dequantized()
        if self.epilogue != "silu_mul":
            return matrix
        # Undoes `weave`: (panels, 2, 16, inputs) -> (2, panels * 16, inputs)
        pairs = matrix.view(-1, 2, packing.PANEL // 2, self.inputs).transpose(0, 1).flatten(1, 2)
        return pairs[:, : self.outputs].flatten(0, 1)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the layer holds."""
        tensors = (self.weights, self.scales, self.bias, *(self.compact or ()))
        return sum(t.nbytes for t in tensors if t is not None)

    def __call__(self, x: Tensor, residual: Tensor | None = None, out: Tensor | None = None) -> Tensor:
        """`(..., inputs)` fp32 -> `(..., outputs)` fp32.

        Args:
            residual: shaped as the result; added at the end.
            out: contiguous, shaped as the result; filled and returned. It may be `residual`, not `x`.

        Raises:
            InvalidOptionError: shapes or types do not match.
            MissingDependencyError: the native library is not there.
        """
        if x.shape[-1:] != (self.inputs,) or x.dtype != torch.float32:
            raise InvalidOptionError(
                f"The input is {tuple(x.shape)} {x.dtype}; the layer takes (..., {self.inputs}) torch.float32."
            )
        rows = x.detach().reshape(-1, self.inputs).contiguous()  # (tokens, inputs)
        y = torch.empty(*x.shape[:-1], self.outputs) if out is None else out
        for name, given in (("residual", residual), ("out", out)):
            if given is not None and (given.shape != (*x.shape[:-1], self.outputs) or given.dtype != x.dtype):
                raise InvalidOptionError(
                    f"`{name}` is {tuple(given.shape)} {given.dtype}; "
                    f"it must be {(*x.shape[:-1], self.outputs)} torch.float32."
                )
        if not y.is_contiguous():
            raise InvalidOptionError("`out` must be contiguous.")
        residual = None if residual is None else residual.detach().contiguous()
        done = _run()(
            ctypes.byref(self.struct), rows.data_ptr(), self.inputs, rows.shape[0], y.data_ptr(), self.outputs,
            _address(residual), self.outputs,
        )  # fmt: skip
        if done != 0:
            raise MemoryError("The native kernels got no scratch memory.")
        return y

    def rows(self, ids: Tensor) -> Tensor:
        """Rows of the weights as fp32, `(n,)` int64 -> `(n, inputs)`: the embedding lookup of a tied head.

        Raises:
            InvalidOptionError: an id out of range, or a "silu_mul" layer.
        """
        if self.epilogue == "silu_mul":
            raise InvalidOptionError("A layer that joins gate and up has no rows to look up.")
        if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < self.outputs:
            raise InvalidOptionError(f"An id is outside 0..{self.outputs - 1}.")
        ids = ids.to(torch.int64).contiguous()
        out = torch.empty(ids.numel(), self.inputs)
        lookup = native().got_linear_rows
        lookup.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_ssize_t]
        lookup.restype = None
        lookup(ctypes.addressof(self.struct), ids.data_ptr(), ids.numel(), out.data_ptr(), self.inputs)
        return out


def _packed(matrix: Tensor, format: Format, group: int) -> tuple[Tensor, Tensor | None]:
    """Weights and scales, made of some rows after others: a large matrix is not copied as a whole on the way."""
    panels = -(-matrix.shape[0] // packing.PANEL)
    if format == "bf16" and matrix.dtype == torch.bfloat16 and packing.fills_panels(matrix):
        weights = weight_memory((panels, matrix.shape[1] // 2, packing.PANEL, 2), torch.bfloat16)
        return packing.fill_bf16(matrix, weights), None
    weights, scales, done = None, [], 0
    for rows in matrix.split(_ROWS_AT_ONCE):
        part, part_scales = _packed_rows(rows, format, group)
        if weights is None:
            weights = weight_memory((panels, *part.shape[1:]), part.dtype)
        weights[done : done + len(part)] = part
        done += len(part)
        scales += [] if part_scales is None else [part_scales]
    assert weights is not None
    return weights, torch.cat(scales) if scales else None


def _packed_compact(matrix: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Weights, and tables, starts and escapes; some rows after others too."""
    panels, steps = -(-matrix.shape[0] // packing.PANEL), -(-matrix.shape[1] // 2)
    weights = weight_memory((panels, steps, STEP), torch.uint8)
    tables: list[Tensor] = []
    starts, escapes = [torch.zeros(1, dtype=torch.int32)], [torch.empty(0, 2, dtype=torch.int32)]
    done = 0
    for rows in matrix.split(_ROWS_AT_ONCE):
        part, _ = _packed(rows, "bf16", 0)
        found = survey(part)
        escapes.append(fill(part, found, weights[done : done + len(part)]))
        tables.append(found.tables)
        starts.append(found.starts[1:] + starts[-1][-1])
        done += len(part)
    return weights, (torch.cat(tables), torch.cat(starts), torch.cat(escapes))


def _packed_rows(rows: Tensor, format: Format, group: int) -> tuple[Tensor, Tensor | None]:
    if format == "fp32":
        return packing.pack_fp32(rows), None
    if format == "bf16":
        if rows.dtype != torch.bfloat16 and not torch.equal(rows.bfloat16().float(), rows.float()):
            raise InvalidOptionError("The weights are not bf16 numbers: store them as fp32, or round them.")
        return packing.pack_bf16(rows), None
    if format == "int8":
        return packing.pack_int8(quantize_weight(rows, "int8"))
    if format == "int16":
        return packing.pack_int16(quantize_weight(rows, "int16"))
    return packing.pack_int4(quantize_weight(rows, "int4", group))


def _run() -> ctypes._NamedFuncPointer:
    run = native().got_linear_run
    pointer, stride = ctypes.c_void_p, ctypes.c_ssize_t
    run.argtypes = [pointer, pointer, stride, ctypes.c_int, pointer, stride, pointer, stride]
    run.restype = ctypes.c_int
    return run


def _check(weight: Tensor, bias: Tensor | None, format: str, up: Tensor | None, epilogue: str) -> None:
    if format not in FORMATS:
        raise InvalidOptionError(f"The weight format is {format!r}; it must be one of {', '.join(FORMATS)}.")
    if epilogue not in EPILOGUES:
        raise InvalidOptionError(f"The epilogue is {epilogue!r}; it must be one of {', '.join(EPILOGUES)}.")
    if (up is not None) != (epilogue == "silu_mul"):
        raise InvalidOptionError(
            f"A second matrix goes with the epilogue 'silu_mul' alone, not {epilogue!r}."
        )
    if weight.ndim != 2 or 0 in weight.shape:
        raise InvalidOptionError(
            f"The weight is {tuple(weight.shape)}; it must be (outputs, inputs), not empty."
        )
    if up is not None and (up.shape != weight.shape or up.dtype != weight.dtype or bias is not None):
        raise InvalidOptionError("Gate and up must have the same shape and type, and no bias.")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise InvalidOptionError(f"The bias is {tuple(bias.shape)}; it must be ({weight.shape[0]},).")


def _aligned(tensor: Tensor) -> Tensor:
    """The tensor on a 64-byte boundary, where torch puts all but the smallest anyway."""
    if tensor.data_ptr() % 64 == 0:
        return tensor
    room = torch.empty(tensor.nbytes + 64, dtype=torch.uint8)
    start = -room.data_ptr() % 64
    moved = room[start : start + tensor.nbytes].view(tensor.dtype).view(tensor.shape)
    return moved.copy_(tensor)


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
