"""The one way from sources to results: which pages are read together, in what batches, what comes of each."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..documents import Document, Page, PageRanges, expand, open_document, source_name
from ..documents.joined import JoinedDocument
from ..errors import InvalidOptionError
from ..results import DocumentResult, FinishReason, PageError, PageResult, Status
from .events import DocumentOpened, DocumentRead, Event, PageRead, TextPiece
from .options import ReadOptions, check_count

if TYPE_CHECKING:
    from ..documents.sources import Source
    from ..modeling import GotOcr2ForConditionalGeneration
    from ..processing import BatchFeature, DecodeStream, GotOcr2Processor


@dataclass(frozen=True)
class _Unit:
    """Pages that are read as one text."""

    pages: tuple[Page, ...]

    @property
    def place(self) -> dict[str, Any]:
        """The fields of a result that say where the text stands."""
        image = self.pages[0].image
        numbers = tuple(page.number for page in self.pages)
        return {
            "source": self.pages[0].source,
            "page_numbers": numbers,
            "width": image.width,
            "height": image.height,
        }


class _End:
    """Stands after the last page of a document."""


_Work: TypeAlias = DocumentOpened | _Unit | PageResult | _End


@dataclass
class _Row:
    """The text that grows in one row of a batch."""

    stream: DecodeStream
    text: str = ""
    tokens: int = 0
    reason: FinishReason | None = None

    def put(self, token: int, reason: str | None) -> str:
        """Takes the row's next token, and why the row ends with it; returns the new characters."""
        if self.reason is not None:  # the row has ended and is fed padding
            return ""
        piece = self.stream.put(token)
        self.tokens += 1
        if reason is not None:
            self.reason = "length" if reason == "length" else "stop"
            piece += self.stream.end()
        self.text += piece
        return piece


class Reader:
    """Reads sources with one model and one set of options.

    Attributes:
        options: what is asked.
        batch_size: pages that go through the model together.
        strict: raise at the first failure instead of recording it.
    """

    def __init__(
        self,
        model: GotOcr2ForConditionalGeneration,
        processor: GotOcr2Processor,
        options: ReadOptions,
        *,
        batch_size: int = 1,
        strict: bool = False,
    ) -> None:
        """Checks what can be checked before a document is opened.

        Raises:
            InvalidOptionError: a batch below 1, or a question that the checkpoint's dialect does not have.
        """
        from ..processing.prompts import Question

        check_count("batch_size", batch_size)
        box = None if options.box is None else (0, 0, 0, 0)
        question = Question(options.format, box, options.color, options.multi_page, options.crop)
        question.wording(processor.dialect)
        self.options = options
        self.batch_size = batch_size
        self.strict = strict
        self._model = model
        self._processor = processor
        self._request = options.request

    def events(self, sources: Iterable[Source | Sequence[Source]]) -> Iterator[Event]:
        """Reads the sources one after another; every page gets exactly one result, in order.

        With `strict`, a failure is raised where it happens. Otherwise it becomes a result with the status
        "failed", and reading goes on.
        """
        results: list[PageResult] = []
        for event in self._pages_read(self._work(sources)):
            if isinstance(event, PageRead):
                results.append(event.result)
            if isinstance(event, _End):
                alone = len(results) == 1
                yield DocumentRead(results[0] if alone else DocumentResult(results[0].source, tuple(results)))
                results = []
            else:
                yield event

    def _work(self, sources: Iterable[Source | Sequence[Source]]) -> Iterator[_Work]:
        """Opens documents and loads pages; what cannot be opened or loaded is a failed result already."""
        for source in sources:
            try:
                documents = self._documents(source)
            except Exception as e:
                yield from self._unopened(e, _name(source))
                continue
            for parts in documents:
                yield from self._document(parts, _name(source if len(parts) > 1 else parts[0]))

    def _documents(self, source: Source | Sequence[Source]) -> list[list[Source]]:
        """The documents behind a source, each as the parts it is joined from."""
        sources = _parts(source)
        if sources is None:
            sources = [cast("Source", source)]
        elif not self.options.multi_page:
            raise InvalidOptionError(
                f"A list of {len(sources)} sources was given as one document; that needs multi_page=True."
            )
        elif not sources:
            raise InvalidOptionError("At least one document is needed, got an empty list.")
        parts = [part for one in sources for part in expand(one, recursive=self.options.recursive)]
        return [parts] if self.options.multi_page else [[part] for part in parts]

    def _document(self, parts: list[Source], name: str) -> Iterator[_Work]:
        try:
            document = self._open(parts, name)
        except Exception as e:
            yield from self._unopened(e, name)
            return
        with document:
            together = self.options.multi_page
            groups = [document.numbers] if together else [(number,) for number in document.numbers]
            yield DocumentOpened(document.name, len(groups))
            for numbers in groups:
                try:
                    yield _Unit(tuple(document.load(number) for number in numbers))
                except Exception as e:
                    yield self._failed(e, source=document.name, page_numbers=numbers)
        yield _End()

    def _open(self, parts: list[Source], name: str) -> Document:
        o = self.options
        if len(parts) == 1:
            return open_document(parts[0], pages=o.pages, dpi=o.dpi, password=o.password, limits=o.limits)
        with ExitStack() as opened:
            documents = [
                opened.enter_context(open_document(part, dpi=o.dpi, password=o.password, limits=o.limits))
                for part in parts
            ]
            ranges = o.pages if isinstance(o.pages, PageRanges) else None
            joined = JoinedDocument(documents, name, pages=ranges, limits=o.limits)
            opened.pop_all()
            return joined

    def _unopened(self, error: Exception, name: str) -> Iterator[DocumentOpened | PageResult | _End]:
        failed = self._failed(error, source=name)
        yield DocumentOpened(name, 1)
        yield failed
        yield _End()

    def _pages_read(self, work: Iterable[_Work]) -> Iterator[DocumentOpened | TextPiece | PageRead | _End]:
        """Puts a batch of units through the model as soon as it is full; everything stays in order."""
        waiting: list[_Work] = []
        units = 0
        for item in work:
            waiting.append(item)
            units += isinstance(item, _Unit)
            if units in (0, self.batch_size):  # what waits for no unit is told at once
                yield from self._flush(waiting)
                waiting, units = [], 0
        yield from self._flush(waiting)

    def _flush(self, items: Sequence[_Work]) -> Iterator[DocumentOpened | TextPiece | PageRead | _End]:
        units = [item for item in items if isinstance(item, _Unit)]
        read = iter(self._read_batch(units)) if len(units) > 1 else None
        for item in items:
            if isinstance(item, (DocumentOpened, _End)):
                yield item
            elif isinstance(item, PageResult):
                yield PageRead(item)
            elif read is None:
                yield PageRead((yield from self._read_alone(item)))
            else:
                result = next(read)
                if result.text:
                    yield TextPiece(result.text)
                yield PageRead(result)

    def _read_alone(self, unit: _Unit) -> Generator[TextPiece, None, PageResult]:
        """Reads one unit, giving its text out as it comes."""
        try:
            writing = self._write([unit])
            while True:
                try:
                    (piece,) = next(writing)
                except StopIteration as done:
                    return done.value[0]
                if piece:
                    yield TextPiece(piece)
        except Exception as e:
            return self._failed(e, **unit.place)

    def _read_batch(self, units: Sequence[_Unit]) -> list[PageResult]:
        """Reads several units together; should one spoil the batch, each is read alone."""
        writing = self._write(units)
        try:
            while True:
                next(writing)
        except StopIteration as done:
            return done.value
        except Exception:
            return [_last(self._read_alone(unit)) for unit in units]

    def _write(self, units: Sequence[_Unit]) -> Generator[tuple[str, ...], None, list[PageResult]]:
        """One batch through the model: yields each step's new characters, a piece for every unit."""
        import torch

        start = perf_counter()
        batch = self._batch(units)
        rows = [_Row(self._processor.tokenizer.decode_stream()) for _ in units]
        logprobs: list[torch.Tensor] = []
        for step in self._model.generate_steps(
            **batch, tokenizer=self._processor.tokenizer, max_new_tokens=self.options.max_new_tokens
        ):
            logprobs.append(step.logprobs)
            yield tuple(map(_Row.put, rows, step.tokens, step.finish_reasons))
        seconds = (perf_counter() - start) / len(units)
        prompts: list[int] = batch["attention_mask"].sum(1).tolist()
        # (steps, rows) -> rows; 0 after a row's end
        sums = cast("list[float]", torch.stack(logprobs).sum(0).tolist())  # pyright: ignore[reportUnknownMemberType]
        return [
            self._result(unit, row, prompt, total, seconds)
            for unit, row, prompt, total in zip(units, rows, prompts, sums, strict=True)
        ]

    def _batch(self, units: Sequence[_Unit]) -> BatchFeature:
        asked = self._request
        images: list[Any] = [[page.image for page in unit.pages] for unit in units]
        batch = self._processor(
            images if asked.multi_page else [pages[0] for pages in images],
            box=asked.box,
            color=asked.color,
            format=asked.format,
            multi_page=asked.multi_page,
            crop_to_patches=asked.crop,
            max_patches=asked.max_patches,
        )
        return batch.to(self._model.device, self._model.dtype)

    def _result(self, unit: _Unit, row: _Row, prompt: int, logprob: float, seconds: float) -> PageResult:
        reason = row.reason or "stop"
        status: Status = "truncated" if reason == "length" else "complete" if row.text.strip() else "empty"
        mean = logprob / row.tokens
        return PageResult(
            text=row.text,
            status=status,
            finish_reason=reason,
            prompt_tokens=prompt,
            tokens=row.tokens,
            seconds=seconds,
            mean_logprob=mean if math.isfinite(mean) else None,
            request=self._request,
            **unit.place,
        )

    def _failed(self, error: Exception, **place: Any) -> PageResult:
        if self.strict:
            raise error
        return PageResult(
            text="",
            status="failed",
            finish_reason="error",
            request=self._request,
            error=PageError.from_exception(error),
            **place,
        )


def _last(generator: Generator[object, None, PageResult]) -> PageResult:
    """What a generator returns in the end."""
    while True:
        try:
            next(generator)
        except StopIteration as done:
            return done.value


def _parts(source: Source | Sequence[Source]) -> list[Source] | None:
    """The sources of a list or tuple; None for a single source."""
    return list(source) if isinstance(source, (list, tuple)) else None


def _name(source: Source | Sequence[Source]) -> str:
    parts = _parts(source)
    if parts is None:
        return source_name(cast("Source", source))
    return " + ".join(map(source_name, parts)) or "<nothing>"
