"""An open document: which pages it has, and each of them as a picture when it is asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from ..wording import printable
from .limits import Limits
from .page_ranges import PageRanges

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Page:
    """One page as a person sees it.

    Attributes:
        image: RGB, upright, transparency on white.
        number: its number in the document, from 1.
        source: the document: its path or address as it was given, or a name such as `<bytes>`.
    """

    image: Image.Image
    number: int
    source: str


class Document(ABC):
    """Pages that are decoded one at a time, when asked for; a context manager that closes the file.

    One broken page does not hide the others: `load` raises for that page alone.

    Attributes:
        source: the document as results name it: a path exactly as it was given.
        name: what messages call it: the same on one line of valid text.
        page_count: pages in the document.
        numbers: numbers of the pages to read, from 1, in reading order.
        limits: what `load` refuses.
    """

    def __init__(self, source: str, page_count: int, pages: PageRanges | None, limits: Limits) -> None:
        """Selects the pages.

        Raises:
            InvalidOptionError: a page was asked for that is not there.
            InputError: more pages than the limit.
        """
        self.source = source
        self.name = printable(source)
        self.page_count = page_count
        self.limits = limits
        selected: Sequence[int] = range(1, page_count + 1)
        if pages is not None:
            selected = pages.select(page_count, self.name, limits.max_pages)
        limits.check_pages(self.name, len(selected))
        self.numbers = tuple(selected)

    @abstractmethod
    def load(self, number: int) -> Page:
        """Decodes page `number` (from 1).

        Raises:
            InputError: the page is damaged, or larger than the limit.
        """

    def size(self, number: int) -> tuple[int, int]:
        """Width and height, in pixels, of the picture that `load` gives of page `number`; its errors are those of
        `load`."""
        return self.load(number).image.size

    def text(self, number: int) -> str | None:
        """The text that the file itself gives for page `number` (from 1), such as a PDF's text layer.

        It need not say what the page shows: it may come from another OCR, or be in another order. None where the
        file gives no text; what cannot be read counts as none.
        """
        return None

    @abstractmethod
    def close(self) -> None:
        """Closes the file; pages already loaded stay valid."""

    def page_name(self, number: int) -> str:
        """What messages call page `number`."""
        return self.name if self.page_count == 1 else f"page {number} of {self.name}"

    def __iter__(self) -> Iterator[Page]:
        return (self.load(number) for number in self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
