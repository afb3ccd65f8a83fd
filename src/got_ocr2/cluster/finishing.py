"""After all is read: a file a document, where --to asks for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator

from ..rendering.registry import FORMATS
from .assignments import Executor, Render, Work, Written
from .files import documents_of, target
from .options import BatchOptions
from .plan import ShardPlan
from .store import FILES, Store

_TOGETHER = 32  # documents of a request


def write_files(
    store: Store,
    options: BatchOptions,
    plans: Callable[[], Iterator[ShardPlan]],
    read: Collection[int],
    executor: Executor,
) -> Iterator[Written]:
    """Writes the documents whose rows are new or whose files are missing; what came of them as they are done.

    Args:
        store, options: of the run.
        plans: of all shards, in order.
        read: numbers of the shards that this run has read.
        executor: does it.

    Raises:
        FileAccessError: the output cannot be written.
    """
    if not options.files:
        return
    store.place.create((FILES,))
    for _, outcome in executor.run(_work(store, options, plans(), read)):
        assert isinstance(outcome, Written)
        yield outcome


def _work(
    store: Store, options: BatchOptions, plans: Iterator[ShardPlan], read: Collection[int]
) -> Iterator[Work]:
    wanted = (one for one in documents_of(plans) if _is_new(store, options, read, *one))
    for number in itertools.count():
        group = tuple(itertools.islice(wanted, _TOGETHER))
        if not group:
            return
        yield Render(number, group)


def _is_new(
    store: Store, options: BatchOptions, read: Collection[int], name: str, shard: int, row: int, pages: int
) -> bool:
    last = shard + (row + pages - 1) // options.rows_per_shard
    if any(one in read for one in range(shard, last + 1)):
        return True
    suffixes = [FORMATS[to].suffix for to in options.files]
    return not all(
        store.place.exists(target(name, suffix)) or store.place.exists(target(name, f".partial{suffix}"))
        for suffix in suffixes
    )
