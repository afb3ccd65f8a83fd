"""A run from its inputs to its report. The driver decides; workers read and commit."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import InputError, InvalidOptionError
from .assignments import Commit, Committed, Executor, Work
from .claim import check_identity, check_output
from .executors.local import LocalExecutor
from .finishing import write_files
from .inputs import check_inputs
from .options import BatchOptions, sum_of
from .places import Lock
from .plan import ShardPlan
from .planning import Missing, Planner
from .progress import Progress
from .report import write_report
from .shards import tasks_of
from .store import Store
from .tasks import Counts, Task
from .workers.reader import reader_class

OpenExecutor = Callable[[str, BatchOptions, str], Executor]
"""Makes an executor of the output folder, the options and the name of the model."""

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
    output: str | os.PathLike[str],
    options: BatchOptions,
    *,
    resume: bool = False,
    retry_failed: bool = False,
    open_executor: OpenExecutor = LocalExecutor,
    told: Told | None = None,
    picture: bool = True,
) -> Progress:
    """Reads every page of the inputs into shards.

    Args:
        inputs: see `inputs.list_sources`.
        output: a folder or an address of an object store that is new, empty, or with `resume` holds an earlier run.
        options: what to do and how.
        resume: go on where an earlier run ended; without one, begin.
        retry_failed: with `resume`, try pages that failed again; without, they stay as they are.
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
    if retry_failed and not resume:
        raise InvalidOptionError("--retry-failed is about pages of an earlier run; it needs --resume.")
    store = Store(output)
    check_inputs(inputs)
    check_output(store, resume=resume)
    model = reader_class(options.reader).identity(options.to_dict())
    identity = options.identity(model)
    store.create()
    with store.place.locked() as lock:
        check_identity(store, identity, resume=resume)
        store.clear_halves()
        with open_executor(store.root, options, model) as executor:
            one = _Run(store, options, executor, lock, told)
            planner = Planner(
                store,
                options,
                sum_of(identity),
                one.progress,
                told.note,
                one.changed,
                retry_failed=retry_failed,
            )
            return one.read(planner.plan(inputs, executor), picture=picture)


class _Run:
    """Reads what is missing.

    Attributes:
        progress: the numbers.
    """

    def __init__(
        self, store: Store, options: BatchOptions, executor: Executor, lock: Lock, told: Told
    ) -> None:
        self.progress = Progress()
        self._store = store
        self._options = options
        self._executor = executor
        self._lock = lock
        self._told = told
        self._missing = Missing()
        self._open: dict[int, int] = {}  # shards being read, and how many of their tasks are left
        self._ready: deque[Commit] = deque()  # shards whose tasks are done

    def changed(self) -> None:
        """Tells the numbers, while this run is the one that may write."""
        self._lock.check()
        self._told.progress(self.progress)

    def read(self, missing: Missing, *, picture: bool) -> Progress:
        """Reads, writes files and the report."""
        self._missing = missing
        self.progress.begin_reading()
        pending = list(missing.shards)
        while pending or self._ready:
            pending = self._read_once(pending)
        self._write_files()
        write_report(self._store, self.progress, self._executor.what, picture=picture)
        self.progress.phase = "done"
        self.changed()
        return self.progress

    def _read_once(self, shards: Sequence[int]) -> list[int]:
        """Reads shards; those of which a file was damaged meanwhile, to be done again."""
        again: list[int] = []
        for work, outcome in self._executor.run(self._work(shards)):
            if isinstance(work, Task):
                assert isinstance(outcome, Counts)
                self.progress.read(outcome)
                self._task_done(work)
            elif isinstance(work, Commit):
                assert isinstance(outcome, Committed)
                if outcome.whole:
                    self.progress.shards_done += 1
                else:
                    again.append(work.shard)
            self.changed()
        return again

    def _work(self, shards: Sequence[int]) -> Iterator[Work]:
        """The tasks of these shards, and between them the shards that have been read."""
        for shard in shards:
            earlier = self._missing.earlier.get(shard)
            tasks = tasks_of(self._plan_of(shard), self._options.pages_per_task, earlier)
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

    def _plan_of(self, shard: int) -> ShardPlan:
        key = self._store.plan(shard)
        found = self._store.read_json(key)
        if found is None:
            raise InputError(f"{self._store.place.where(key)} has gone; start again with --resume.")
        return ShardPlan.from_dict(found)

    def _write_files(self) -> None:
        self.progress.phase = "writing files"
        read = set(self._missing.shards)

        def plans() -> Iterator[ShardPlan]:
            return (self._plan_of(shard) for shard in range(self.progress.shards))

        for written in write_files(self._store, self._options, plans, read, self._executor):
            for problem in written.problems:
                self._told.note(problem)
            self.progress.counts += Counts(exit_codes=dict(Counter(written.exit_codes)))
            self.progress.files += written.files
            self.changed()


def exit_code_of(progress: Progress) -> int:
    """0 if every page was read; the code of what went wrong, or 15 for several things."""
    total = progress.total
    codes = {code for code, count in total.exit_codes.items() if count}
    if total.statuses.get("looped"):
        codes.add(LOOPED)
    return codes.pop() if len(codes) == 1 else 15 if codes else 0
