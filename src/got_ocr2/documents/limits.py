"""How much of a document is opened before it is refused."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..errors import InputError, InvalidOptionError


@dataclass(frozen=True)
class Limits:
    """The largest document that is opened; all limits can be raised by the caller.

    Attributes:
        max_bytes: size of a file, a download or what stands on standard input.
        max_pixels: width x height of one page, decoded or rendered. The default is just under the size from
            which Pillow warns of a decompression bomb; it refuses twice that size whatever stands here,
            unless `PIL.Image.MAX_IMAGE_PIXELS` is raised as well.
        max_pages: pages read from one document.
        timeout: seconds without an answer after which a download is given up.
        deadline: seconds that a whole download may take.
    """

    max_bytes: int = 1 << 30
    max_pixels: int = 89_000_000
    max_pages: int = 2_000
    timeout: float = 30.0
    deadline: float = 300.0

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            if not getattr(self, name) > 0:
                raise InvalidOptionError(f"{name} must be above 0, got {getattr(self, name)!r}.")

    def check_bytes(self, name: str, size: int) -> None:
        """Refuses a document of `size` bytes that is empty or above the limit."""
        if size == 0:
            raise InputError(f"{name} is empty (0 bytes).")
        if size > self.max_bytes:
            raise InputError(
                f"{name} has at least {size:,} bytes, more than the limit of {self.max_bytes:,} (max_bytes)."
            )

    def check_pixels(self, name: str, width: int, height: int) -> None:
        """Refuses a page of `width` x `height` pixels that is empty or above the limit."""
        if width < 1 or height < 1:
            raise InputError(f"{name} is {width} x {height} pixels; a page has at least one.")
        if width * height > self.max_pixels:
            raise InputError(
                f"{name} is {width} x {height} = {width * height:,} pixels, more than the limit of "
                f"{self.max_pixels:,} (max_pixels)."
            )

    def check_pages(self, name: str, count: int) -> None:
        """Refuses to read `count` pages of one document when that is above the limit."""
        if count > self.max_pages:
            raise InputError(
                f"{name} has {count:,} pages to read, more than the limit of {self.max_pages:,} (max_pages); "
                "name the pages to read."
            )
