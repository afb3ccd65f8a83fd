"""The bridge between requests, which are asynchronous, and the reader, whose calls wait.

A document is read by one thread of a few. After every page but the last it goes to the end of the queue, so that a
short document does not wait for all of a long one. All pages enter the same engine. Whoever goes away frees his pages
at once.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

from ..documents import open_document
from ..errors import GotOcr2Error
from ..ocr import OCR
from ..reading import DocumentOpened, DocumentRead, PageRead, ReadOptions, TextPiece, TextToken, TextWishes
from ..results import DocumentResult, PageResult
from .api.given import Given, Named
from .api.text_end import TextEnd
from .log import log_failure
from .memory import FreedMemory
from .metrics import Metrics
from .problems import Problem, unexpected
from .settings import Settings


@dataclass(frozen=True)
class Opened:
    """All documents of the request can be opened.

    Attributes:
        pages: number of every page that will be read, of one document after another.
        documents: as they were opened.
    """

    pages: tuple[int, ...]
    documents: tuple[Named, ...]


@dataclass(frozen=True)
class Text:
    """Characters of a page as they are written; joined, they are its text.

    Attributes:
        page: its number.
        text: the characters; with a `Task.end`, blank lines between pages are among them.
        tokens: that spell them, if they were asked for.
    """

    page: int
    text: str
    tokens: tuple[TextToken, ...] = ()


@dataclass(frozen=True)
class PageDone:
    """A page has been read, or has failed."""

    result: PageResult


@dataclass(frozen=True)
class DocumentDone:
    """All pages of a document have been read or have failed."""

    result: DocumentResult


Event: TypeAlias = Opened | Text | PageDone | DocumentDone


@dataclass(frozen=True)
class Task:
    """What is to be read.

    Attributes:
        documents: one after another; with `multi_page` they make one.
        options: for all of them.
        thousandths: a box in thousandths of the first page's sides, instead of `options.box`.
        end: where the text of all documents ends, if not with its last page.
    """

    documents: Sequence[Given]
    options: ReadOptions
    thousandths: tuple[float, float, float, float] | None = None
    end: TextEnd | None = None


class Reads:
    """Everything that is being read, or waits for it."""

    def __init__(self, ocr: OCR, settings: Settings, metrics: Metrics) -> None:
        self.ocr = ocr
        self.settings = settings
        self.metrics = metrics
        self.draining = False
        self._threads = ThreadPoolExecutor(settings.max_running, "got-ocr2 request")
        self._closing = ThreadPoolExecutor(1, "got-ocr2 vanished")
        self._lock = Lock()
        self._live: set[_Job] = set()
        self._freed = FreedMemory()
        self.waiting = 0
        self.running = 0

    @property
    def pages_together(self) -> int:
        """Pages of a document that begins now which may be in the engine: fewer where many documents are."""
        return max(1, min(self.settings.pages_together, self.settings.max_running // max(1, self.running)))

    @property
    def full(self) -> bool:
        """Whether no more requests are taken."""
        return self.waiting >= self.settings.max_queue

    def check(self, options: ReadOptions) -> None:
        """Refuses at once what this model cannot be asked.

        Raises:
            InvalidOptionError: with one sentence.
        """
        self.ocr.reader(options)

    async def events(self, task: Task, *, patient: bool = False) -> AsyncGenerator[Event, None]:
        """Reads; leaving the iteration gives the pages up.

        Args:
            task: what to read.
            patient: it waits however long the queue is; for jobs, which are few at a time.

        Raises:
            Problem: there is no room, or it took too long.
            GotOcr2Error: a document cannot be opened, or the model cannot be asked this.
        """
        self.check(task.options)
        if self.draining:
            raise Problem(503, "The server is about to end and takes no more requests.", retry_after=5)
        if self.full and not patient:
            self.metrics.refused.labels("queue").inc()
            raise Problem(
                503, f"{self.settings.max_queue} requests wait already (max_queue); try again.", retry_after=2
            )
        job = _Job(self, task, asyncio.get_running_loop())
        until = time.monotonic() + self.settings.max_seconds
        self._begin(job)
        try:
            while True:
                try:
                    event = await asyncio.wait_for(job.next(), max(0.0, until - time.monotonic()))
                except (TimeoutError, asyncio.TimeoutError):
                    raise Problem(
                        504, f"Reading took more than {self.settings.max_seconds:g} seconds (max_seconds)."
                    ) from None
                if event is None:
                    return
                yield event
        finally:
            job.give_up()

    async def whole(self, task: Task, *, patient: bool = False) -> tuple[Opened, list[DocumentResult]]:
        """Reads to the end; see `events`. Whoever waits for it may be cancelled."""
        opened, results = Opened((), ()), list[DocumentResult]()
        events = self.events(task, patient=patient)
        try:
            async for event in events:
                if isinstance(event, Opened):
                    opened = event
                elif isinstance(event, DocumentDone):
                    results.append(event.result)
        finally:
            await events.aclose()
        return opened, results

    async def call(self, function: Callable[[], object]) -> object:
        """Calls what may take long, such as drawing a page, in a thread of its own kind."""
        return await asyncio.get_running_loop().run_in_executor(None, function)

    def close(self) -> None:
        """Gives everything up and ends the threads."""
        self.draining = True
        for job in list(self._live):
            job.give_up()
        self._threads.shutdown(wait=True)
        self._closing.shutdown(wait=True)

    # --- for jobs ---

    def _begin(self, job: _Job) -> None:
        with self._lock:
            self._live.add(job)
            self.waiting += 1
        self._threads.submit(job.run)

    def again(self, job: _Job) -> bool:
        """Puts a job behind those that wait, if there are any."""
        with self._lock:
            if not self.waiting:
                return False
        self._threads.submit(job.run)
        return True

    def started(self) -> None:
        """A job has left the queue."""
        with self._lock:
            self.waiting -= 1
            self.running += 1

    def ended(self, job: _Job, *, started: bool) -> None:
        """A job is over."""
        with self._lock:
            if job in self._live:
                self._live.discard(job)
                if started:
                    self.running -= 1
                else:
                    self.waiting -= 1
        self.free()

    def free(self) -> None:
        """What pictures took goes back to the system."""
        self._freed.give_back()

    def close_later(self, job: _Job) -> None:
        """Closes a job that no thread works for."""
        self._closing.submit(job.close)


class _Job:
    """A task in the hands of threads, one at a time; its events go to the loop of the request."""

    def __init__(self, reads: Reads, task: Task, loop: asyncio.AbstractEventLoop) -> None:
        self._reads = reads
        self._task = task
        self._loop = loop
        self._ready = asyncio.Event()
        self._events: deque[Event | BaseException | None] = deque()
        self._work: Generator[Event, None, None] | None = None
        self._state = Lock()
        self._busy = False  # a thread works for it
        self._given_up = False
        self._last = False  # no page is left
        self._began = time.monotonic()

    # --- on the loop ---

    async def next(self) -> Event | None:
        """The next event; None at the end."""
        while not self._events:
            self._ready.clear()
            await self._ready.wait()
        event = self._events.popleft()
        if isinstance(event, BaseException):
            raise event
        return event

    def _put(self, event: Event | BaseException | None) -> None:
        last = self._events[-1] if self._events else None
        if isinstance(event, Text) and isinstance(last, Text) and last.page == event.page:
            # A slow client gets longer pieces, not more of them.
            self._events[-1] = Text(last.page, last.text + event.text, last.tokens + event.tokens)
        else:
            self._events.append(event)
        self._ready.set()

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        with self._state:
            if self._given_up:
                return
            self._given_up = True
            idle = not self._busy
        if idle:
            self._reads.close_later(self)

    # --- in threads ---

    def run(self) -> None:
        """Works until a page is done and somebody else waits, or to the end."""
        with self._state:
            if self._given_up:
                return
            self._busy = True
        if self._work is None:
            self._reads.started()
            self._work = self._steps()
        try:
            for event in self._work:
                self._tell(event)
                if isinstance(event, PageDone) and not (self._last or self._given_up) and self._pause():
                    return
        except BaseException as error:
            if not self._given_up:
                self._tell(self._public(error))
        else:
            self._tell(None)
        self.close()

    def _pause(self) -> bool:
        """Lets those go first that wait; says whether there are any."""
        with self._state:
            if self._given_up:
                return False
            self._busy = not self._reads.again(self)
            return not self._busy

    def close(self) -> None:
        """Frees what it holds."""
        work, self._work = self._work, None
        if work is not None:
            work.close()
        with self._state:
            self._given_up = True
            self._busy = False
        self._reads.ended(self, started=work is not None)

    def _tell(self, event: Event | BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._put, event)
        except RuntimeError:  # the loop is closed: nobody listens
            self._given_up = True

    @staticmethod
    def _public(error: BaseException) -> BaseException:
        if isinstance(error, GotOcr2Error | Problem):
            return error
        log_failure(error)
        return unexpected()

    def _steps(self) -> Generator[Event, None, None]:
        reads, options = self._reads, self._task.options
        documents = tuple(give() for give in self._task.documents)
        numbers, size = self._opened(documents)
        yield Opened(tuple(numbers), documents)
        if self._task.thousandths is not None:
            x1, y1, x2, y2 = self._task.thousandths
            width, height = size
            box = (x1 * width / 1000, y1 * height / 1000, x2 * width / 1000, y2 * height / 1000)
            options = dataclasses.replace(options, box=box)
        end = self._task.end or TextEnd(TextWishes(), separator="")
        reader = reads.ocr.reader(options, batch_size=reads.pages_together, wishes=end.wishes)
        together = options.multi_page and len(documents) > 1
        page, opened, due, first = 0, 0, 0, True
        done: list[PageResult] = []
        sources = [list(documents)] if together else list(documents)
        read = reader.events(sources, given_up=lambda: self._given_up, finished=lambda: end.reason)
        for event in read:
            if isinstance(event, TextPiece | PageRead) and first:
                first = False
                reads.metrics.first_token.observe(time.monotonic() - self._began)
            if isinstance(event, DocumentOpened):
                opened, due = opened + 1, event.results
            number = numbers[min(page, len(numbers) - 1)]
            if isinstance(event, TextPiece):
                if (piece := end.put(event)).text:
                    yield Text(number, piece.text, piece.tokens)
            elif isinstance(event, PageRead):
                page, due = page + 1, due - 1
                self._last = opened == len(sources) and not due
                end.page(event.result)
                done.append(event.result)
                reads.metrics.page(event.result)
                yield PageDone(event.result)
            elif isinstance(event, DocumentRead):
                yield DocumentDone(DocumentResult(done[0].source, tuple(done)))
                done = []
        if (rest := end.end()).text:
            yield Text(numbers[-1], rest.text, rest.tokens)

    def _opened(self, documents: Sequence[Named]) -> tuple[list[int], tuple[int, int]]:
        """Numbers of the pages to read, and the size of the first, if it will be needed."""
        options = self._task.options
        numbers: list[int] = []
        size = (0, 0)
        for document in documents:
            with open_document(
                document,
                pages=options.pages,
                dpi=options.dpi,
                password=options.password,
                limits=options.limits,
            ) as found:
                if not numbers and self._task.thousandths is not None:
                    size = found.load(found.numbers[0]).image.size
                numbers += found.numbers
            document.seek(0)
        return numbers, size
