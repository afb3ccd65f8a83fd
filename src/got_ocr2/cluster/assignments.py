"""Work that goes to a worker wherever it is, and what comes back: both small, rows never pass the driver."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from ..results import PageError
from .inputs import Source
from .options import BatchOptions
from .plan import Document
from .rows import Row
from .running import TaskRunner
from .shards import commit
from .store import Store
from .tasks import Counts, Task, plan_of
from .workers.child import Settings
from .workers.protocol import Drawn, Request
from .workers.supervisor import Supervisor


@dataclass(frozen=True)
class Look:
    """Documents to be looked at: how many pages, which content."""

    number: int
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Commit:
    """A shard whose tasks are done, to be put together; `plan` is the id of its plan."""

    shard: int
    plan: str


@dataclass(frozen=True)
class Committed:
    """Whether the shard is whole; if not, a file of its tasks was not, and those are done again."""

    whole: bool


@dataclass(frozen=True)
class Render:
    """Documents to be written as files; each is where its rows begin: [name, shard, row, pages]."""

    number: int
    documents: tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Written:
    """What came of writing documents.

    Attributes:
        files: how many were written.
        problems: what a person should be told, one line each.
        exit_codes: of what could not be written.
    """

    files: int
    problems: tuple[str, ...]
    exit_codes: tuple[int, ...]


Work: TypeAlias = "Look | Task | Commit | Render"
Outcome: TypeAlias = "tuple[Document, ...] | Counts | Committed | Written"


class Executor(Protocol):
    """Where work is done; a context manager that ends what it has started.

    Attributes:
        what: a few words for reports, such as "2 processes of 1 core".
    """

    what: str

    def run(self, work: Iterable[Work]) -> Iterator[tuple[Work, Outcome]]:
        """Does all of it; what is done comes out as it is done, in any order. Work is taken as there is room for it.

        Raises:
            GotOcr2Error: no work can be done at all: the model cannot be opened, the output not be written.
        """
        ...

    def __enter__(self) -> Executor: ...

    def __exit__(self, *_: object) -> None: ...


class Worker:
    """One process that reads, with all that it needs to do any work; `do` may be called by several threads."""

    def __init__(self, root: str, options: BatchOptions, model: str, threads: int) -> None:
        """Args:
        root: the output folder, as this machine sees it.
        options, model: of the run.
        threads: processor cores.
        """
        self._store = Store(root)
        self._options = options
        settings = Settings(options.to_dict(), model, root)
        self.supervisor = Supervisor(options, settings, threads, self._store.has_rows)
        self._tasks = TaskRunner(self._store, options, model, self.supervisor)

    def draw(self, task: Task) -> dict[int, Drawn]:
        """Draws the pages of a task for a worker elsewhere; see `TaskRunner.draw`."""
        return self._tasks.draw(task)

    def do(self, work: Work, drawn: Mapping[int, Drawn] | None = None) -> Outcome:
        """Does it.

        Args:
            work: anything.
            drawn: pages of a task, if they were drawn elsewhere.

        Raises:
            GotOcr2Error: see `Executor.run`.
        """
        if isinstance(work, Task):
            return self._tasks.run(work, drawn)
        if isinstance(work, Commit):
            plan = plan_of(self._store.root, work.shard, work.plan)
            return Committed(commit(self._store, self._options, plan) is not None)
        if isinstance(work, Look):
            return self._look(work)
        return self._render(work)

    def close(self) -> None:
        """Ends the process."""
        self.supervisor.close()

    def _look(self, work: Look) -> tuple[Document, ...]:
        request = Request(
            "look",
            [source.to_list() for source in work.sources],
            [(source.name, 0) for source in work.sources],
        )
        rows = self.supervisor.run(request, _failed)
        return tuple(
            _document(source, json.loads(row.json)) for source, row in zip(work.sources, rows, strict=True)
        )

    def _render(self, work: Render) -> Written:
        request = Request(
            "render", [list(one) for one in work.documents], [(one[0], 0) for one in work.documents]
        )
        said: list[dict[str, Any]] = [json.loads(row.json) for row in self.supervisor.run(request, _failed)]
        problems: list[str] = []
        codes: list[int] = []
        for one in said:
            problems += one.get("problems", [])
            if "error" in one:
                problems.append(one["error"][1])
                codes.append(one["error"][2])
            codes += one.get("exit_codes", [])
        return Written(sum(one.get("files", 0) for one in said), tuple(problems), tuple(codes))


def _failed(_: int, error: PageError) -> Row:
    said = {"error": [error.type, error.message, error.exit_code]}
    return Row(json.dumps(said).encode(), "looked", 0.0, error.exit_code)


def _document(source: Source, found: dict[str, Any]) -> Document:
    if "error" in found:
        return Document(source, "", 1, PageError(*found["error"]))
    return Document(source, found["digest"], found["pages"])
