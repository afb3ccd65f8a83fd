"""Before anything is read: all documents are looked at, the plans written, and what earlier runs have left is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import InputError
from ..wording import printable
from .assignments import Executor
from .earlier import is_begun, remember
from .inputs import list_sources
from .looking import Known, look_at
from .options import BatchOptions
from .plan import Document, ShardPlan, shards_of
from .progress import Progress
from .shards import Found, committed
from .store import Store, part, shard_of


@dataclass
class Missing:
    """Shards to be read.

    Attributes:
        shards: their numbers, in order.
        earlier: sum of the file of those whose rows are taken over; see `earlier.py`.
    """

    shards: list[int] = field(default_factory=list)
    earlier: dict[int, str] = field(default_factory=dict)


class Planner:
    """Plans one run."""

    def __init__(
        self,
        store: Store,
        options: BatchOptions,
        identity: str,
        progress: Progress,
        note: Callable[[str], object],
        changed: Callable[[], object],
        *,
        retry_failed: bool,
    ) -> None:
        """Args:
        store, options: of the run.
        identity: sum of `BatchOptions.identity`.
        progress: counts what is found.
        note: told what a person should know, a line each.
        changed: called when `progress` has changed.
        retry_failed: read failed pages again.
        """
        self._store = store
        self._options = options
        self._identity = identity
        self._progress = progress
        self._note = note
        self._changed = changed
        self._retry = retry_failed
        self._missing = Missing()
        self._begun = set(store.place.names("tasks"))

    def plan(self, inputs: Sequence[str], executor: Executor) -> Missing:
        """Writes the plans that are new; the shards that are missing.

        Args:
            inputs: see `inputs.list_sources`.
            executor: looks at documents.

        Raises:
            InputError: there are no documents.
            FileAccessError: an input is missing, or the output cannot be read or written.
        """
        known = Known(self._store, believe_failures=not self._retry)
        sources = list_sources(inputs, recursive=self._options.recursive)
        documents = self._counted(look_at(sources, known, executor, self._looked))
        count = 0
        for plan in shards_of(documents, self._options.rows_per_shard, self._identity):
            count += 1
            self._progress.pages += plan.rows
            self._take(plan)
        if not count:
            raise InputError(f"There is nothing to read in {', '.join(map(printable, inputs))}.")
        self._progress.shards = count
        self._drop_surplus(count)
        return self._missing

    def _take(self, plan: ShardPlan) -> None:
        """One shard: whether it is whole, or what of it can be taken over."""
        found = committed(self._store, self._options, plan)
        if found.said is not None:
            self._note(found.said)
        if found.counts is not None and not self._again(plan.shard, found):
            self._progress.earlier += found.counts
            self._progress.shards_done += 1
            if part(plan.shard) in self._begun:
                self._store.drop_tasks(plan.shard)
        else:
            self._progress.retried += found.failed if self._retry else 0
            self._missing.shards.append(plan.shard)
            if found.plan is not None and remember(self._store, plan.shard, found.plan):
                assert found.content is not None
                self._missing.earlier[plan.shard] = found.content
        self._write_plan(plan)

    def _again(self, shard: int, found: Found) -> bool:
        """Whether failed pages of a whole shard are tried anew, or an earlier run was about to."""
        assert found.plan is not None
        if self._retry and found.failed:
            return True
        return part(shard) in self._begun and is_begun(self._store, shard, found.plan)

    def _write_plan(self, plan: ShardPlan) -> None:
        key, new = self._store.plan(plan.shard), plan.to_dict()
        try:
            there = self._store.read_json(key) == new
        except InputError:  # a damaged one is written anew
            there = False
        if not there:
            self._store.write_json(key, new)

    def _counted(self, documents: Iterator[Document]) -> Iterator[Document]:
        for document in documents:
            if document.error is not None:
                self._note(document.error.message)
            yield document

    def _looked(self, count: int) -> None:
        self._progress.documents += count
        self._changed()

    def _drop_surplus(self, count: int) -> None:
        """Removes shards of an earlier run that had more pages."""
        for folder in ("plan", "manifest", "shards"):
            for name in self._store.place.names(folder):
                shard = shard_of(name)
                if shard is not None and shard >= count:
                    key = f"{folder}/{name}"
                    self._note(
                        f"{self._store.place.where(key)} belongs to documents that are gone; it is removed."
                    )
                    self._store.place.remove(key)
        for name in self._begun:
            shard = shard_of(name)
            if shard is not None and shard >= count:
                self._store.drop_tasks(shard)
