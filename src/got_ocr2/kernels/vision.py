"""The whole image encoder as one native call a picture."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from .attention import padded
from .library import native, threads
from .linear import LinearStruct, PackedLinear

_KEPT = 16 << 20  # bytes of working memory a thread that wait for the next picture: a line's, not a page's

PARTS = ("patch", "norm", "qkv", "window", "global", "out", "up", "down", "neck")
"""Parts of a picture whose seconds are measured: `GOT_V_...` in csrc/vision.h."""


class _Layer(ctypes.Structure):
    """`got_vision_layer` of csrc/vision.h."""

    _fields_ = (
        ("norm1", ctypes.c_void_p),
        ("norm1_bias", ctypes.c_void_p),
        ("norm2", ctypes.c_void_p),
        ("norm2_bias", ctypes.c_void_p),
        ("qkv", LinearStruct),
        ("out", LinearStruct),
        ("up", LinearStruct),
        ("down", LinearStruct),
        ("window", ctypes.c_int32),
        ("rel_width", ctypes.c_int32),
        ("rel", ctypes.c_void_p),
    )


class _Vision(ctypes.Structure):
    """`got_vision`."""

    _fields_ = (
        ("channels", ctypes.c_int32),
        ("patch_rows", ctypes.c_int32),
        ("patch_columns", ctypes.c_int32),
        ("rows", ctypes.c_int32),
        ("columns", ctypes.c_int32),
        ("hidden", ctypes.c_int32),
        ("inner", ctypes.c_int32),
        ("heads", ctypes.c_int32),
        ("layers", ctypes.c_int32),
        ("eps", ctypes.c_float),
        ("neck_eps", ctypes.c_float),
        ("patch", LinearStruct),
        ("place", ctypes.c_void_p),
        ("layer", ctypes.c_void_p),
        ("neck1", LinearStruct),
        ("neck2", LinearStruct),
        ("neck_norm1", ctypes.c_void_p),
        ("neck_norm1_bias", ctypes.c_void_p),
        ("neck_norm2", ctypes.c_void_p),
        ("neck_norm2_bias", ctypes.c_void_p),
        ("down1", LinearStruct),
        ("down2", LinearStruct),
        ("connector", LinearStruct),
    )


class _Picture(ctypes.Structure):
    """`got_vision_picture`."""

    _fields_ = (("vision", ctypes.c_void_p), ("pixels", ctypes.c_void_p), ("out", ctypes.c_void_p))


@dataclass(frozen=True)
class PackedVisionLayer:
    """One layer's weights.

    Attributes:
        norm1, norm1_bias, norm2, norm2_bias: `(hidden,)` fp32.
        qkv: hidden -> queries of all heads, then keys, then values.
        out: hidden -> hidden.
        up: hidden -> inner, epilogue "gelu".
        down: inner -> hidden.
        window: side of the windows in patches; 0 for attention over the whole grid.
        rel: what `join_tables` gives, or None.
    """

    norm1: Tensor
    norm1_bias: Tensor
    norm2: Tensor
    norm2_bias: Tensor
    qkv: PackedLinear
    out: PackedLinear
    up: PackedLinear
    down: PackedLinear
    window: int
    rel: Tensor | None


@dataclass(frozen=True)
class PackedNeck:
    """What follows the layers: two convolutions with norms, two that halve the grid, one linear layer.

    A convolution is a linear layer over `(row, column, channel)` patches. Norm weights are `(channels,)` fp32.
    """

    neck1: PackedLinear
    norm1: Tensor
    norm1_bias: Tensor
    neck2: PackedLinear
    norm2: Tensor
    norm2_bias: Tensor
    down1: PackedLinear
    down2: PackedLinear
    connector: PackedLinear


def join_tables(rel_h: Tensor, rel_w: Tensor) -> Tensor:
    """Tables `(2 * rows - 1, head_dim)` and `(2 * columns - 1, head_dim)` -> one matrix `(head_dim, width)` fp32.

    Both are turned round, so that a query's products with them stand in the order of the keys.
    """
    joined = torch.cat([rel_h.flip(0), rel_w.flip(0)]).float()
    return F.pad(joined, (0, 0, 0, padded(len(joined)) - len(joined))).T.contiguous()


class NativeVision:
    """Patches, layers, neck and connector. One thread at a time may use it.

    Attributes:
        shape: of a picture: channels, height, width.
        seconds: None, or seconds spent in each of `PARTS`, fp64, which every picture adds to once it is set.
    """

    def __init__(
        self,
        patch: PackedLinear,
        place: Tensor | None,
        layers: Sequence[PackedVisionLayer],
        neck: PackedNeck,
        *,
        image_hw: tuple[int, int],
        patch_hw: tuple[int, int],
        heads: int,
        eps: float,
        neck_eps: float,
    ) -> None:
        """
        Args:
            patch: the patch embedding over `(channel, row, column)` patches.
            place: `(rows * columns, hidden)` fp32, or None.
            eps, neck_eps: of the norms in the layers and in the neck.
        """
        self.seconds: Tensor | None = None
        self._parts = patch, place, tuple(layers), neck  # what the structures point into
        self._workspace = torch.empty(0, dtype=torch.uint8)
        (height, width), (patch_rows, patch_columns) = image_hw, patch_hw
        rows, columns = height // patch_rows, width // patch_columns
        self.shape = (patch.inputs // (patch_rows * patch_columns), height, width)
        self._narrow: dict[int, tuple[_Vision, Tensor | None]] = {}  # by columns: structure, and its places
        self._structs = (_Layer * len(layers))(*map(_layer_struct, layers))
        self._struct = _Vision(
            channels=self.shape[0],
            patch_rows=patch_rows,
            patch_columns=patch_columns,
            rows=rows,
            columns=columns,
            hidden=patch.outputs,
            inner=layers[0].up.outputs,
            heads=heads,
            layers=len(layers),
            eps=eps,
            neck_eps=neck_eps,
            patch=patch.struct,
            place=None if place is None else place.data_ptr(),
            layer=ctypes.addressof(self._structs),
            neck1=neck.neck1.struct,
            neck2=neck.neck2.struct,
            neck_norm1=neck.norm1.data_ptr(),
            neck_norm1_bias=neck.norm1_bias.data_ptr(),
            neck_norm2=neck.norm2.data_ptr(),
            neck_norm2_bias=neck.norm2_bias.data_ptr(),
            down1=neck.down1.struct,
            down2=neck.down2.struct,
            connector=neck.connector.struct,
        )

    @property
    def nbytes(self) -> int:
        """Bytes of the packed linear layers."""
        patch, _, layers, neck = self._parts
        inside = [getattr(part, f.name) for part in (*layers, neck) for f in fields(part)]
        return patch.nbytes + sum(w.nbytes for w in inside if isinstance(w, PackedLinear))

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether pictures of this shape can be encoded.

        Besides `shape`, these are pictures that end further left, with an image token, where there are no relative
        positions.
        """
        unit = 4 * self._struct.patch_columns
        narrower = shape[:2] == self.shape[:2] and 0 < shape[2] < self.shape[2] and shape[2] % unit == 0
        return shape == self.shape or (narrower and all(layer.rel is None for layer in self._parts[2]))

    def encode(self, pixels: Tensor) -> Tensor:
        """One picture `(channels, height, width)` fp32, normalised -> `(tokens, text hidden)` fp32; see `takes`."""
        assert self.takes(tuple(pixels.shape)), "the caller checks the size"
        pixels = pixels.contiguous()
        struct = self._struct_for(pixels.shape[2])
        out = self._empty_features(struct)
        lib, vision = native(), ctypes.byref(struct)
        lib.got_vision_workspace.restype = ctypes.c_size_t
        workspace = self._workspace_of(lib.got_vision_workspace(vision))
        times = None if self.seconds is None else ctypes.c_void_p(self.seconds.data_ptr())
        lib.got_vision_encode(
            vision, ctypes.c_void_p(pixels.data_ptr()), ctypes.c_void_p(out.data_ptr()), ctypes.c_void_p(workspace),
            times,
        )  # fmt: skip
        return out

    def encode_each(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        """Several pictures, which may differ in width: what `encode` gives for each.

        Small ones are dealt out to the threads whole. Pages go through all threads together, one after another, and so
        does everything while seconds are measured.
        """
        assert all(self.takes(tuple(picture.shape)) for picture in pictures), "the caller checks the size"
        lib, team = native(), threads()
        structs = [self._struct_for(picture.shape[2]) for picture in pictures]
        lib.got_vision_workspace_alone.restype = ctypes.c_size_t
        each = max((lib.got_vision_workspace_alone(ctypes.byref(struct)) for struct in structs), default=0)
        if min(team, len(pictures)) < 2 or each > _KEPT or self.seconds is not None:
            return [self.encode(picture) for picture in pictures]
        stride = -(-each // 64) * 64
        workspace = self._workspace_of(team * stride)
        own = [picture.contiguous() for picture in pictures]
        found = [self._empty_features(struct) for struct in structs]
        jobs = [
            _Picture(ctypes.addressof(struct), picture.data_ptr(), out.data_ptr())
            for struct, picture, out in zip(structs, own, found, strict=True)
        ]
        jobs.sort(key=lambda job: -_Vision.from_address(job.vision).columns)  # the last ones are soon done
        lib.got_vision_encode_each(
            (_Picture * len(jobs))(*jobs), len(jobs), ctypes.c_void_p(workspace), ctypes.c_size_t(stride)
        )
        return found

    def _empty_features(self, struct: _Vision) -> Tensor:
        tokens = -(-struct.rows // 4) * -(-struct.columns // 4)
        return torch.empty(tokens, self._parts[3].connector.outputs)

    def _workspace_of(self, size: int) -> int:
        """Address of so many bytes on a 64-byte boundary."""
        if self._workspace.numel() < size + 64:
            self._workspace = torch.empty(size + 64, dtype=torch.uint8)
        return -(-self._workspace.data_ptr() // 64) * 64

    def _struct_for(self, width: int) -> _Vision:
        """The structure for pictures of this width."""
        whole, place = self._struct, self._parts[1]
        columns = width // whole.patch_columns
        if columns == whole.columns:
            return whole
        if columns not in self._narrow:
            own = None
            if place is not None:
                own = place.view(whole.rows, whole.columns, -1)[:, :columns].flatten(0, 1).contiguous()
            struct = _Vision.from_buffer_copy(whole)
            struct.columns = columns
            struct.place = None if own is None else own.data_ptr()
            self._narrow[columns] = struct, own
        return self._narrow[columns][0]

    def rest(self) -> None:
        """Gives the working memory back where it is much; the next picture takes it anew."""
        if self._workspace.nbytes > _KEPT * threads():
            self._workspace = torch.empty(0, dtype=torch.uint8)


def _layer_struct(layer: PackedVisionLayer) -> _Layer:
    return _Layer(
        layer.norm1.data_ptr(), layer.norm1_bias.data_ptr(), layer.norm2.data_ptr(), layer.norm2_bias.data_ptr(),
        layer.qkv.struct, layer.out.struct, layer.up.struct, layer.down.struct, layer.window,
        0 if layer.rel is None else layer.rel.shape[1], None if layer.rel is None else layer.rel.data_ptr(),
    )  # fmt: skip
