"""What a worker's process reads with; `ocr_reader.OcrReader` is one, tests have another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from ...errors import InvalidOptionError
from ...results import PageError, PageResult
from ..inputs import Source


@dataclass(frozen=True)
class Item:
    """One page to read.

    Attributes:
        source: the document.
        digest: sum of its content when the plan was made.
        page: number in it, from 1.
        tag: given back with the result.
        drawn: the page as `PageReader.draw` gave it, if that was done elsewhere; then the document is not opened.
    """

    source: Source
    digest: str
    page: int
    tag: Any = None
    drawn: bytes | None = None


class PageReader(Protocol):
    """Made with `BatchOptions.to_dict()`; opens no model before the first call of `read`."""

    def __init__(self, options: Mapping[str, Any]) -> None: ...

    @classmethod
    def identity(cls, options: Mapping[str, Any]) -> str:
        """Name and sum of the checkpoint that would be opened.

        Raises:
            GotOcr2Error: there is none.
        """
        ...

    def open(self) -> None:
        """Opens the model.

        Raises:
            GotOcr2Error: it cannot be opened.
        """
        ...

    def look(self, source: Source) -> tuple[str, int]:
        """Sum of the content and number of pages.

        Raises:
            Exception: the document cannot be opened.
        """
        ...

    def draw(self, items: Iterable[Item]) -> Iterator[tuple[Item, bytes | PageError]]:
        """Opens and draws pages, in order, for a process elsewhere to read; needs no model.

        Returns:
            Each as a file without loss, or why it cannot be drawn, as `read` would say it.
        """
        ...

    def read(self, items: Iterable[Item]) -> Iterator[tuple[Item, PageResult]]:
        """A result for every item, in order; an item that cannot be read gives a failed one.

        An item is taken from `items` as soon as there is room for another page.
        """
        ...


def reader_class(target: str) -> type[PageReader]:
    """The class behind "module:class".

    Raises:
        InvalidOptionError: there is none.
    """
    module, _, name = target.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as e:
        raise InvalidOptionError(f"A reader is module:class, got {target!r}: {e}.") from e
