"""Does a task: its pages are read by a worker, and their rows kept in a file."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import blake2b

from ..results import PageError
from .earlier import kept_rows, pages_of
from .options import BatchOptions
from .plan import Slice
from .rows import Row, failed_row
from .store import Store
from .tasks import Counts, Task, plan_of, read_task, task_file
from .workers.protocol import Request
from .workers.supervisor import Supervisor


def run_task(store: Store, options: BatchOptions, model: str, supervisor: Supervisor, task: Task) -> Counts:
    """Reads the pages of a task and keeps the rows; does nothing if that was done before.

    Returns:
        What is in it; `kept` of it was not read now.

    Raises:
        FileAccessError: the output cannot be read or written.
        GotOcr2Error: the model cannot be opened.
    """
    slices = plan_of(store.root, task.shard, task.plan).task(task.number, task.size)
    key = task_file(store, task, slices)
    done = read_task(store, key)
    if done is not None:
        return replace(done[0], kept=done[0].rows)
    rows = _without_reading(store, options, model, task, slices)
    kept = sum(row is not None and row.status != "failed" for row in rows)
    _read_rest(rows, slices, options, model, supervisor)
    whole = [row for row in rows if row is not None]
    names = [(s.document.source.name, page) for s in slices for _, _, page in pages_of(s)]
    counts = Counts.of(whole, names)
    data = b"".join(row.json + b"\n" for row in whole)
    head = {**counts.to_dict(), "sum": blake2b(data, digest_size=16).hexdigest()}
    store.place.write(key, json.dumps(head).encode() + b"\n" + data, sync=False)
    return replace(counts, kept=kept)


def _without_reading(
    store: Store, options: BatchOptions, model: str, task: Task, slices: tuple[Slice, ...]
) -> list[Row | None]:
    """A row for each page of a document that cannot be opened, or that an earlier run has read; None for the others."""
    earlier = {} if task.earlier is None else kept_rows(store.root, options.shards, task.shard, task.earlier)
    rows: list[Row | None] = []
    for s in slices:
        error, name = s.document.error, s.document.source.name
        for place in pages_of(s):
            if error is None:
                rows.append(earlier.get(place))
            else:
                rows.append(failed_row(name, place[2], error, model, keep_result=bool(options.files)))
    return rows


def _read_rest(
    rows: list[Row | None],
    slices: tuple[Slice, ...],
    options: BatchOptions,
    model: str,
    supervisor: Supervisor,
) -> None:
    """Puts rows where there are none."""
    request, places = Request.read(slices), [number for number, row in enumerate(rows) if row is None]
    if not places:
        return
    request = request.only(places)

    def failed(item: int, error: PageError) -> Row:
        name, page = request.names[item]
        return failed_row(name, page, error, model, keep_result=bool(options.files))

    for place, row in zip(places, supervisor.run(request, failed), strict=True):
        rows[place] = row
