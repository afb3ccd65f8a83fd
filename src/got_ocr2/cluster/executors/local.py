"""Processes of this machine. Each has two threads here that keep it filled; a process that dies is started anew.

`concurrent.futures` and `multiprocessing` were not taken: a pool of the first is broken by the first process that is
killed, one of the second waits for its answer for ever.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..assignments import Outcome, Work, Worker
from ..options import BatchOptions

if TYPE_CHECKING:
    from typing_extensions import Self

_LANES = 2  # requests in a process at a time: when one ends, the next is there already


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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.close()

    def run(self, work: Iterable[Work]) -> Iterator[tuple[Work, Outcome]]:
        waiting = _Shared(iter(work))
        done: queue.Queue[tuple[Work, Outcome] | BaseException | None] = queue.Queue(
            4 * _LANES * len(self.workers)
        )
        lanes = [
            threading.Thread(target=_lane, args=(worker, waiting, done), name="got-ocr2 lane", daemon=True)
            for worker in self.workers
            for _ in range(_LANES)
        ]
        for lane in lanes:
            lane.start()
        left = len(lanes)
        try:
            while left:
                found = done.get()
                if found is None:
                    left -= 1
                elif isinstance(found, BaseException):
                    raise found
                else:
                    yield found
        finally:
            waiting.stop()
            if left:  # given up: nobody waits for what is being done
                self.__exit__()


def _lane(
    worker: Worker, waiting: _Shared, done: queue.Queue[tuple[Work, Outcome] | BaseException | None]
) -> None:
    try:
        while (work := waiting.next()) is not None:
            done.put((work, worker.do(work)))
    except BaseException as e:
        waiting.stop()
        done.put(e)
    else:
        done.put(None)


class _Shared:
    """Work that several threads take from."""

    def __init__(self, work: Iterator[Work]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._stopped = False

    def next(self) -> Work | None:
        with self._lock:
            return None if self._stopped else next(self._work, None)

    def stop(self) -> None:
        self._stopped = True


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
