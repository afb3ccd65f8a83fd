"""Pictures as pages of a PDF, without loss: JPEG data as it is, pixels of anything else compressed by Flate."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from ...errors import FileAccessError, InputError
from ...extras import need
from ...wording import printable, reason

Picture = Image.Image | bytes | str | os.PathLike[str]
DEFAULT_DPI = 200.0  # of pictures that do not say
_ORIENTATION = 0x0112  # EXIF
_PAGED = frozenset({"AVIF", "DCX", "GIF", "PNG", "TIFF", "WEBP"})
_REFUSED = frozenset({"EPS", "WMF"})
_SUBFILE_TYPE = 254  # TIFF tag; bit 0 marks a reduced copy of another page
# EXIF orientation -> matrix from the unit square of the stored picture to the unit square of the seen one.
_TURNS = {
    1: (1, 0, 0, 1, 0, 0), 2: (-1, 0, 0, 1, 1, 0), 3: (-1, 0, 0, -1, 1, 1), 4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1), 6: (0, -1, 1, 0, 0, 1), 7: (0, 1, 1, 0, 0, 0), 8: (0, 1, -1, 0, 1, 0),
}  # fmt: skip


def pdf_of_pictures(
    pictures: Picture | Sequence[Picture], dpi: float | None = None
) -> tuple[Any, list[tuple[int, int]]]:
    """A `pikepdf.Pdf` with a page for each picture (each frame of one with several), upright, and their sizes.

    Args:
        pictures: one or more; bytes and paths are encoded picture files.
        dpi: pixels per inch; None takes what the picture says, or 200.

    Returns:
        The document, and width and height in pixels of every page as it is seen.

    Raises:
        FileAccessError, InputError: a picture cannot be read, or holds numbers that PDF has no place for.
    """
    pike = need("pikepdf", "Writing PDFs", extra="render")
    pdf, sizes = pike.new(), list[tuple[int, int]]()
    several = [pictures] if isinstance(pictures, (Image.Image, bytes, str, os.PathLike)) else list(pictures)
    for picture in several:
        if isinstance(picture, Image.Image):
            sizes.append(_add(pdf, picture, None, dpi))
            continue
        name = "<bytes>" if isinstance(picture, bytes) else printable(picture)
        try:
            data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        except OSError as e:
            raise FileAccessError(f"{name} cannot be read: {reason(e)}.") from e
        try:
            opened = Image.open(io.BytesIO(data))
            with opened:
                if opened.format in _REFUSED:
                    raise InputError(f"{name} is an {opened.format} file, which is drawn by other programs.")
                for _ in _frames(opened):
                    sizes.append(_add(pdf, opened, data if opened.format == "JPEG" else None, dpi))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as e:
            if isinstance(e, InputError):
                raise
            raise InputError(f"{name} is not a picture that can be opened: {reason(e)}.") from e
    return pdf, sizes


def _frames(opened: Image.Image) -> Iterator[Image.Image]:
    """The frames that are pages, as `documents.pictures` counts them: no previews and no reduced copies."""
    for frame in range(getattr(opened, "n_frames", 1) if opened.format in _PAGED else 1):
        opened.seek(frame)
        tags: Any = getattr(opened, "tag_v2", {})
        if frame == 0 or not int(tags.get(_SUBFILE_TYPE, 0)) & 1:
            yield opened


def _add(pdf: Any, picture: Image.Image, jpeg: bytes | None, dpi: float | None) -> tuple[int, int]:
    if dpi is None:
        said = picture.info.get("dpi", (0, 0))[0]
        dpi = float(said) if 30 <= said <= 5000 else DEFAULT_DPI
    turn = int(picture.getexif().get(_ORIENTATION, 1))
    if jpeg is None or picture.mode not in ("L", "RGB", "CMYK"):
        picture, turn, jpeg = ImageOps.exif_transpose(picture), 1, None
    matrix = _TURNS.get(turn, _TURNS[1])
    width, height = picture.size if matrix[0] else picture.size[::-1]
    w, h = width * 72 / dpi, height * 72 / dpi
    pike = need("pikepdf", "Writing PDFs", extra="render")
    page = pdf.add_blank_page(page_size=(w, h))
    image = _xobject(pdf, picture, jpeg)
    page.obj.Resources = pike.Dictionary(XObject=pike.Dictionary(Im=image))
    placed = [matrix[0] * w, matrix[1] * h, matrix[2] * w, matrix[3] * h, matrix[4] * w, matrix[5] * h]
    numbers = " ".join(f"{number:.4f}" for number in placed)
    page.obj.Contents = pdf.make_stream(f"q {numbers} cm /Im Do Q\n".encode("ascii"))
    return width, height


def _xobject(pdf: Any, picture: Image.Image, jpeg: bytes | None) -> Any:
    pike = need("pikepdf", "Writing PDFs", extra="render")
    name = pike.Name
    if jpeg is not None:
        stream = pdf.make_stream(jpeg)
        stream.Filter, bits = name.DCTDecode, 8
        if picture.mode == "CMYK" and "adobe" in picture.info:
            stream.Decode = [1, 0] * 4  # Adobe stores ink inverted
        mode, mask = picture.mode, None
    else:
        picture, mask = _split(picture)
        mode, bits = picture.mode, {"1": 1, "I;16": 16}.get(picture.mode, 8)
        pixels = picture.tobytes("raw", "I;16B") if bits == 16 else picture.tobytes()
        stream = pdf.make_stream(zlib.compress(pixels, 6))
        stream.Filter = name.FlateDecode
    stream.Type, stream.Subtype = name.XObject, name.Image
    stream.Width, stream.Height = picture.size
    stream.BitsPerComponent = bits
    stream.ColorSpace = _colours(pdf, picture, mode)
    if mask is not None:
        stream.SMask = _xobject(pdf, mask, None)
    return stream


def _split(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """A picture in a mode that PDF has, and its transparency."""
    if picture.mode in ("PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("LA" if picture.mode == "La" else "RGBA")
    if picture.mode in ("LA", "RGBA"):
        return picture.convert(picture.mode[:-1]), picture.getchannel("A")
    if picture.mode == "I;16B":
        picture = picture.convert("I;16")
    if picture.mode in ("YCbCr", "HSV", "LAB"):
        picture = picture.convert("RGB")
    if picture.mode not in ("1", "L", "P", "RGB", "CMYK", "I;16"):
        raise InputError(
            f"A picture of mode {picture.mode} has no place in a PDF; convert it to L or RGB first."
        )
    return picture, None


def _colours(pdf: Any, picture: Image.Image, mode: str) -> Any:
    pike = need("pikepdf", "Writing PDFs", extra="render")
    name = pike.Name
    if mode == "P":
        palette = picture.getpalette("RGB") or []
        return pike.Array([name.Indexed, name.DeviceRGB, len(palette) // 3 - 1, pike.String(bytes(palette))])
    plain, count = {"RGB": (name.DeviceRGB, 3), "CMYK": (name.DeviceCMYK, 4)}.get(mode, (name.DeviceGray, 1))
    profile = picture.info.get("icc_profile")
    kind = {3: b"RGB ", 4: b"CMYK", 1: b"GRAY"}[count]
    if profile and profile[16:20] == kind and mode != "1":
        stream = pdf.make_stream(profile)
        stream.N, stream.Alternate = count, plain
        return pike.Array([name.ICCBased, stream])
    return plain
