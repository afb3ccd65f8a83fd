"""Gets every item of a request done, whatever its process does: dies, hangs, or eats memory.

Items that were not answered when a process ended are tried one by one, each alone in a process, so that only what is to
blame fails.
"""

from __future__ import annotations

import itertools
import json
import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress

from ...errors import CheckpointError, GotOcr2Error
from ...results import PageError
from ..options import BatchOptions
from ..rows import Row
from .child import Settings
from .process import ChildProcess
from .protocol import Reply, Request, parse_reply
from .starts import Starts

Failed = Callable[[int, PageError], Row]
"""Makes the reply of an item that cannot be done."""

_OPENING = 1800.0  # seconds in which a model is downloaded and opened
_LOOK = 0.5  # seconds between two looks at a process that says nothing


class WorkerError(GotOcr2Error):
    """A page ended the process that read it."""


class Supervisor:
    """One worker. `run` may be called by several threads: the pages of both calls meet in the engine."""

    def __init__(
        self, options: BatchOptions, settings: Settings, threads: int, proven: Callable[[], bool]
    ) -> None:
        """Args:
        options: how long a page may take, how often it is tried.
        settings: for the process.
        threads: processor cores of the process.
        proven: whether processes with these settings are known to work, see `Starts`.
        """
        self._options = options
        self._settings = settings
        self._threads = threads
        self._lock = threading.Lock()  # of the process and who waits for it
        self._child: ChildProcess | None = None
        self._waiting: dict[int, queue.SimpleQueue[Reply | None]] = {}
        self._fatal: GotOcr2Error | None = None
        self._starts = Starts(proven)
        self._numbers = itertools.count()
        self._turn = _Turn()
        self._closed = threading.Event()

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one."""
        child = self._child
        return None if child is None else child.pid

    def run(self, request: Request, failed: Failed) -> list[Row]:
        """A row for every item, in order.

        Raises:
            GotOcr2Error: no work can be done at all, because the model cannot be opened.
        """
        rows: dict[int, Row] = {}
        with self._turn.together():
            self._attempt(request, range(len(request.items)), rows)
        for item in range(len(request.items)):
            if item not in rows:
                with self._turn.alone():
                    rows[item] = self._alone(request, item, failed)
        return [rows[item] for item in range(len(request.items))]

    def close(self) -> None:
        """Ends the process; calls that run raise."""
        self._closed.set()
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.close()

    def _alone(self, request: Request, item: int, failed: Failed) -> Row:
        rows: dict[int, Row] = {}
        why = ""
        for _ in range(1 + self._options.retries):
            why = self._attempt(request, [item], rows)
            if item in rows:
                return rows[item]
        name, page = request.names[item]
        where = f"Page {page} of {name}" if request.kind in ("read", "draw") else name
        times = f"{1 + self._options.retries} times" if self._options.retries else "once"
        message = f"{where} ended the process that worked on it, alone, {times}: {why}."
        return failed(item, PageError(WorkerError.__name__, message, WorkerError.exit_code))

    def _attempt(self, request: Request, wanted: Sequence[int], rows: dict[int, Row]) -> str:
        """Tries some items; those that are done stand in `rows`. Returns why the process ended, or "".

        A process that ends before it can work on them is no try of theirs: the next one is started after a pause.
        """
        if not wanted:
            return ""
        while (child := self._ask(request, wanted, rows)) is not None:
            why = child.why_ended()
            if self._fatal is not None:
                raise self._fatal
            if self._closed.is_set():
                raise GotOcr2Error("The worker was closed.")
            if child.started and (child.opened or request.kind != "read"):
                return why
            if self._starts.used_up:
                raise CheckpointError(
                    f"{self._starts.failed} processes in a row ended before they could begin to work, the last "
                    f"because {why}."
                )
            self._closed.wait(self._starts.pause)
        return ""

    def _ask(self, request: Request, wanted: Sequence[int], rows: dict[int, Row]) -> ChildProcess | None:
        """Has a process do some items. Returns it if it ended before it had done them all."""
        seq = next(self._numbers)
        inbox: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        with self._lock:
            if self._closed.is_set():
                raise GotOcr2Error("The worker was closed.")
            if self._child is None:
                self._child = ChildProcess(self._settings, self._threads, self._hear)
            child = self._child
            self._waiting[seq] = inbox
        child.reading |= request.kind == "read"
        child.heard = time.monotonic()  # what it was silent about before, nobody had asked for
        child.send(request.message(seq, wanted))
        try:
            left, looked = len(wanted), time.monotonic()
            while left:
                with suppress(queue.Empty):
                    reply = inbox.get(timeout=_LOOK)
                    if reply is None:
                        return child
                    rows[wanted[reply.item]] = reply.row
                    left -= 1
                if time.monotonic() - looked > _LOOK:
                    self._check(child)
                    looked = time.monotonic()
        finally:
            with self._lock:
                self._waiting.pop(seq, None)
        return None

    def _hear(self, line: bytes | None) -> None:
        """In the thread that listens to the process."""
        if line is None:
            with self._lock:
                waiting, self._waiting = self._waiting, {}
                ended, self._child = self._child, None
            if ended is not None and _opens(ended):
                self._starts.fail()
            for inbox in waiting.values():
                inbox.put(None)
            if ended is not None:
                ended.reap()
        elif line.startswith((b"S", b"O")):
            child = self._child
            if child is not None:
                child.started = True
                child.opened |= line.startswith(b"O")
                if child.opened:
                    self._starts.succeed(opened=True)
        elif line.startswith(b"F "):
            said = json.loads(line[2:])
            self._fatal = _as_said(said)
        else:
            reply = parse_reply(line)
            self._starts.succeed(opened=False)
            with self._lock:
                inbox = self._waiting.get(reply.seq)
            if inbox is not None:
                inbox.put(reply)

    def _check(self, child: ChildProcess) -> None:
        """Ends a process that says nothing for too long or has grown too large."""
        limit = max(_OPENING, self._options.page_timeout) if _opens(child) else self._options.page_timeout
        if time.monotonic() - child.heard > limit:
            child.kill(f"there was no word from it for {limit:g} seconds")
        most = self._options.worker_memory
        if most is not None and child.memory() > most:
            child.kill(f"it took more than {most:,} bytes of memory")


def _opens(child: ChildProcess) -> bool:
    """Whether it is still starting or opening its model, so that no page can be to blame for what happens."""
    return not child.started or (child.reading and not child.opened)


def _as_said(said: dict[str, object]) -> GotOcr2Error:
    """The error of a process as one of this one, with the same sentence and exit code."""
    error = GotOcr2Error(str(said["message"]))
    error.exit_code = int(str(said["exit_code"]))
    return error


class _Turn:
    """Many may work together, or one alone; who wants to be alone comes first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = 0
        self._alone = False
        self._wanting = 0

    @contextmanager
    def together(self) -> Generator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not self._wanting)
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Generator[None]:
        with self._changed:
            self._wanting += 1
            self._changed.wait_for(lambda: not self._alone and not self._together)
            self._wanting -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
