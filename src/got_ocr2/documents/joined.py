"""Several documents that are read as one: the pages of the first, then those of the second, and so on."""

from __future__ import annotations

from collections.abc import Sequence

from .document import Document, Page
from .limits import Limits
from .page_ranges import PageRanges


class JoinedDocument(Document):
    """Open documents as one; their selected pages are counted through from 1."""

    def __init__(
        self,
        parts: Sequence[Document],
        name: str,
        *,
        pages: PageRanges | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Takes over the open documents; closing the whole closes them.

        Raises:
            InvalidOptionError: a page was asked for that is not there.
            InputError: more pages than the limit.
        """
        self._parts = tuple(parts)
        self._places = [(part, number) for part in self._parts for number in part.numbers]
        super().__init__(name, len(self._places), pages, limits or Limits())

    def load(self, number: int) -> Page:
        part, own = self._places[number - 1]
        return Page(part.load(own).image, number, self.source)

    def text(self, number: int) -> str | None:
        part, own = self._places[number - 1]
        return part.text(own)

    def close(self) -> None:
        for part in self._parts:
            part.close()
