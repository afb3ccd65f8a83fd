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
from pathlib import Path
from typing import Any

from ..errors import FileAccessError, InputError
from ..results import PageError
from ..wording import printable, reason
from .options import BatchOptions, sum_of
from .plan import ShardPlan, Slice
from .rows import Row, failed_row
from .store import Store, read_json, write_whole
from .workers.protocol import Request
from .workers.supervisor import Supervisor

SLOWEST = 10


@dataclass(frozen=True)
class Task:
    """Pages `number * size .. (number + 1) * size - 1` of a shard.

    Attributes:
        shard: its number.
        plan: the id of its plan, as the driver has it.
        number: of the task in it, from 0.
        size: pages of a task.
    """

    shard: int
    plan: str
    number: int
    size: int


@dataclass(frozen=True)
class Counts:
    """What is known of rows without reading them.

    Attributes:
        rows: how many.
        statuses: how many of each.
        exit_codes: how many of each, without 0.
        seconds: of all pages.
        slowest: (seconds, document, page), the slowest first.
    """

    rows: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    exit_codes: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    slowest: tuple[tuple[float, str, int], ...] = ()

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


def task_file(store: Store, task: Task, slices: Sequence[Slice]) -> Path:
    """Where the rows of a task are kept; the name holds the sum of what they were made of."""
    what = [task.plan, [[s.document.source.name, s.document.digest, s.first, s.count] for s in slices]]
    return store.tasks(task.shard) / f"{task.number:06d}-{sum_of(what)[:16]}.jsonl"


def run_task(store: Store, options: BatchOptions, model: str, supervisor: Supervisor, task: Task) -> Counts:
    """Reads the pages of a task and keeps the rows; does nothing if that was done before.

    Raises:
        FileAccessError: the output cannot be read or written.
        GotOcr2Error: the model cannot be opened.
    """
    slices = plan_of(str(store.root), task.shard, task.plan).task(task.number, task.size)
    path = task_file(store, task, slices)
    done = read_task(path)
    if done is not None:
        return done[0]
    keep = bool(options.files)
    rows: list[Row | None] = []
    for s in slices:
        error = s.document.error
        rows += (
            [None] * s.count
            if error is None
            else [_failed(s, page, error, model, keep) for page in _pages(s)]
        )
    request = Request.read([s for s in slices if s.document.error is None])

    def failed(item: int, error: PageError) -> Row:
        name, page = request.names[item]
        return failed_row(name, page, error, model, keep_result=keep)

    read = iter(supervisor.run(request, failed))
    whole = [next(read) if row is None else row for row in rows]
    names = [(s.document.source.name, page) for s in slices for page in _pages(s)]
    counts = Counts.of(whole, names)
    data = b"".join(row.json + b"\n" for row in whole)
    head = {**counts.to_dict(), "sum": blake2b(data, digest_size=16).hexdigest()}
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as e:
        raise FileAccessError(f"{printable(path.parent)} cannot be written: {reason(e)}.") from e
    write_whole(path, json.dumps(head).encode() + b"\n" + data, sync=False)
    return counts


def read_task(path: Path) -> tuple[Counts, bytes] | None:
    """What `run_task` kept: the counts, and the rows as lines; None where there is nothing whole."""
    try:
        head, _, data = path.read_bytes().partition(b"\n")
        found = json.loads(head)
        if found["sum"] == blake2b(data, digest_size=16).hexdigest():
            return Counts.from_dict(found), data
    except (OSError, ValueError, KeyError, TypeError, InputError):
        pass
    return None


def _pages(s: Slice) -> range:
    return range(s.first, s.first + s.count)


def _failed(s: Slice, page: int, error: PageError, model: str, keep: bool) -> Row:
    return failed_row(s.document.source.name, page, error, model, keep_result=keep)


@lru_cache(maxsize=16)
def plan_of(root: str, shard: int, plan: str) -> ShardPlan:
    """The plan of a shard as the driver wrote it.

    Raises:
        FileAccessError: it is missing, or another one.
    """
    found = read_json(Store(root).plan(shard))
    if found is None or found["id"] != plan:
        raise FileAccessError(
            f"The plan of shard {shard} is not in {printable(root)} as the driver wrote it; all machines have to see "
            "the same folder, and one run at a time may write to it."
        )
    return ShardPlan.from_dict(found)
