"""A run from its inputs to its report. The driver decides and commits; workers read."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, InvalidOptionError
from ..rendering.registry import FORMATS
from ..wording import printable
from .executors.local import LocalExecutor
from .files import documents_of, target
from .inputs import check_inputs, list_sources
from .looking import Known, look_at
from .options import BatchOptions, sum_of
from .plan import Document, ShardPlan, shards_of
from .progress import Progress
from .report import write_report
from .shards import committed, tasks_of
from .store import Store, read_json, shard_of, write_json
from .tasks import Counts, Task
from .work import Commit, Committed, Executor, Render, Work, Written
from .workers.reader import reader_class

OpenExecutor = Callable[[str, BatchOptions, str], Executor]
"""Makes an executor of the output folder, the options and the name of the model."""

_FILES_TOGETHER = 32  # documents of a request
LOOPED = 4  # the exit code of a text that was cut where the model began to repeat itself


@dataclass(frozen=True)
class Told:
    """Who is told what while a run goes on.

    Attributes:
        note: one line about something that a person should know.
        progress: the numbers, several times a second at most.
    """

    note: Callable[[str], object]
    progress: Callable[[Progress], object]


def run(
    inputs: Sequence[str],
    output: str | Path,
    options: BatchOptions,
    *,
    resume: bool = False,
    open_executor: OpenExecutor = LocalExecutor,
    told: Told | None = None,
    picture: bool = True,
) -> Progress:
    """Reads every page of the inputs into shards.

    Args:
        inputs: see `inputs.list_sources`.
        output: a folder that is new, empty, or with `resume` holds an earlier run.
        options: what to do and how.
        resume: go on where an earlier run ended; without one, begin.
        open_executor: where the work is done.
        told: who is told.
        picture: draw the report as well.

    Returns:
        The final numbers; pages that failed are counted there and are rows in the shards.

    Raises:
        InvalidOptionError: the output holds something else, or was made with other options or by another model, or
            another run writes to it.
        FileAccessError: an input is missing, or the output cannot be written. What is done is kept.
        InputError: an input holds no documents.
        GotOcr2Error: the model cannot be opened.
    """
    told = told or Told(lambda line: None, lambda progress: None)
    store = Store(output)
    check_inputs(inputs)
    _check_output(store, resume)
    model = reader_class(options.reader).identity(options.to_dict())
    identity = options.identity(model)
    store.create()
    with store.locked():
        _check_identity(store, identity, resume)
        store.clear_halves()
        with open_executor(str(store.root.absolute()), options, model) as executor:
            return _Run(store, options, sum_of(identity), executor, told, picture).run(inputs)


class _Run:
    def __init__(
        self,
        store: Store,
        options: BatchOptions,
        identity: str,
        executor: Executor,
        told: Told,
        picture: bool,
    ) -> None:
        self._store = store
        self._options = options
        self._identity = identity
        self._executor = executor
        self._told = told
        self._picture = picture
        self._progress = Progress()
        self._pending: list[int] = []  # shards to be read
        self._open: dict[int, int] = {}  # shards being read, and how many of their tasks are left
        self._ready: deque[Commit] = deque()  # shards whose tasks are done
        self._read: set[int] = set()  # shards that were read in this run

    def run(self, inputs: Sequence[str]) -> Progress:
        self._plan(inputs)
        self._progress.begin_reading()
        self._read = set(self._pending)
        while self._pending or self._ready:
            pending, self._pending = self._pending, []
            for work, outcome in self._executor.run(self._work(pending)):
                if isinstance(work, Task):
                    assert isinstance(outcome, Counts)
                    self._progress.read(outcome)
                    self._task_done(work)
                elif isinstance(work, Commit):
                    assert isinstance(outcome, Committed)
                    self._shard_done(work, outcome)
                self._told.progress(self._progress)
        self._write_files()
        write_report(self._store, self._progress, self._executor.what, picture=self._picture)
        self._progress.phase = "done"
        self._told.progress(self._progress)
        return self._progress

    def _plan(self, inputs: Sequence[str]) -> None:
        """Looks at all documents, writes the plans that are new, and finds out which shards are missing."""
        known = Known(self._store)
        sources = list_sources(inputs, recursive=self._options.recursive)
        documents = self._counted(look_at(sources, known, self._executor, self._looked))
        count = 0
        for plan in shards_of(documents, self._options.rows_per_shard, self._identity):
            count += 1
            self._progress.pages += plan.rows
            counts, said = committed(self._store, self._options, plan)
            if said is not None:
                self._told.note(said)
            self._write_plan(plan)
            if counts is None:
                self._pending.append(plan.shard)
            else:
                self._progress.earlier += counts
                self._progress.shards_done += 1
        if not count:
            raise InputError(f"There is nothing to read in {', '.join(map(printable, inputs))}.")
        self._progress.shards = count
        self._drop_surplus(count)

    def _counted(self, documents: Iterator[Document]) -> Iterator[Document]:
        for document in documents:
            if document.error is not None:
                self._told.note(document.error.message)
            yield document

    def _looked(self, count: int) -> None:
        self._progress.documents += count
        self._told.progress(self._progress)

    def _write_plan(self, plan: ShardPlan) -> None:
        path = self._store.plan(plan.shard)
        with suppress(InputError):  # a damaged one is written anew
            earlier = read_json(path)
            if earlier is not None and earlier == plan.to_dict():
                return
        write_json(path, plan.to_dict())

    def _drop_surplus(self, count: int) -> None:
        """Removes shards of an earlier run that had more pages."""
        for folder, remove in (
            (self._store.root / "plan", Path.unlink),
            (self._store.root / "manifest", Path.unlink),
            (self._store.root / "shards", Path.unlink),
        ):
            for path in folder.glob("part-*"):
                if shard_of(path) >= count:
                    self._told.note(f"{printable(path)} belongs to documents that are gone; it is removed.")
                    remove(path)

    def _write_files(self) -> None:
        """A file a document, for those whose rows are new or whose files are missing."""
        if not self._options.files:
            return
        self._progress.phase = "writing files"
        for _, outcome in self._executor.run(self._documents_to_write()):
            assert isinstance(outcome, Written)
            for problem in outcome.problems:
                self._told.note(problem)
            codes = dict(Counter(outcome.exit_codes))
            self._progress.counts += Counts(exit_codes=codes)
            self._progress.files += outcome.files
            self._told.progress(self._progress)

    def _documents_to_write(self) -> Iterator[Work]:
        plans = (self._plan_of(shard) for shard in range(self._progress.shards))
        wanted = (one for one in documents_of(plans) if self._is_new(*one))
        for number in itertools.count():
            group = tuple(itertools.islice(wanted, _FILES_TOGETHER))
            if not group:
                return
            yield Render(number, group)

    def _is_new(self, name: str, shard: int, row: int, pages: int) -> bool:
        last = shard + (row + pages - 1) // self._options.rows_per_shard
        if any(one in self._read for one in range(shard, last + 1)):
            return True
        suffixes = [FORMATS[to].suffix for to in self._options.files]
        return not all(
            target(self._store, name, suffix).exists()
            or target(self._store, name, f".partial{suffix}").exists()
            for suffix in suffixes
        )

    def _plan_of(self, shard: int) -> ShardPlan:
        found = read_json(self._store.plan(shard))
        if found is None:
            raise InputError(f"{printable(self._store.plan(shard))} has gone; start again with --resume.")
        return ShardPlan.from_dict(found)

    def _work(self, pending: Sequence[int]) -> Iterator[Work]:
        """The tasks of these shards, and between them the shards that have been read."""
        for shard in pending:
            plan = self._plan_of(shard)
            tasks = tasks_of(plan, self._options.pages_per_task)
            self._open[shard] = len(tasks)
            for task in tasks:
                while self._ready:
                    yield self._ready.popleft()
                yield task
        while self._ready:
            yield self._ready.popleft()

    def _task_done(self, task: Task) -> None:
        self._open[task.shard] -= 1
        if not self._open[task.shard]:
            del self._open[task.shard]
            self._ready.append(Commit(task.shard, task.plan))

    def _shard_done(self, work: Commit, outcome: Committed) -> None:
        if outcome.whole:
            self._progress.shards_done += 1
        else:
            self._pending.append(work.shard)


def _check_output(store: Store, resume: bool) -> None:
    """Whether a run may begin or go on here, without changing anything."""
    root = printable(store.root)
    if store.root.is_file():
        raise InvalidOptionError(f"{root} is a file; a run writes into a folder.")
    if store.job.exists():
        if not resume:
            raise InvalidOptionError(
                f"{root} holds a run already; go on with --resume, or name another folder."
            )
    elif store.root.is_dir() and any(
        path.name not in (".lock", "plan", "shards", "manifest", "tasks") for path in store.root.iterdir()
    ):
        raise InvalidOptionError(f"{root} holds other files; a run needs a folder of its own.")


def _check_identity(store: Store, identity: dict[str, object], resume: bool) -> None:
    earlier = read_json(store.job)
    if earlier is None:
        write_json(store.job, {"identity": identity}, indent=1)
        return
    if not resume:  # it has come since it was looked for
        raise InvalidOptionError(f"{printable(store.root)} holds a run already; go on with --resume.")
    before = earlier.get("identity")
    if before == identity:
        return
    names = [name for name in identity if not isinstance(before, dict) or before.get(name) != identity[name]]
    first = names[0] if names else "options"
    was = before.get(first) if isinstance(before, dict) else None
    raise InvalidOptionError(
        f"{printable(store.root)} was made with another {first}: {was!r}, now {identity.get(first)!r}; its rows would "
        "not go together. Name another folder, or take the same options."
    )


def exit_code_of(progress: Progress) -> int:
    """0 if every page was read; the code of what went wrong, or 15 for several things."""
    total = progress.total
    codes = {code for code, count in total.exit_codes.items() if count}
    if total.statuses.get("looped"):
        codes.add(LOOPED)
    return codes.pop() if len(codes) == 1 else 15 if codes else 0
