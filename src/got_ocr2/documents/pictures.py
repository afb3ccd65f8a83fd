"""Picture files and pictures in memory: every frame is a page, upright and RGB."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from ..errors import GotOcr2Error, InputError
from ..wording import reason
from .document import Document, Page
from .limits import Limits
from .page_ranges import PageRanges

if TYPE_CHECKING:
    from ..processing.images import ImageLike

# In other formats further "frames" are previews, gain maps or layers of the same picture, not pages.
_PAGED_FORMATS = frozenset({"AVIF", "DCX", "GIF", "PNG", "TIFF", "WEBP"})
# Decoding these hands the file to Ghostscript or to the operating system's drawing commands.
_REFUSED_FORMATS = frozenset({"EPS", "WMF"})
_SUBFILE_TYPE = 254  # TIFF tag; bit 0 marks a reduced copy of another page
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
        limits = limits or Limits()
        self._stream = stream
        self._lock = threading.Lock()  # the decoder keeps one position in the stream
        with _sentences(name), _without_size_warning():
            self._picture = Image.open(stream, formats=_formats())
            limits.check_pixels(name, *self._picture.size)
            self._frames = _page_frames(self._picture)
        super().__init__(name, len(self._frames), pages, limits)

    def load(self, number: int) -> Page:
        from ..processing.images import to_rgb

        name = self.page_name(number)
        with self._lock, _sentences(name):
            if len(self._frames) > 1:
                self._picture.seek(self._frames[number - 1])
            self.limits.check_pixels(name, *self._picture.size)
            self._picture.load()
            seen = to_rgb(self._picture)
            # `to_rgb` gives its argument back where nothing is to be done; that one moves on to other frames.
            return Page(seen.copy() if seen is self._picture else seen, number, self.name)

    def close(self) -> None:
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
            self.limits.check_pixels(name, *picture.size)
        self._picture = picture

    def load(self, number: int) -> Page:
        from ..processing.images import as_rgb

        return Page(as_rgb(self._picture), number, self.name)

    def close(self) -> None:
        """Nothing to close: the picture belongs to the caller."""


def _formats() -> list[str]:
    Image.init()
    return [name for name in Image.ID if name not in _REFUSED_FORMATS]


def _page_frames(picture: Image.Image) -> tuple[int, ...]:
    """Indices of the frames that are pages; a TIFF's reduced copies are not."""
    if picture.format not in _PAGED_FORMATS:
        return (0,)
    frames = tuple(range(int(getattr(picture, "n_frames", 1))))
    if picture.format != "TIFF" or len(frames) == 1:
        return frames
    return tuple(index for index in frames if not _is_reduced_copy(picture, index)) or frames


def _is_reduced_copy(picture: Any, index: int) -> bool:
    picture.seek(index)
    return bool(picture.tag_v2.get(_SUBFILE_TYPE, 0) & 1)


@contextmanager
def _sentences(name: str) -> Generator[None]:
    """Turns whatever Pillow raises into one sentence; damaged files make decoders raise nearly anything."""
    try:
        yield
    except GotOcr2Error:
        raise
    except UnidentifiedImageError as e:
        raise InputError(f"{name} is neither a picture in a known format nor a PDF.") from e
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
