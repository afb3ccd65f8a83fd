"""Which pages belong to which shard: decided by the documents alone, before anything is read.

The pages of all documents, in order, make one long row that is cut every `rows_per_shard` pages; a shard is cut again
into tasks. So neither the number of workers nor the order in which they finish can be seen in the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InputError
from ..results import PageError
from .inputs import Source
from .options import sum_of


@dataclass(frozen=True)
class Document:
    """A source that was looked at.

    Attributes:
        source: where it lies.
        digest: sum of its content; empty where it could not be read.
        pages: how many; 1 where it cannot be opened, so that its failure is a row.
        error: why it cannot be opened; None otherwise.
    """

    source: Source
    digest: str
    pages: int
    error: PageError | None = None


@dataclass(frozen=True)
class Slice:
    """Consecutive pages of one document: `first .. first + count - 1`, from 1."""

    document: Document
    first: int
    count: int

    def to_list(self) -> list[Any]:
        """For JSON."""
        error = self.document.error
        return [
            self.document.source.to_list(),
            self.document.digest,
            self.document.pages,
            None if error is None else [error.type, error.message, error.exit_code],
            self.first,
            self.count,
        ]

    @classmethod
    def from_list(cls, data: Any) -> Slice:
        """The inverse of `to_list`."""
        source, digest, pages, error, first, count = data
        failed = None if error is None else PageError(*error)
        return cls(Document(Source.from_list(source), digest, pages, failed), first, count)


@dataclass(frozen=True)
class ShardPlan:
    """The pages of one shard.

    Attributes:
        shard: its number, from 0.
        id: sum of everything that decides its rows: contents, names, pages, options, model.
        slices: in order; together at most `rows_per_shard` pages.
    """

    shard: int
    id: str
    slices: tuple[Slice, ...]

    @classmethod
    def of(cls, shard: int, slices: Iterable[Slice], identity: str) -> ShardPlan:
        """Args:
        shard, slices: see above.
        identity: sum of `BatchOptions.identity`.
        """
        kept = tuple(slices)
        parts = [
            [s.document.source.name, s.document.digest, s.document.pages, s.first, s.count] for s in kept
        ]
        errors = [s.to_list()[3] for s in kept]
        return cls(shard, sum_of([identity, parts, errors]), kept)

    @property
    def rows(self) -> int:
        """Pages."""
        return sum(s.count for s in self.slices)

    def task(self, number: int, size: int) -> tuple[Slice, ...]:
        """The slices of task `number` (from 0) where a task has `size` pages."""
        start, end = number * size, min((number + 1) * size, self.rows)
        found: list[Slice] = []
        place = 0
        for s in self.slices:
            first, last = max(start, place), min(end, place + s.count)
            if first < last:
                found.append(replace(s, first=s.first + first - place, count=last - first))
            place += s.count
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"shard": self.shard, "id": self.id, "slices": [s.to_list() for s in self.slices]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ShardPlan:
        """The inverse of `to_dict`.

        Raises:
            InputError: something else.
        """
        try:
            return cls(data["shard"], data["id"], tuple(map(Slice.from_list, data["slices"])))
        except (KeyError, TypeError, ValueError) as e:
            raise InputError(f"This is no plan of a shard: {e}.") from e


def shards_of(documents: Iterable[Document], rows: int, identity: str) -> Iterator[ShardPlan]:
    """Cuts the pages of the documents into shards of `rows` pages, the last one smaller."""
    shard, room = 0, rows
    slices: list[Slice] = []
    for document in documents:
        first = 1
        while first <= document.pages:
            count = min(room, document.pages - first + 1)
            slices.append(Slice(document, first, count))
            first, room = first + count, room - count
            if room == 0:
                yield ShardPlan.of(shard, slices, identity)
                shard, room, slices = shard + 1, rows, []
    if slices:
        yield ShardPlan.of(shard, slices, identity)
