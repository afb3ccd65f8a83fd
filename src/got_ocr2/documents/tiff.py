"""TIFF files: which of their pictures are pages, and the samples that Pillow does not read.

Adobe, TIFF Revision 6.0 (1992), and its supplements. Pillow parses directories and libtiff unpacks the data; what is
done here is to take samples of any width out of the bytes, and to give them the meaning that the tags say.
"""

# What a view of an array holds is not known to type checkers.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnnecessaryComparison=false, reportUnnecessaryIsInstance=false
from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from ..errors import InputError

# Tags (TIFF 6.0, section 8 and part 2).
_SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 254, 255
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIPS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES = 273, 277, 278, 279
_X_RESOLUTION, _Y_RESOLUTION, _PLANAR, _PREDICTOR = 282, 283, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _SUB_FILES = 322, 323, 324, 325, 330
_EXTRA_SAMPLES, _FORMAT, _PROFILE = 338, 339, 34675
_PREMULTIPLIED, _OPACITY = 1, 2  # kinds of extra samples

_REDUCED, _MASK = 1, 4  # bits of the subfile type
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _MASK_MEANING = 0, 1, 2, 4
_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4
_BYTEWISE = {1, 5, 8, 32773, 32946, 34925, 50000}  # none, LZW, Deflate (twice), PackBits, LZMA, Zstandard
_MOST_PICTURES = 100_000
_MOST_SAMPLES = 64  # a pixel; satellite pictures have a dozen
_BAND = 1 << 20  # samples that are widened at a time
_UNEQUAL, _ABSURD = 1.08, 5.0  # ratios of resolutions between which pixels are made square
# What Pillow's parser raises on damaged directories: a bad header, tags without values, values that are cut off, places
# beyond what a file can have.
_DAMAGE = (SyntaxError, LookupError, ValueError, struct.error, OverflowError, OSError)
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def is_tiff(head: bytes) -> bool:
    """Whether a file begins like a TIFF or BigTIFF."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class Picture:
    """One directory of the file.

    Attributes:
        index: its place in the chain of directories, from 0; -1 for one that hangs below another.
        offset: where it stands in the file.
        tags: what it says.
        order: byte order of the file, "<" or ">".
    """

    index: int
    offset: int
    tags: dict[int, Any] = field(repr=False)
    order: str

    def number(self, tag: int, default: int = 0) -> int:
        """The first number of a tag."""
        value = self.tags.get(tag, default)
        value = value[0] if isinstance(value, tuple) and value else value
        return int(value) if isinstance(value, (int, float)) and math.isfinite(value) else default

    def numbers(self, tag: int) -> tuple[int, ...]:
        """All numbers of a tag."""
        value = self.tags.get(tag, ())
        return tuple(value) if isinstance(value, tuple) else (value,)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.number(_WIDTH), self.number(_HEIGHT)

    @property
    def is_page(self) -> bool:
        """Neither a reduced copy of another picture nor the mask of one."""
        if _SUBFILE_TYPE in self.tags:
            if self.number(_SUBFILE_TYPE) & (_REDUCED | _MASK):
                return False
        elif self.number(_OLD_SUBFILE_TYPE) == 2:
            return False
        return self.number(_PHOTOMETRIC) != _MASK_MEANING

    @property
    def is_ours(self) -> bool:
        """Grey or RGB samples that Pillow does not read, or reads without their meaning."""
        bits = set(self.numbers(_BITS) or (1,))
        kinds = set(self.numbers(_FORMAT) or (_UNSIGNED,))
        meaning = self.number(_PHOTOMETRIC, _WHITE_IS_ZERO)
        if self.number(_COMPRESSION, 1) not in _BYTEWISE or len(bits) > 1 or len(kinds) > 1:
            return False
        (width,), (kind,) = bits, kinds
        if kind == _FLOAT:
            known = width in (16, 32, 64)
        else:
            known = kind in (_UNSIGNED, _SIGNED, _UNDEFINED) and (1 <= width <= 32 or width == 64)
        samples, together = self.number(_SAMPLES, 1), self.number(_PLANAR, 1) == 1
        if meaning == _RGB:
            pillow = kind == _UNSIGNED and width in (8, 16) and together and samples <= 4
            return known and not pillow and 3 <= samples <= _MOST_SAMPLES
        pillow = kind == _UNSIGNED and width in (1, 2, 4, 8) and together and samples == 1
        if meaning == _MASK_MEANING:
            return known and samples == 1
        known = known and 1 <= samples <= _MOST_SAMPLES
        return known and not pillow and meaning in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)

    @property
    def is_one_plane(self) -> bool:
        """Says that its planes are stored apart, and has but one; Pillow misreads that."""
        return self.number(_PLANAR, 1) == 2 and self.number(_SAMPLES, 1) == 1

    @property
    def stretch(self) -> tuple[float, float]:
        """By how much width and height grow so that pixels are square, as those of fax pages are not."""
        x, y = (self.tags.get(tag) for tag in (_X_RESOLUTION, _Y_RESOLUTION))
        try:
            x, y = float(x), float(y)  # type: ignore[arg-type]
        except (TypeError, ValueError, ZeroDivisionError):
            return 1.0, 1.0
        if not (math.isfinite(x) and math.isfinite(y) and x > 0 and y > 0):
            return 1.0, 1.0
        if not _UNEQUAL < max(x, y) / min(x, y) < _ABSURD:
            return 1.0, 1.0
        return (y / x, 1.0) if x < y else (1.0, x / y)


def pictures_of(stream: BinaryIO) -> list[Picture]:
    """The directories of a TIFF in their order, as far as they can be parsed; none if the file is no TIFF.

    Where not even the first can be, Pillow's own words say why.
    """
    found: list[Picture] = []
    with suppress(*_DAMAGE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about tags that nobody needs
        found.extend(_chain(stream, -1, 0))
    stream.seek(0)
    return found


def pages_of(stream: BinaryIO, pictures: list[Picture]) -> list[Picture]:
    """Those that are pages. Where all are reduced copies, what they are copies of may hang below them; else all."""
    pages = [picture for picture in pictures if picture.is_page]
    if pages or not pictures:
        return pages
    below = [one for picture in pictures for one in _below(stream, picture) if one.is_page]
    readable = [one for one in below if one.number(_PHOTOMETRIC) in (0, 1, 2, 3, 5, 6, 8)]
    plain = [picture for picture in pictures if not picture.number(_SUBFILE_TYPE) & _MASK]
    return readable or plain or pictures


def rooted(stream: BinaryIO, picture: Picture) -> BinaryIO:
    """The file as if this picture were its first, for decoders that always look at the first one, and its samples
    stood together if there is one a pixel."""
    stream.seek(0)
    data = bytearray(stream.read())
    order, big = picture.order, b"+" in data[2:4]
    struct.pack_into(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4, picture.offset)
    if picture.is_one_plane:
        (count,) = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, picture.offset)
        start, size, value = picture.offset + (8 if big else 2), 20 if big else 12, 12 if big else 8
        for entry in range(start, start + count * size, size):
            tag, kind = struct.unpack_from(f"{order}HH", data, entry)
            if tag == _PLANAR:
                struct.pack_into(f"{order}{'H' if kind == 3 else 'I'}", data, entry + value, 1)
    return io.BytesIO(data)


def decoded(stream: BinaryIO, picture: Picture) -> Image.Image:
    """The picture in 8 bits a sample: "L" or "RGB", or with opacity "LA" or "RGBA".

    Memory stays near that of the result: samples are widened a band at a time. Whole numbers without sign span their
    width; see `_span` for the others.

    Raises:
        InputError: the tags contradict each other, data are missing, or nothing in the picture is a finite number.
    """
    width, height = picture.size
    samples = max(1, picture.number(_SAMPLES, 1))
    colors = 3 if picture.number(_PHOTOMETRIC) == _RGB else 1
    extra = picture.numbers(_EXTRA_SAMPLES)
    opacity = next((n for n, kind in enumerate(extra) if kind in (_PREMULTIPLIED, _OPACITY)), None)
    chosen = [*range(colors)] + ([] if opacity is None or colors + opacity >= samples else [colors + opacity])
    low, high = _span(picture, lambda: _bands(stream, picture, samples, range(colors)))
    out = np.empty((height, width, len(chosen)), np.uint8)
    for top, left, values in _bands(stream, picture, samples, chosen):
        part = out[top : top + values.shape[0], left : left + values.shape[1]]
        scaled = np.nan_to_num((values.astype(np.float32) - low) / ((high - low) or 1.0), nan=1.0)
        part[...] = np.rint(np.clip(scaled, 0.0, 1.0) * 255.0)
    if picture.number(_PHOTOMETRIC, _WHITE_IS_ZERO) == _WHITE_IS_ZERO:
        np.subtract(255, out[..., 0], out=out[..., 0])
    modes = {(1, 1): "L", (1, 2): "LA", (3, 3): "RGB", (3, 4): "RGBA"}
    mode = modes[colors, len(chosen)]
    if len(chosen) > colors and extra[opacity or 0] == _PREMULTIPLIED:
        # On white, as whoever looks at it later would do.
        part = out[..., :colors]
        part[...] = np.minimum(part.astype(np.uint16) + (255 - out[..., colors:]), 255)
        mode, out = modes[colors, colors], part
    image = Image.fromarray(np.ascontiguousarray(out[..., 0] if mode == "L" else out), mode)
    if isinstance(profile := picture.tags.get(_PROFILE), bytes):
        image.info["icc_profile"] = profile
    return _turned(image, picture.number(274, 1))


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }  # fmt: skip
    return image.transpose(turns[orientation]) if orientation in turns else image


def _span(picture: Picture, bands: Any) -> tuple[float, float]:
    """The values of black and white, or of white and black.

    Whole numbers without sign span their width up to 16 bits. Of longer ones, and of those with a sign, the range says
    nothing: they count as 8, 15 or 16 bits, or as what their width leaves beside the sign, if nothing is above or
    below. Floats count as 0..1 if they stay there. Else the darkest value is black and the lightest white.
    """
    bits, kind = picture.numbers(_BITS)[0] if _BITS in picture.tags else 1, picture.number(_FORMAT, _UNSIGNED)
    if kind in (_UNSIGNED, _UNDEFINED) and bits <= 16:
        return 0.0, float(2**bits - 1)
    low, high = math.inf, -math.inf
    for _, _, values in bands():
        finite = values[np.isfinite(values)] if kind == _FLOAT else values
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if low > high:
        raise InputError("The image holds no value that is a finite number.")
    if low >= 0:
        signed = kind == _SIGNED and bits <= 16
        whole = (255.0,) * (bits > 8) + (2.0 ** (bits - 1) - 1,) if signed else (255.0, 32767.0, 65535.0)
        return next(((0.0, top) for top in ((1.0,) if kind == _FLOAT else whole) if high <= top), (low, high))
    return low, high


def _bands(
    stream: BinaryIO, picture: Picture, samples: int, chosen: Any
) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Top, left and values (rows, columns, chosen samples) of every piece of the picture."""
    planar = picture.number(_PLANAR, 1) == 2 and samples > 1
    chosen = list(chosen)
    if not planar:
        for top, left, values in _plane(stream, picture, samples, 0):
            yield top, left, values[..., chosen]
        return
    planes = [_plane(stream, picture, 1, sample) for sample in chosen]
    for parts in zip(*planes, strict=True):
        yield parts[0][0], parts[0][1], np.concatenate([values for _, _, values in parts], axis=-1)


