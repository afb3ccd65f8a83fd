"""The one way from sources to results: pages enter the engine as others leave it, and come out in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, TypeAlias

from ..results import DocumentResult, PageError, PageResult
from .blank_pages import is_blank
from .events import DocumentOpened, DocumentRead, Event, PageRead, TextPiece
from .first_reading import FirstReading, first_options
from .lines.line_writer import LineWriter, check_lines
from .options import ReadOptions, check_count
from .page_loading import DocumentEnd, Unit, Work, work_of
from .pages import PageWriter
from .progress import Finished, InProgress
from .text_wishes import TextWishes

if TYPE_CHECKING:
    from ..documents.sources import Source
    from ..generation.engine.engine import Engine
    from ..modeling import GotOcr2ForConditionalGeneration
    from ..processing import GotOcr2Processor

# Pages that have ended wait for the ones before them; so many times the batch may wait before no more is opened.
_WAITING_ROOM = 8

# Threads that prepare pages while an engine with a thread of its own reads others.
_PREPARING = 4

# Of all readers, as many threads prepare a page at a time as there are cores: more would take memory, a dozen masks of
# a page each, and save no time.
_TURNS = BoundedSemaphore(os.cpu_count() or 1)

_Queued: TypeAlias = (
    "DocumentOpened | InProgress | PageResult | DocumentEnd | Future[InProgress | PageResult]"
)


class Reader:
    """Reads sources with one model and one set of options.

    Attributes:
        options: what is asked.
        batch_size: most pages that are in the engine at a time.
        strict: raise at the first failure instead of recording it.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        model: GotOcr2ForConditionalGeneration,
        processor: GotOcr2Processor,
        options: ReadOptions,
        *,
        line_writer: Callable[[ReadOptions], LineWriter],
        batch_size: int = 1,
        strict: bool = False,
        wishes: TextWishes | None = None,
    ) -> None:
        """Checks what can be checked before a document is opened.

        Args:
            engine: gives what reads the pages; called when there is one to be read.
            model, processor: of one checkpoint.
            options, batch_size, strict: see above.
            wishes: what is wanted of the texts, for servers.
            line_writer: gives what reads pages line by line before the model does, if the options ask for it.

        Raises:
            CheckpointError: there is no reader of lines, but the options need one.
            InvalidOptionError: a batch below 1, a question that the checkpoint's dialect does not have, or one that a
                reader of lines cannot answer.
        """
        from ..processing.prompts import Question

        check_count("batch_size", batch_size)
        box = None if options.box is None else (0, 0, 0, 0)
        for crop in {options.crop, options.crop or options.on_loop == "retry_cropped"}:
            question = Question(options.format, box, options.color, options.multi_page, crop)
            question.wording(processor.dialect)
        self.options = options
        self.batch_size = batch_size
        self.strict = strict
        by_lines = processor.reads == "lines" if options.lines is None else options.lines
        self._writer: LineWriter | PageWriter
        if by_lines:
            check_lines(options)
            self._writer = LineWriter(engine, model, processor, options, wishes)
        else:
            first = FirstReading(line_writer(first_options(options))) if options.needs_lines else None
            self._writer = PageWriter(engine, model, processor, options, first, wishes)

    def events(
        self,
        sources: Iterable[Source | Sequence[Source]],
        *,
        given_up: Callable[[], bool] = lambda: False,
        finished: Callable[[], Finished | None] = lambda: None,
    ) -> Iterator[Event]:
        """Reads the sources; every page gets exactly one result, in order.

        Sources are opened and pages loaded one after another, as soon as there is room for another page. The text
        of the first page that has not ended comes as it is written. With `strict`, a failure is raised where it
        happens. Otherwise it becomes a result with the status "failed", and reading goes on. Leaving the
        iteration gives up the pages in the engine.

        Args:
            sources: as for `OCR.read_many`.
            given_up: asked after every step of the engine; once it holds, the pages in the engine are given up and
                the iteration ends. Another thread may change its answer.
            finished: asked after every piece of text: enough has been written, and why. The page that the piece belongs
                to then ends where it is, those after it are given up, and the iteration ends with its result.
        """
        results: list[PageResult] = []
        work = work_of(sources, self.options, self._failed)
        for event in self._pages_read(work, given_up, finished):
            if isinstance(event, PageRead):
                results.append(event.result)
            if isinstance(event, DocumentEnd):
                alone = len(results) == 1
                yield DocumentRead(results[0] if alone else DocumentResult(results[0].source, tuple(results)))
                results = []
            else:
                yield event

    def _pages_read(
        self,
        work: Iterator[Work],
        given_up: Callable[[], bool],
        finished: Callable[[], Finished | None],
    ) -> Iterator[DocumentOpened | TextPiece | PageRead | DocumentEnd]:
        """Keeps the engine filled and tells what is ready; everything stays in order."""
        queue: deque[_Queued] = deque()
        pool = ThreadPoolExecutor(
            min(_PREPARING, self.batch_size), "got-ocr2 preparing"
        )  # no thread before work
        more = True
        try:
            while (queue or more) and not given_up():
                self._settle(queue)
                first = queue[0] if queue else None
                # What is ready comes before anything new is opened.
                if first is not None and not isinstance(first, (InProgress, Future)):
                    queue.popleft()
                    yield PageRead(first) if isinstance(first, PageResult) else first
                    if isinstance(first, PageResult) and finished():
                        return
                elif isinstance(first, InProgress) and first.grown:
                    ended = self._ended(first) if first.go_on() else None
                    text = first.new_text() if ended is None else first.rest(ended.text)
                    tokens = first.new_tokens() if ended is None or ended.error is None else ()
                    if text or tokens:
                        yield TextPiece(text, tokens)
                    if ended is not None:
                        queue[0] = ended
                    elif why := finished():
                        first.finish(why)
                        more = False
                        queue.popleft()
                        self._abandon(queue)
                        queue.clear()
                        queue.append(first)
                elif more and self._has_room(queue):
                    item = next(work, None)
                    more = item is not None
                    if item is not None:
                        queue.append(self._begun(item, pool, given_up))
                elif isinstance(first, Future):
                    wait([first])
                elif first is not None:
                    self._wait(first, queue if more else None, given_up)
        finally:
            pool.shutdown(cancel_futures=True)
            self._abandon(queue)

    def _settle(self, queue: deque[_Queued]) -> None:
        """Units that have been prepared become pages; pages that have ended may begin another try."""
        for place, item in enumerate(queue):
            if isinstance(item, Future) and item.done():
                queue[place] = item.result()
            elif isinstance(item, InProgress):
                item.go_on()

    def _wait(self, first: InProgress, queue: Sequence[_Queued] | None, given_up: Callable[[], bool]) -> None:
        """Lets the engine work until the first page has grown, or the queue, if there is one, takes another."""
        self._writer.engine.wait(
            lambda: first.grown or given_up() or (queue is not None and self._has_room(queue))
        )

    def _has_room(self, queue: Sequence[_Queued]) -> bool:
        """Whether another page may enter the engine."""
        running = sum(
            not item.done if isinstance(item, InProgress) else isinstance(item, Future) for item in queue
        )
        return running < self.batch_size and len(queue) < _WAITING_ROOM * self.batch_size + 1

    def _begun(self, item: Work, pool: ThreadPoolExecutor, given_up: Callable[[], bool]) -> _Queued:
        """A unit is prepared and goes into the engine; everything else stays what it is."""
        if not isinstance(item, Unit):
            return item
        engine = self._writer.engine  # if there can be none, that is not the page's fault
        if not engine.threaded or self.batch_size == 1:
            return self._prepared(item, engine, given_up)
        return pool.submit(self._prepared, item, engine, given_up)

    def _prepared(self, unit: Unit, engine: Engine, given_up: Callable[[], bool]) -> InProgress | PageResult:
        try:
            with _TURNS:
                if given_up():  # while it waited for its turn
                    raise CancelledError
                if self.options.skip_blank and self._is_blank(unit):
                    return self._blank(unit)
                return self._writer.begin(unit, engine)
        except Exception as e:
            return self._failed(e, **unit.place)

    def _is_blank(self, unit: Unit) -> bool:
        """Whether there is nothing to read; a question about a box or frame is the model's to answer or refuse."""
        asked = self.options.box is not None or self.options.color is not None
        return not asked and all(is_blank(page.image) for page in unit.pages)

    def _blank(self, unit: Unit) -> PageResult:
        level = self.options.confidence
        placed = self.options.boxes or isinstance(self._writer, LineWriter)
        lines = level != "page" or placed
        words = level in ("word", "character") or placed
        return PageResult(
            text="",
            status="empty",
            finish_reason="blank",
            lines=() if lines else None,
            words=() if words else None,
            characters=() if level == "character" else None,
            skipped=() if self.options.boxes and not isinstance(self._writer, LineWriter) else None,
            agreement=1.0 if self.options.boxes and not isinstance(self._writer, LineWriter) else None,
            request=self.options.request,
            **unit.place,
        )

    def _abandon(self, queue: deque[_Queued]) -> None:
        """Gives up the pages in the engine."""
        for item in queue:
            if isinstance(item, Future):
                if item.cancel() or item.exception() is not None:
                    continue
                item = item.result()
            if isinstance(item, InProgress):
                item.cancel()

    def _ended(self, page: InProgress) -> PageResult:
        try:
            return page.result()
        except Exception as e:
            return self._failed(e, **page.place)

    def _failed(self, error: Exception, **place: Any) -> PageResult:
        if self.strict:
            raise error
        return PageResult(
            text="",
            status="failed",
            finish_reason="error",
            request=self.options.request,
            error=PageError.from_exception(error),
            **place,
        )
