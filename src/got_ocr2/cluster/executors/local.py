"""Processes of this machine. Each has two threads here that keep it filled; a process that dies is started anew.

`concurrent.futures` and `multiprocessing` were not taken: a pool of the first is broken by the first process that is
killed, one of the second waits for its answer for ever.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..assignments import Outcome, Work, Worker
from ..options import BatchOptions

if TYPE_CHECKING:
    from typing_extensions import Self

_LANES = 2  # requests in a process at a time: when one ends, the next is there already
_LOOK = 0.05  # seconds between two looks at threads that end


class LocalExecutor:
    """See `work.Executor`."""

    def __init__(self, root: str, options: BatchOptions, model: str) -> None:
        cores = _cores()
        count = options.workers or 1
        threads = options.threads or max(1, cores // count)
        self.what = (
            f"{count} process{'es' if count > 1 else ''} of {threads} core{'s' if threads > 1 else ''} here"
        )
        self.workers = [Worker(root, options, model, threads) for _ in range(count)]
        self._lanes: list[_Lanes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for lanes in self._lanes:
            lanes.stop()
        for worker in self.workers:
            worker.close()
        # A lane may be writing a shard: the output is not given free before that has ended.
        for lanes in self._lanes:
            lanes.join()

    def run(self, work: Iterable[Work]) -> Iterator[tuple[Work, Outcome]]:
        lanes = _Lanes(self.workers, iter(work))
        self._lanes.append(lanes)
        lanes.start()
        try:
            yield from lanes.results()
        finally:
            lanes.stop()


class _Lanes:
    """The threads of one call of `run`."""

    def __init__(self, workers: Sequence[Worker], work: Iterator[Work]) -> None:
        self._work = work
        self._lock = threading.Lock()  # of the work
        self._stopped = False
        self._done: queue.Queue[tuple[Work, Outcome] | BaseException | None] = queue.Queue(
            4 * _LANES * len(workers)
        )
        self._threads = [
            threading.Thread(target=self._lane, args=(worker,), name="got-ocr2 lane", daemon=True)
            for worker in workers
            for _ in range(_LANES)
        ]

    def start(self) -> None:
        """Apart from making it: who is interrupted here can still wait for those that run."""
        for thread in self._threads:
            thread.start()

    def results(self) -> Iterator[tuple[Work, Outcome]]:
        """What is done, until all of it is; raises what a lane raised."""
        left = len(self._threads)
        while left:
            found = self._done.get()
            if found is None:
                left -= 1
            elif isinstance(found, BaseException):
                raise found
            else:
                yield found

    def stop(self) -> None:
        """No more work is taken."""
        self._stopped = True

    def join(self) -> None:
        """Waits until all lanes have ended; what they still have done is nobody's any more."""
        while any(thread.is_alive() for thread in self._threads):
            with suppress(queue.Empty):
                self._done.get(timeout=_LOOK)

    def _lane(self, worker: Worker) -> None:
        try:
            while (work := self._next()) is not None:
                self._done.put((work, worker.do(work)))
        except BaseException as e:
            self.stop()
            self._done.put(e)
        else:
            self._done.put(None)

    def _next(self) -> Work | None:
        with self._lock:
            return None if self._stopped else next(self._work, None)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
