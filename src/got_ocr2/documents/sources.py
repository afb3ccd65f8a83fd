"""From whatever people hand over to open documents."""

from __future__ import annotations

import glob
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, TypeGuard, cast

import numpy as np
from PIL import Image

from ..errors import FileAccessError, InputError, InvalidOptionError
from ..wording import printable, reason
from .document import Document, Page
from .fetch import fetch, is_url, read_stdin, read_stream
from .limits import Limits
from .page_ranges import PageRanges
from .pdf import DEFAULT_DPI, PdfFile, is_pdf
from .pictures import PictureFile, PictureInMemory

if TYPE_CHECKING:
    from ..processing.images import ImageLike

    Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | ImageLike

_HEAD = 1024
# What a folder is searched for; a file named on its own may be called anything.
SUFFIXES = (
    ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".jxl",
    ".pbm", ".pcx", ".pdf", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip


def expand(source: Source, *, recursive: bool = False) -> list[Source]:
    """The documents behind one source: the files of a folder or pattern, or the source itself.

    Files are in natural order ("page 2" before "page 10"); hidden files and folders are left out.

    Args:
        source: a folder or a pattern such as `scans/*.png`, or any other source.
        recursive: also search the folders within a folder.

    Raises:
        InputError: a folder without a picture or PDF.
        FileAccessError: nothing matches the pattern, or the folder may not be read.
    """
    if not isinstance(source, (str, os.PathLike)) or source in ("", "-"):
        return [source]
    if isinstance(source, str) and is_url(source):
        return [source]
    path = Path(source)
    if os.path.isdir(path):
        return [*_folder(path, recursive)]
    if not glob.has_magic(str(path)) or os.path.exists(path):
        return [source]
    matches = [Path(match) for match in glob.glob(str(path), recursive=True)]
    files = sorted((match for match in matches if match.is_file()), key=natural_key)
    if not files:
        raise FileAccessError(f"No file matches {printable(path)}.")
    return [*files]


def open_document(
    source: Source,
    *,
    pages: str | int | Iterable[int] | PageRanges | None = None,
    dpi: float = DEFAULT_DPI,
    password: str | None = None,
    limits: Limits | None = None,
) -> Document:
    """Opens one document; use it as a context manager.

    Args:
        source: a path, an `http(s)` or `data:` address, "-" for standard input, bytes, an open binary file, a
            Pillow image, an array or a tensor (see `processing.images.as_rgb`).
        pages: which pages to read, such as "1-4,7,9-"; all when None.
        dpi: pixels per inch for the pages of a PDF.
        password: for an encrypted PDF.
        limits: what is refused.

    Returns:
        A `PdfFile`, `PictureFile` or `PictureInMemory`.

    Raises:
        FileAccessError: missing, a folder, or not to be read.
        EncryptedDocumentError: the password is missing or wrong.
        InputError: empty, damaged, not a document, or above a limit.
        InvalidOptionError: an option that cannot be met.
    """
    limits = limits or Limits()
    ranges = pages if pages is None or isinstance(pages, PageRanges) else PageRanges.parse(pages)
    if _is_picture(source):
        return PictureInMemory(source, source_name(source), pages=ranges, limits=limits)
    stream, name = _open_stream(source, limits)
    try:
        head = stream.read(_HEAD)
        stream.seek(0)
        if is_pdf(head):
            return PdfFile(stream, name, pages=ranges, dpi=dpi, password=password, limits=limits)
        return PictureFile(stream, name, pages=ranges, limits=limits)
    except BaseException:
        stream.close()
        raise


def open_source(
    source: Source,
    *,
    pages: str | int | Iterable[int] | PageRanges | None = None,
    dpi: float = DEFAULT_DPI,
    password: str | None = None,
    recursive: bool = False,
    limits: Limits | None = None,
) -> Iterator[Page]:
    """Yields the pages of a source one after another, each decoded only when it is asked for.

    The arguments and errors are those of `expand` and `open_document`; a folder or pattern gives the pages of
    all its documents.
    """
    for item in expand(source, recursive=recursive):
        with open_document(item, pages=pages, dpi=dpi, password=password, limits=limits) as document:
            yield from document


def source_name(source: object) -> str:
    """What results call a source, without opening it: a path exactly as it was given.

    Messages show it through `wording.printable`.
    """
    if isinstance(source, str) and source == "-":
        return "<stdin>"
    if isinstance(source, str) and source[:5].lower() == "data:":
        return "<data>"
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(cast("str | os.PathLike[str]", source))
    if isinstance(source, Image.Image):
        return str(getattr(source, "filename", "") or "<image>")
    if _is_picture(source):
        return "<array>"
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "<bytes>"
    return str(getattr(source, "name", None) or "<stream>")


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sorts names by the numbers in them: "page 2" comes before "page 10"."""
    return [
        (0, int(part), part) if part.isdecimal() else (1, 0, part.casefold())
        for part in re.split(r"([0-9]+)", str(path))
        if part
    ]


def _is_picture(source: object) -> TypeGuard[ImageLike]:
    if isinstance(source, (Image.Image, np.ndarray)):
        return True
    torch = sys.modules.get("torch")  # a tensor can only exist where torch has been imported already
    return torch is not None and isinstance(source, torch.Tensor)


def _open_stream(source: Source, limits: Limits) -> tuple[BinaryIO, str]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        limits.check_bytes("<bytes>", len(data))
        return io.BytesIO(data), "<bytes>"
    if isinstance(source, str) and source == "-":
        return read_stdin(limits)
    if isinstance(source, str) and is_url(source):
        return fetch(source, limits)
    if isinstance(source, (str, os.PathLike)):
        return _open_file(os.fspath(source), limits)
    if hasattr(source, "read"):
        return read_stream(cast(BinaryIO, source), limits)
    raise InvalidOptionError(
        "A document is a path, an address, bytes, an open binary file, a Pillow image or a numpy array, got "
        f"{type(source).__name__}."
    )


def _open_file(path: str, limits: Limits) -> tuple[BinaryIO, str]:
    name = printable(path)
    if not path:
        raise FileAccessError("An empty text names no document.")
    try:
        if os.path.isdir(path):
            raise FileAccessError(f"{name} is a folder; one document is needed here.")
        stream = open(path, "rb")  # noqa: SIM115
    except FileNotFoundError as e:
        raise FileAccessError(f"{name} does not exist.") from e
    except FileAccessError:
        raise
    except (OSError, ValueError) as e:  # ValueError: a null byte in the name
        raise FileAccessError(f"{name} cannot be read: {reason(e)}.") from e
    if not stream.seekable():  # a pipe
        with stream:
            return read_stream(stream, limits)[0], path
    try:
        limits.check_bytes(name, stream.seek(0, os.SEEK_END))
        stream.seek(0)
    except BaseException:
        stream.close()
        raise
    return stream, path


def _folder(path: Path, recursive: bool) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise FileAccessError(f"{printable(path)} cannot be read: {reason(error)}.") from error

    found: list[Path] = []
    for root, folders, names in os.walk(path, onerror=refuse):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        found += (
            Path(root, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
        )
    if not found:
        raise InputError(f"The folder {printable(path)} holds no picture and no PDF.")
    return sorted(found, key=natural_key)
