"""Which pages of a document to read: "1-4,7,9-"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import InvalidOptionError

_RANGE = re.compile(r"(\d+)(?:(-)(\d+)?)?")


@dataclass(frozen=True)
class PageRanges:
    """Pages by number, starting at 1, in the order they were asked for.

    Attributes:
        ranges: `(first, last)` with both ends included; `last` is None for "to the end".
    """

    ranges: tuple[tuple[int, int | None], ...]

    @classmethod
    def parse(cls, pages: str | int | Iterable[int]) -> PageRanges:
        """Reads "1-4,7", "3-" (to the end), one number or several.

        Raises:
            InvalidOptionError: not a list of pages, a page below 1, or a range that runs backwards.
        """
        if isinstance(pages, str):
            return cls(tuple(_parse_range(part.strip(), pages) for part in pages.split(",")))
        numbers = (pages,) if isinstance(pages, int) else tuple(pages)
        if not numbers:
            raise InvalidOptionError("At least one page must be named, got none.")
        return cls(tuple((_checked(number), number) for number in numbers))

    def select(self, count: int, name: str, most: int | None = None) -> tuple[int, ...]:
        """The page numbers to read of a document with `count` pages, each once; no more than `most` and one.

        Raises:
            InvalidOptionError: a named page is beyond the last one.
        """
        for first, last in self.ranges:
            if (beyond := max(first, last or first)) > count:
                raise InvalidOptionError(f"Page {beyond} was asked for, but {name} ends at page {count}.")
        selected: dict[int, None] = {}
        for number in self._numbers(count):
            selected[number] = None
            if most is not None and len(selected) > most:
                break
        return tuple(selected)

    def _numbers(self, count: int) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, (count if last is None else last) + 1)


def _checked(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise InvalidOptionError(f"A page number is a whole number from 1, got {number!r}.")
    return number


def _parse_range(part: str, whole: str) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise InvalidOptionError(f'Pages are named like "1-4,7,9-", got {whole!r}.')
    first = int(match[1])
    last = first if match[2] is None else None if match[3] is None else int(match[3])
    if first < 1:
        raise InvalidOptionError(f"Pages are counted from 1, got {part!r} in {whole!r}.")
    if last is not None and last < first:
        raise InvalidOptionError(f"A range of pages runs forwards, got {part!r} in {whole!r}.")
    return first, last