def _plane(
    stream: BinaryIO, picture: Picture, samples: int, plane: int
) -> Iterator[tuple[int, int, NDArray[Any]]]:
    width, height = picture.size
    tiled = _TILES in picture.tags
    if tiled:
        across, down = picture.number(_TILE_WIDTH), picture.number(_TILE_HEIGHT)
        offsets, counts = picture.numbers(_TILES), picture.numbers(_TILE_BYTES)
    else:
        across = width
        down = min(picture.number(_ROWS_PER_STRIP, height) or height, height)
        offsets, counts = picture.numbers(_STRIPS), picture.numbers(_STRIP_BYTES)
    if across < 1 or down < 1:
        raise InputError(f"Its pieces are {across} x {down} pixels.")
    columns, rows = -(-width // across), -(-height // down)
    first = plane * columns * rows
    if len(offsets) < first + columns * rows or len(counts) < first + columns * rows:
        raise InputError(f"It names {len(offsets)} pieces of {first + columns * rows}.")
    bits = picture.numbers(_BITS)[0] if _BITS in picture.tags else 1
    row_bytes = -(-across * samples * bits // 8)
    for number in range(columns * rows):
        top, left = number // columns * down, number % columns * across
        lines = down if tiled else min(down, height - top)
        stream.seek(offsets[first + number])
        packed = stream.read(counts[first + number])
        data = _unpacked(packed, picture, row_bytes, lines)
        step = max(1, _BAND // max(1, across * samples))
        for start in range(0, min(lines, height - top), step):
            part = data[start : min(start + step, height - top)]
            values = _samples(part, picture, bits, across, samples)
            yield top + start, left, values[:, : width - left]


def _unpacked(packed: bytes, picture: Picture, row_bytes: int, lines: int) -> NDArray[np.uint8]:
    """The bytes (lines, row_bytes) of a strip or tile; libtiff takes them for an 8-bit picture."""
    compression = picture.number(_COMPRESSION, 1)
    if picture.number(_FILL_ORDER, 1) == 2:
        packed = packed.translate(_REVERSED)
    if compression == 1:
        data: Any = np.frombuffer(packed, np.uint8)
        if data.size < row_bytes * lines:
            raise InputError(f"A piece of it has {data.size} bytes of {row_bytes * lines}.")
        return data[: row_bytes * lines].reshape(lines, row_bytes)
    tags = (
        (_WIDTH, row_bytes), (_HEIGHT, lines), (_BITS, 8), (_COMPRESSION, compression), (_PHOTOMETRIC, 1),
        (_STRIPS, 122), (_SAMPLES, 1), (_ROWS_PER_STRIP, lines), (_STRIP_BYTES, len(packed)),
    )  # fmt: skip
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    file = b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + bytes(4) + packed
    with Image.open(io.BytesIO(file), formats=["TIFF"]) as image:
        return np.asarray(image)


def _samples(data: NDArray[np.uint8], picture: Picture, bits: int, across: int, samples: int) -> NDArray[Any]:
    """Bytes (rows, row_bytes) -> numbers (rows, across, samples), with the predictor undone (sections 14 and TN3)."""
    kind, predictor = picture.number(_FORMAT, _UNSIGNED), picture.number(_PREDICTOR, 1)
    rows, count = len(data), across * samples
    if picture.number(_COMPRESSION, 1) in (1, 32773):
        predictor = 1
    if predictor == 3:
        return _float_predicted(data, bits, across, samples)
    if bits in (8, 16, 32, 64):
        order = picture.order
        letter = {_FLOAT: "f", _SIGNED: "i"}.get(kind, "u")
        numbers: Any = np.ascontiguousarray(data)[:, : count * bits // 8].view(f"{order}{letter}{bits // 8}")
        numbers = numbers.reshape(rows, across, samples)
        if predictor == 2 and kind != _FLOAT:
            native = numbers.astype(numbers.dtype.newbyteorder("="))
            numbers = np.cumsum(native, axis=1, dtype=native.dtype)
        return numbers
    if predictor == 2:
        raise InputError(f"Differences of samples of {bits} bits have no meaning.")
    if bits == 24 and picture.order == "<":
        data = data[:, : count * 3].reshape(rows, count, 3)[..., ::-1].reshape(rows, -1)
    ones = np.unpackbits(data, axis=1)[:, : count * bits].reshape(rows, count, bits)
    numbers = np.zeros((rows, count), np.uint32)
    for place in range(bits):
        numbers = (numbers << np.uint32(1)) | ones[..., place]
    if kind == _SIGNED:
        sign = np.int64(1) << (bits - 1)
        numbers = (numbers.astype(np.int64) ^ sign) - sign
    return numbers.reshape(rows, across, samples)


def _float_predicted(data: NDArray[np.uint8], bits: int, across: int, samples: int) -> NDArray[Any]:
    """Adobe Photoshop TIFF Technical Note 3: differences of bytes, the most significant of all samples first."""
    rows, size = len(data), bits // 8
    steps = data.reshape(rows, -1, samples)
    planes = np.cumsum(steps, axis=1, dtype=np.uint8).reshape(rows, size, across * samples)
    together = np.ascontiguousarray(planes.transpose(0, 2, 1))
    return together.view(f">f{size}").reshape(rows, across, samples)


def _chain(stream: BinaryIO, start: int, index: int) -> Iterator[Picture]:
    stream.seek(0)
    header = stream.read(16)
    if not is_tiff(header):
        return
    big = b"+" in header[2:4]
    directory: Any = TiffImagePlugin.ImageFileDirectory_v2(header[: 16 if big else 8])
    place = directory.next if start < 0 else start
    order = "<" if header[:2] == b"II" else ">"
    seen: set[int] = set()
    while place and place not in seen and len(seen) < _MOST_PICTURES:
        seen.add(place)
        stream.seek(place)
        directory.load(stream)
        yield Picture(index, place, {tag: directory[tag] for tag in directory}, order)
        if start >= 0:
            return
        index += 1
        place = directory.next


def _below(stream: BinaryIO, picture: Picture) -> Iterator[Picture]:
    for place in picture.numbers(_SUB_FILES):
        if isinstance(place, int) and place > 0:
            with suppress(*_DAMAGE):
                yield from _chain(stream, place, -1)
