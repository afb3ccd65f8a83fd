"""Continuous batching: pages are submitted at any time, enter and leave between steps, and never wait for others.

The only decode loop in the house. A step lets in the pages that fit, encodes their pictures, runs every page that
goes on and every prompt that begins through the runner together, and hands out the tokens.

    with Engine(runner, positions=8192, threaded=True) as engine:
        handles = [engine.submit(request) for request in requests]
        results = [handle.result() for handle in handles]
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from time import monotonic

import torch

from ...errors import GotOcr2Error, InvalidOptionError
from ..rules.stopping import FinishReason
from .image_encoding import encode_each
from .requests import Handle, Request
from .row import Row
from .runner import Runner
from .scheduler import Limits, Scheduler
from .step import Launched, Part, Tape
from .waiting import Waiting

_LOOK_AGAIN = 0.05  # seconds after which a thread that waits for another one's step looks by itself


class Engine:
    """Reads many pages with one runner, each with options of its own.

    A page's tokens do not depend on its neighbours, nor on when it came. Any thread may submit pages and use their
    handles. Without a thread of its own, the engine works while somebody waits for a page, in that thread.

    Attributes:
        runner: does the steps; this engine's alone until it is closed.
        threaded: whether a thread of its own drives the steps.
        steps: how many there have been.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        positions: int,
        rows: int = 64,
        prefill_tokens: int = 4096,
        pictures: int = 8,
        lag: int | None = None,
        threaded: bool = False,
    ) -> None:
        """Makes the runner's arena.

        Args:
            positions: of the arena; every page takes as many as its prompt and its `max_new_tokens` together.
            rows: most pages that run at a time.
            prefill_tokens: most prompt tokens that enter in one step; one prompt alone may be longer.
            pictures: most pictures that are encoded at a time.
            lag: steps that are launched before the tokens of one are read: 1 keeps an asynchronous device busy, 0
                waits for every token. Default: 1 on CUDA, else 0. Drafted tokens are always waited for.
            threaded: start a thread that does the work. It ends with `close`.

        Raises:
            InvalidOptionError: a number below 1, or an arena that does not fit into memory.
        """
        limits = {
            "positions": positions,
            "rows": rows,
            "prefill_tokens": prefill_tokens,
            "pictures": pictures,
        }
        for name, value in limits.items():
            if value < 1:
                raise InvalidOptionError(f"{name} must be at least 1, got {value}.")
        self.runner = runner
        self.threaded = threaded
        self.steps = 0
        self._pictures = pictures
        self._lag = lag if lag is not None else int(runner.device.type == "cuda")
        runner.allocate(positions)
        self._tape = Tape(runner, positions)
        self._scheduler: Scheduler[Row] = Scheduler(Limits(positions, rows, prefill_tokens))
        self._launched: deque[Launched] = deque()
        # Written by any thread, emptied by the one that steps.
        self._arrived: deque[Row] = deque()
        self._given_up: deque[tuple[Handle, FinishReason | None]] = deque()  # None: cancelled
        self._live: dict[Handle, Row] = {}
        self._closed = False
        self._mark = 0.0  # until when time has been charged to pages
        self._news = threading.Condition()  # something arrived, a step was done, or the engine is closed
        self._waiting: set[Waiting] = set()  # threads, where the engine has one of its own
        self._stepping = threading.Lock()
        self._worker: threading.Thread | None = None
        if threaded:
            self._worker = threading.Thread(target=self._work, name="got-ocr2 engine", daemon=True)
            self._worker.start()

    # --- for any thread ---

    def submit(self, request: Request) -> Handle:
        """Puts a page at the end of the queue, or of its flow's.

        Raises:
            InvalidOptionError: it could never fit into the arena, or wants stop strings without a tokenizer.
            GotOcr2Error: the engine is closed.
        """
        self._scheduler.check(len(request.ids), request.max_new_tokens)
        handle = Handle(self)
        row = Row(request, handle)
        with self._news:
            if self._closed:
                raise GotOcr2Error("The engine is closed; it takes no more pages.")
            self._live[handle] = row
            self._arrived.append(row)
            self._news.notify_all()
        return handle

    def cancel(self, handle: Handle) -> None:
        """Gives a page up; see `Handle.cancel`."""
        self._stop(handle, None)

    def finish(self, handle: Handle, reason: FinishReason) -> None:
        """Ends a page where it is; see `Handle.finish`."""
        self._stop(handle, reason)

    def _stop(self, handle: Handle, reason: FinishReason | None) -> None:
        if handle not in self._live:
            return
        with self._news:
            self._given_up.append((handle, reason))
            self._news.notify_all()
        if not self.threaded and self._stepping.acquire(blocking=False):
            try:
                self._take_in()
            finally:
                self._stepping.release()

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> None:
        """Comes back when `ready()` holds, which is looked at after every step; meanwhile pages are read.

        Raises:
            TimeoutError: it does not hold after `timeout` seconds.
        """
        if self.threaded:
            waiting = Waiting(ready)
            with self._news:
                waiting.look()
                self._waiting.add(waiting)
            try:
                if not waiting.over(timeout):
                    raise TimeoutError(f"The page was not ready after {timeout} seconds.")
            finally:
                with self._news:
                    self._waiting.discard(waiting)
            return
        until = None if timeout is None else monotonic() + timeout
        while not ready():
            if until is not None and monotonic() > until:
                raise TimeoutError(f"The page was not ready after {timeout} seconds.")
            if not self._stepping.acquire(blocking=False):
                # Somebody else does the work; look again after his step.
                with self._news:
                    self._news.wait(_LOOK_AGAIN)
                continue
            try:
                if not ready() and not self._step():
                    raise GotOcr2Error("The engine has nothing left to do, but somebody waits for it.")
            finally:
                self._stepping.release()
                with self._news:
                    self._news.notify_all()

    def step(self) -> bool:
        """Does one step; says whether there was anything to do. For engines without a thread of their own."""
        with self._stepping:
            return self._step()

    @property
    def free_positions(self) -> int:
        """Positions of the arena that no page owns."""
        return self._scheduler.free_positions

    @property
    def running(self) -> int:
        """Pages that have been admitted and have not left."""
        return len(self._scheduler.running)

    @property
    def waiting(self) -> int:
        """Pages that have been submitted and not admitted."""
        return len(self._arrived) + len(self._scheduler.waiting)

    @property
    def closed(self) -> bool:
        """Whether it takes no more pages: it was closed, or its device failed."""
        return self._closed

    def close(self) -> None:
        """Stops the work and gives the arena back; pages that have not ended fail. It may be called again."""
        with self._news:
            closed, self._closed = self._closed, True
            self._news.notify_all()
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join()
        if not closed:
            with self._stepping:
                self._give_up(GotOcr2Error("The engine was closed before the page was read."))
            self._tell()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- for the thread that steps, one at a time ---

    def _work(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._closed or self._busy)
                if self._closed:
                    return
            try:
                with self._stepping:
                    self._step()
            except BaseException:
                return  # every page has been told
            finally:
                self._tell()

    def _tell(self) -> None:
        """Wakes those whose time has come. All of them after every step would take the step's own processor from it."""
        with self._news:
            for waiting in self._waiting:
                waiting.look()

    @property
    def _busy(self) -> bool:
        return bool(self._arrived or self._given_up or self._launched or self._scheduler.busy)

    @torch.inference_mode()
    def _step(self) -> bool:
        if not self._busy:
            return False
        self.steps += 1
        self._mark = monotonic()
        try:
            self._take_in()
            self._admit()
            launched = self._launch()
            while len(self._launched) > (self._lag if launched else 0):
                self._read(self._launched.popleft())
        except Exception as error:
            # Nothing a page can have caused: what the device holds is no longer known.
            self._closed = True
            self._give_up(error)
            raise
        return True

    def _take_in(self) -> None:
        """Pages that arrived join the queue; those that were given up leave it, or the arena."""
        while self._arrived:
            row = self._arrived.popleft()
            if row.handle in self._live:  # it may have been given up before it got here
                self._scheduler.add(row, row.prompt, row.limit, row.flow)
        while self._given_up:
            handle, reason = self._given_up.popleft()
            row = self._live.get(handle)
            if row is None:
                continue
            if reason is None or not handle.tokens:
                self._end(row, CancelledError())
            else:
                handle.finished(reason)
                self._end(row)

    def _admit(self) -> None:
        admitted = self._scheduler.admit()
        for row, span in admitted:
            row.admit(span)
            self._tape.write(span, row.ids)
            row.ids = ()
        with_pictures = [row for row, _ in admitted if row.pixels is not None]
        pixels = [row.pixels for row in with_pictures if row.pixels is not None]
        for row, features in zip(
            with_pictures, encode_each(self.runner, pixels, self._pictures), strict=True
        ):
            row.pixels = None
            if isinstance(features, Exception):
                self._end(row, features)
            else:
                row.features = features

    def _launch(self) -> bool:
        """Runs every page that may gain a token; says whether there was one."""
        if any(row.drafts for row in self._scheduler.running):
            while self._launched:  # a draft continues what is known
                self._read(self._launched.popleft())
        rows = [row for row in self._scheduler.running if row.chosen < row.limit]
        # Prompts of one length stand together: runners may put them through attention in one go.
        rows.sort(key=lambda row: (row.stored == 0, row.prompt if row.stored == 0 else 0))
        parts = [part for row in rows if (part := self._part(row)) is not None]
        if not parts:
            return False
        try:
            self._run(parts)
        except Exception as error:
            if len(parts) == 1:
                self._end(parts[0].row, error)
            else:
                self._run_each(parts)
        return True

    def _part(self, row: Row) -> Part | None:
        try:
            drafted = tuple(row.draft())
        except Exception as error:  # the drafter's
            self._end(row, error)
            return None
        return Part(row, row.input(len(drafted)), drafted)

    def _run(self, parts: Sequence[Part]) -> None:
        self._launched.append(self._tape.launch(parts))
        for part in parts:
            part.row.launched(part.input)

    def _run_each(self, parts: Sequence[Part]) -> None:
        """A step failed: each row is tried alone, so that only those fail which are to blame."""
        for part in parts:
            try:
                self._run([part])
            except Exception as error:
                self._end(part.row, error)

    def _read(self, launched: Launched) -> None:
        """Hands the tokens of a step to its rows."""
        try:
            answers = list(launched.answers())
        except Exception as error:  # an asynchronous device says late what went wrong
            for part in launched.parts:
                self._end(part.row, error)
            return
        now = monotonic()
        share, self._mark = (now - self._mark) / len(answers), now
        for answer in answers:
            answer.part.row.handle.worked(share)
            row, drafted = answer.part.row, len(answer.part.drafted)
            if row.ended:
                continue
            try:
                if drafted:
                    row.verified(drafted, len(answer.tokens) - 1)
                row.take(answer.tokens, answer.logprobs, answer.scores, answer.top)
            except Exception as error:
                self._end(row, error)
            else:
                if row.ended:
                    self._end(row)

    def _end(self, row: Row, error: BaseException | None = None) -> None:
        """The page leaves: it is done, or `error` says why not."""
        if self._live.pop(row.handle, None) is not None:
            row.leave()
            self._scheduler.remove(row)
            row.handle.ended(error)

    def _give_up(self, error: BaseException) -> None:
        self._launched.clear()
        for row in list(self._live.values()):
            self._end(row, error)
        self._arrived.clear()
        self._given_up.clear()
        self.runner.release()
