"""Does a task: its pages are read by a worker, and their rows kept in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b

from ..results import PageError
from .earlier import kept_rows, pages_of
from .options import BatchOptions
from .plan import Slice
from .rows import Row, failed_row
from .store import Store
from .tasks import Counts, Task, plan_of, read_task, task_file
from .workers.protocol import Drawn, Request, parse_drawn
from .workers.supervisor import Supervisor


class TaskRunner:
    """Does the tasks of a run, with the process of one worker."""

    def __init__(self, store: Store, options: BatchOptions, model: str, supervisor: Supervisor) -> None:
        """Args:
        store, options: of the run.
        model: name and sum of the checkpoint.
        supervisor: has the process.
        """
        self._store = store
        self._options = options
        self._model = model
        self._supervisor = supervisor

    def run(self, task: Task, drawn: Mapping[int, Drawn] | None = None) -> Counts:
        """Reads the pages of a task and keeps the rows; does nothing if that was done before.

        Args:
            task: which.
            drawn: what `draw` gave for it; without, pages are drawn by the process that reads them.

        Returns:
            What is in it; `kept` of it was not read now.

        Raises:
            FileAccessError: the output cannot be read or written.
            GotOcr2Error: the model cannot be opened.
        """
        slices = self._slices(task)
        key = task_file(self._store, task, slices)
        done = read_task(self._store, key)
        if done is not None:
            return replace(done[0], kept=done[0].rows)
        rows = self._without_reading(task, slices)
        kept = sum(row is not None and row.status != "failed" for row in rows)
        self._read_rest(rows, slices, drawn or {})
        whole = [row for row in rows if row is not None]
        names = [(s.document.source.name, page) for s in slices for _, _, page in pages_of(s)]
        counts = Counts.of(whole, names)
        data = b"".join(row.json + b"\n" for row in whole)
        head = {**counts.to_dict(), "sum": blake2b(data, digest_size=16).hexdigest()}
        self._store.place.write(key, json.dumps(head).encode() + b"\n" + data, sync=False)
        return replace(counts, kept=kept)

    def draw(self, task: Task) -> dict[int, Drawn]:
        """Opens and draws the pages of a task that have to be read, by their numbers in it from 0.

        Raises:
            FileAccessError: the output cannot be read.
        """
        slices = self._slices(task)
        if read_task(self._store, task_file(self._store, task, slices)) is not None:
            return {}
        rows = self._without_reading(task, slices)
        places = [number for number, row in enumerate(rows) if row is None]
        request = Request.of_pages("draw", slices).only(places)

        def failed(_: int, error: PageError) -> Row:
            said = {"error": [error.type, error.message, error.exit_code]}
            return Row(json.dumps(said).encode(), "looked", 0.0, error.exit_code)

        drawn = self._supervisor.run(request, failed)
        return {place: parse_drawn(row.json) for place, row in zip(places, drawn, strict=True)}

    def _slices(self, task: Task) -> tuple[Slice, ...]:
        return plan_of(self._store.root, task.shard, task.plan).task(task.number, task.size)

    def _failed_row(self, name: str, page: int, error: PageError) -> Row:
        return failed_row(name, page, error, self._model, keep_result=bool(self._options.files))

    def _without_reading(self, task: Task, slices: tuple[Slice, ...]) -> list[Row | None]:
        """A row for each page of a document that cannot be opened, or that an earlier run has read; else None."""
        earlier: Mapping[tuple[str, str, int], Row] = {}
        if task.earlier is not None:
            earlier = kept_rows(self._store.root, self._options.shards, task.shard, task.earlier)
        rows: list[Row | None] = []
        for s in slices:
            error, name = s.document.error, s.document.source.name
            for place in pages_of(s):
                rows.append(earlier.get(place) if error is None else self._failed_row(name, place[2], error))
        return rows

    def _read_rest(
        self, rows: list[Row | None], slices: tuple[Slice, ...], drawn: Mapping[int, Drawn]
    ) -> None:
        """Puts rows where there are none."""
        request = Request.of_pages("read", slices)
        for place, (name, page) in enumerate(request.names):
            error = drawn.get(place)
            if rows[place] is None and isinstance(error, PageError):
                rows[place] = self._failed_row(name, page, error)
        places = [number for number, row in enumerate(rows) if row is None]
        if not places:
            return
        pages = [page if isinstance(page := drawn.get(place), bytes) else None for place in places]
        request = request.only(places).with_drawn(pages)

        def failed(item: int, error: PageError) -> Row:
            name, page = request.names[item]
            return self._failed_row(name, page, error)

        for place, row in zip(places, self._supervisor.run(request, failed), strict=True):
            rows[place] = row
