"""One task: some pages of a shard, read by a worker and kept in a file of their own until the shard is whole.

The file outlives the driver. Its first line counts the rows and holds their sum, so that half a file is known as such.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from ..errors import FileAccessError, InputError
from ..wording import printable
from .options import sum_of
from .plan import ShardPlan, Slice
from .rows import Row
from .store import Store

SLOWEST = 10


@dataclass(frozen=True)
class Task:
    """Pages `number * size .. (number + 1) * size - 1` of a shard.

    Attributes:
        shard: its number.
        plan: the id of its plan, as the driver has it.
        number: of the task in it, from 0.
        size: pages of a task.
        earlier: sum of the file of the shard, if rows of it are taken over; see `earlier.py`.
    """

    shard: int
    plan: str
    number: int
    size: int
    earlier: str | None = None


@dataclass(frozen=True)
class Counts:
    """What is known of rows without reading them.

    Attributes:
        rows: how many.
        statuses: how many of each.
        exit_codes: how many of each, without 0.
        seconds: of all pages.
        slowest: (seconds, document, page), the slowest first.
        kept: how many were there already and were not read again; said while a run goes on, written nowhere.
    """

    rows: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    exit_codes: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    slowest: tuple[tuple[float, str, int], ...] = ()
    kept: int = 0

    @classmethod
    def of(cls, rows: Sequence[Row], names: Sequence[tuple[str, int]]) -> Counts:
        """Counts rows; `names` are document and page of each."""
        places = [(row.seconds, printable(name), page) for row, (name, page) in zip(rows, names, strict=True)]
        return cls(
            len(rows),
            dict(Counter(row.status for row in rows)),
            dict(Counter(row.exit_code for row in rows if row.exit_code)),
            sum(row.seconds for row in rows),
            _slowest(places),
        )

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.rows + other.rows,
            dict(Counter(self.statuses) + Counter(other.statuses)),
            dict(Counter(self.exit_codes) + Counter(other.exit_codes)),
            self.seconds + other.seconds,
            _slowest((*self.slowest, *other.slowest)),
            self.kept + other.kept,
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rows": self.rows,
            "statuses": dict(sorted(self.statuses.items())),
            "exit_codes": {str(code): count for code, count in sorted(self.exit_codes.items())},
            "seconds": self.seconds,
            "slowest": [list(one) for one in self.slowest],
        }

    @classmethod
    def from_dict(cls, data: Any) -> Counts:
        """The inverse of `to_dict`.

        Raises:
            InputError: something else.
        """
        try:
            codes = {int(code): int(count) for code, count in data["exit_codes"].items()}
            slowest = tuple((float(s), str(document), int(page)) for s, document, page in data["slowest"])
            return cls(int(data["rows"]), dict(data["statuses"]), codes, float(data["seconds"]), slowest)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raise InputError(f"These are no counts of rows: {e}.") from e


def _slowest(places: Iterable[tuple[float, str, int]]) -> tuple[tuple[float, str, int], ...]:
    """The order does not depend on which came first."""
    return tuple(heapq.nsmallest(SLOWEST, places, key=lambda place: (-place[0], *place[1:])))


def task_file(store: Store, task: Task, slices: Sequence[Slice]) -> str:
    """Where the rows of a task are kept; the name holds the sum of what they were made of."""
    what = [task.plan, [[s.document.source.name, s.document.digest, s.first, s.count] for s in slices]]
    return f"{store.tasks(task.shard)}/{task.number:06d}-{sum_of(what)[:16]}.jsonl"


def read_task(store: Store, key: str) -> tuple[Counts, bytes] | None:
    """What `run_task` kept: the counts, and the rows as lines; None where there is nothing whole."""
    try:
        head, _, data = (store.place.read(key) or b"").partition(b"\n")
        found = json.loads(head)
        if found["sum"] == blake2b(data, digest_size=16).hexdigest():
            return Counts.from_dict(found), data
    except (FileAccessError, ValueError, KeyError, TypeError, InputError):
        pass
    return None


@lru_cache(maxsize=16)
def plan_of(root: str, shard: int, plan: str) -> ShardPlan:
    """The plan of a shard as the driver wrote it.

    Raises:
        FileAccessError: it is missing, or another one.
    """
    store = Store(root)
    found = store.read_json(store.plan(shard))
    if found is None or found["id"] != plan:
        raise FileAccessError(
            f"The plan of shard {shard} is not in {printable(root)} as the driver wrote it; all machines have to see "
            "the same folder, and one run at a time may write to it."
        )
    return ShardPlan.from_dict(found)
