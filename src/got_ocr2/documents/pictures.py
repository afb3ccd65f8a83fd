"""Picture files and pictures in memory: every frame is a page, upright and RGB."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from ..errors import GotOcr2Error, InputError
from ..wording import printable, reason
from . import tiff
from .colors import managed
from .document import Document, Page
from .foreign import what_it_is
from .library_messages import silence_libraries
from .limits import Limits
from .page_ranges import PageRanges

if TYPE_CHECKING:
    from ..processing.images import ImageLike

# In other formats further "frames" are previews, gain maps or layers of the same picture, not pages.
_PAGED_FORMATS = frozenset({"AVIF", "DCX", "GIF", "PNG", "TIFF", "WEBP"})
# Decoding these hands the file to Ghostscript or to the operating system's drawing commands.
_REFUSED_FORMATS = frozenset({"EPS", "WMF"})
_WARNING_FILTERS = threading.Lock()  # they belong to the whole process


class PictureFile(Document):
    """A file that Pillow decodes; the frames of a TIFF, GIF, WebP, AVIF or animated PNG are its pages."""

    def __init__(
        self, stream: BinaryIO, name: str, *, pages: PageRanges | None = None, limits: Limits | None = None
    ) -> None:
        """Reads the header; takes over `stream`.

        Raises:
            InputError: not a picture, or larger than a limit.
            InvalidOptionError: a page was asked for that is not there.
        """
        silence_libraries()
        limits = limits or Limits()
        shown = printable(name)
        self._stream = stream
        self._lock = threading.Lock()  # the decoder keeps one position in the stream
        directories = tiff.pictures_of(stream)
        self._pages = tiff.pages_of(stream, directories)
        self._picture: Image.Image | None = None
        if len(self._pages) == 1:
            limits.check_pixels(shown, *self._pages[0].size)
        with _sentences(shown, stream), _without_size_warning():
            try:
                self._picture = Image.open(stream, formats=_formats())
                limits.check_pixels(shown, *self._picture.size)
            except UnidentifiedImageError:
                if not self._pages:
                    raise
            self._frames = range(0) if self._pages or self._picture is None else _frames(self._picture)
        super().__init__(name, len(self._pages or self._frames), pages, limits)

    def load(self, number: int) -> Page:
        from ..processing.images import load_whole, to_rgb

        name = self.page_name(number)
        with self._lock, _sentences(name), _without_size_warning():
            picture = self._tiff_page(number, name) if self._pages else self._frame(number, name)
            load_whole(picture)
            seen = to_rgb(managed(picture))
            # `to_rgb` gives its argument back where nothing is to be done; that one moves on to other frames.
            return Page(seen.copy() if seen is self._picture else seen, number, self.source)

    def _frame(self, number: int, name: str) -> Image.Image:
        assert self._picture is not None
        if len(self._frames) > 1:
            self._picture.seek(self._frames[number - 1])
        self.limits.check_pixels(name, *self._picture.size)
        return self._picture

    def _tiff_page(self, number: int, name: str) -> Image.Image:
        page = self._pages[number - 1]
        (width, height), (wider, higher) = page.size, page.stretch
        self.limits.check_pixels(name, width, height)
        square = round(width * wider), round(height * higher)
        if square != (width, height):
            self.limits.check_pixels(f"{name}, its pixels made square,", *square)
        if page.is_ours:
            picture = tiff.decoded(self._stream, page)
        elif self._picture is None or page.index < 0 or page.is_one_plane:
            picture = Image.open(tiff.rooted(self._stream, page), formats=["TIFF"])
        else:
            picture = self._picture
            picture.seek(page.index)
        if square == (width, height):
            return picture
        if page.number(274, 1) in range(5, 9) and page.is_ours:  # turned already
            square = (square[1], square[0])
        from ..processing.images import load_whole

        load_whole(picture)
        orientation = 1 if page.is_ours else picture.getexif().get(274, 1)
        larger = _smooth(picture).resize(square, Image.Resampling.BICUBIC)
        larger.getexif()[274] = orientation
        return larger

    def close(self) -> None:
        if self._picture is not None:
            self._picture.close()
        self._stream.close()


class PictureInMemory(Document):
    """A Pillow image (the frame it stands at), an array or a tensor; the caller's object is left as it is."""

    def __init__(
        self, picture: ImageLike, name: str, *, pages: PageRanges | None = None, limits: Limits | None = None
    ) -> None:
        """Takes the picture.

        Raises:
            InputError: a picture larger than a limit.
            InvalidOptionError: a page other than 1 was asked for.
        """
        super().__init__(name, 1, pages, limits or Limits())
        if isinstance(picture, Image.Image):  # may not be decoded yet
            self.limits.check_pixels(self.name, *picture.size)
        self._picture = picture

    def load(self, number: int) -> Page:
        from ..processing.images import as_rgb, load_whole

        picture = self._picture
        if isinstance(picture, Image.Image):
            with _sentences(self.name):
                load_whole(picture)
                picture = managed(picture)
        return Page(as_rgb(picture), number, self.source)

    def close(self) -> None:
        """Nothing to close: the picture belongs to the caller."""


def _formats() -> list[str]:
    Image.init()
    _register_heif()
    return [name for name in Image.ID if name not in _REFUSED_FORMATS]


def _register_heif() -> None:
    """Makes Pillow read HEIC where its plugin is installed."""
    if "HEIF" in Image.ID:
        return
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports, reportMissingTypeStubs]
    except ImportError:
        return
    plugin: Any = pillow_heif
    plugin.register_heif_opener()


def _frames(picture: Image.Image) -> range:
    """Indices of the frames that are pages; a damaged file may claim any number of them."""
    return range(int(getattr(picture, "n_frames", 1)) if picture.format in _PAGED_FORMATS else 1)


def _smooth(picture: Image.Image) -> Image.Image:
    """In a mode whose values can be averaged."""
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode in ("P", "PA"):
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture


@contextmanager
def _sentences(name: str, stream: BinaryIO | None = None) -> Generator[None]:
    """Turns whatever Pillow raises into one sentence; damaged files make decoders raise nearly anything."""
    try:
        yield
    except GotOcr2Error:
        raise
    except UnidentifiedImageError as e:
        raise InputError(f"{name} is {what_it_is(stream)}.") from e
    except Image.DecompressionBombError as e:
        raise InputError(f"{name} is too large for Pillow: {reason(e)}.") from e
    except Exception as e:
        raise InputError(f"{name} is damaged and cannot be decoded: {reason(e)}.") from e


@contextmanager
def _without_size_warning() -> Generator[None]:
    """Our own limit takes the place of Pillow's warning."""
    with _WARNING_FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield
