"""Pages in the engine: what is asked of the model, and the text that comes of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..results import FinishReason, PageResult, Request, Status
from .work import Unit

if TYPE_CHECKING:
    from ..generation.engine import Engine
    from ..generation.requests import Generation, Handle
    from ..modeling import GotOcr2ForConditionalGeneration
    from ..processing import DecodeStream, GotOcr2Processor


class PageWriter:
    """Submits units to the engine, all with the same question."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        model: GotOcr2ForConditionalGeneration,
        processor: GotOcr2Processor,
        asked: Request,
        max_new_tokens: int | None,
    ) -> None:
        """
        Args:
            engine: gives the engine, whose runner was made of the model.
            model, processor: of one checkpoint.
            asked: of every unit.
            max_new_tokens: as in `ReadOptions`.
        """
        self._engine = engine
        self._model = model
        self._processor = processor
        self._asked = asked
        self._max_new_tokens = max_new_tokens

    @property
    def engine(self) -> Engine:
        """The engine, made if this is the first time."""
        return self._engine()

    def begin(self, unit: Unit, engine: Engine) -> PageInProgress:
        """Prepares a unit and submits it to the engine.

        Raises:
            GotOcr2Error: what is asked does not suit the page, or the page does not fit the model.
        """
        start = perf_counter()
        asked = self._asked
        images: list[Any] = [page.image for page in unit.pages]
        batch = self._processor(
            [images] if asked.multi_page else images,
            box=asked.box,
            color=asked.color,
            format=asked.format,
            multi_page=asked.multi_page,
            crop_to_patches=asked.crop,
            max_patches=asked.max_patches,
        ).to("cpu", self._model.dtype)
        tokenizer = self._processor.tokenizer
        (request,) = self._model.requests(**batch, tokenizer=tokenizer, max_new_tokens=self._max_new_tokens)
        page = PageInProgress(unit.place, asked, len(request.ids), tokenizer.decode_stream())
        page.start(engine.submit(request), perf_counter() - start)
        return page


class PageInProgress:
    """One unit in the engine, and its text so far.

    Attributes:
        place: the fields of its result that say where the text stands.
        handle: the engine's view of it.
    """

    def __init__(
        self, place: dict[str, Any], asked: Request, prompt_tokens: int, stream: DecodeStream
    ) -> None:
        self.place = place
        self._asked = asked
        self._prompt_tokens = prompt_tokens
        self._stream = stream
        self._text = ""
        self._read = 0  # tokens whose characters are in the text
        self._shown = 0  # characters that were given out
        self._result: PageResult | None = None

    def start(self, handle: Handle, prepared: float) -> None:
        """The page was submitted, after `prepared` seconds of work."""
        self.handle = handle
        self._prepared = prepared

    @property
    def grown(self) -> bool:
        """Whether there are tokens that nobody has looked at, or the page has ended."""
        return self.handle.done or self.handle.tokens > self._read

    def new_text(self) -> str:
        """The characters that have come since the last call; all calls together give the text of the result."""
        self._read_tokens()
        new, self._shown = self._text[self._shown :], len(self._text)
        return new

    def result(self) -> PageResult:
        """The result of a page that has ended.

        Raises:
            Exception: whatever the page failed with.
        """
        if self._result is None:
            generation = self.handle.result()
            self._read_tokens()
            self._result = self._made(generation)
        return self._result

    def _read_tokens(self) -> None:
        for index in range(self._read, self.handle.tokens):
            new = self.handle[index]
            self._text += self._stream.put(new.token)
            if new.reason is not None:
                self._text += self._stream.end()
            self._read = index + 1

    def _made(self, generation: Generation) -> PageResult:
        reason: FinishReason = "length" if generation.reason == "length" else "stop"
        status: Status = "truncated" if reason == "length" else "complete" if self._text.strip() else "empty"
        mean = math.fsum(generation.logprobs) / len(generation.tokens)
        return PageResult(
            text=self._text,
            status=status,
            finish_reason=reason,
            prompt_tokens=self._prompt_tokens,
            tokens=len(generation.tokens),
            seconds=self._prepared + generation.share,
            mean_logprob=mean if math.isfinite(mean) else None,
            request=self._asked,
            **self.place,
        )
