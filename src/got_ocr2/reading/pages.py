"""Pages in the engine: what is asked of the model, how often, and the result that comes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..errors import GotOcr2Error
from ..results import PageResult, Repetition, Request, Speculation
from .attempts import Attempt, Beginning, Writing
from .confidence import Confidences
from .draft_agreement import agreement
from .drafts import LINES, drafter_of
from .first_reading import FirstReading
from .loop_watch import LoopWatch
from .options import ORIGINAL_NO_REPEAT_NGRAM_SIZE, ReadOptions
from .page_loading import Unit
from .places.found_words import FoundWords
from .places.placing import placed
from .progress import Finished, InProgress
from .text_tokens import TextToken
from .text_wishes import TextWishes
from .writer import Writer

if TYPE_CHECKING:
    from ..generation.engine.engine import Engine
    from ..generation.engine.requests import Request as Prompt
    from ..modeling import GotOcr2ForConditionalGeneration
    from ..processing import GotOcr2Processor


class PageWriter(Writer):
    """Submits units to the engine, each as one prompt."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        model: GotOcr2ForConditionalGeneration,
        processor: GotOcr2Processor,
        options: ReadOptions,
        first: FirstReading | None,
        wishes: TextWishes | None = None,
    ) -> None:
        """
        Args:
            engine, model, processor, options, wishes: as for any writer.
            first: reads the lines of the pages before the model does; None if the options need no lines.
        """
        super().__init__(engine, model, processor, options, wishes)
        self._first = first

    def begin(self, unit: Unit, engine: Engine) -> PageInProgress:
        start = perf_counter()
        asked = self.options.request
        found: list[PageResult] = []
        if self._first is not None:
            found = self._first.read(unit.pages)
            if self.options.draft == LINES:
                draft = "\n".join(page.text for page in found if page.text)
                unit = dataclasses.replace(unit, draft=draft or None)
        prompt = dataclasses.replace(self._prompt(unit, asked), deadline=self.options.deadline)
        attempt = self._submit(unit, asked, prompt, Beginning(), start, engine)
        return PageInProgress(self, unit, attempt, found[0] if self.options.boxes else None)

    def again(self, unit: Unit, looped: Attempt) -> Attempt | None:
        """A second try at a unit that ended in repetition, as `on_loop` asks for; None if none is asked for.

        Raises:
            Exception: there can be none: no time is left, or the page in tiles does not fit the model.
        """
        options = self.options
        if options.on_loop in ("stop", "ignore"):
            return None
        start = perf_counter()
        deadline = options.deadline
        if deadline is not None:
            deadline -= looped.writing.generation.seconds
            if deadline <= 0:
                raise GotOcr2Error(f"The deadline of {options.deadline} s left no time for it.")
        asked, prompt, beginning = looped.asked, looped.prompt, Beginning()
        if options.on_loop == "penalise":
            prompt, beginning = _penalised(looped)
        else:
            asked = dataclasses.replace(asked, crop=True)
            prompt = self._prompt(unit, asked)
        prompt = dataclasses.replace(prompt, deadline=deadline)
        return self._submit(unit, asked, prompt, beginning, start, self.engine)

    def _prompt(self, unit: Unit, asked: Request) -> Prompt:
        images: list[Any] = [page.image for page in unit.pages]
        batch = self.processor(
            [images] if asked.multi_page else images,
            box=asked.box,
            color=asked.color,
            format=asked.format,
            multi_page=asked.multi_page,
            crop_to_patches=asked.crop,
            max_patches=asked.max_patches,
        ).to("cpu", self._model.dtype)
        (prompt,) = self._model.requests(
            **batch,
            tokenizer=self.processor.tokenizer,
            max_new_tokens=self.most_tokens(None),
            stop_strings=self.wishes.stops or None,
            no_repeat_ngram_size=self.options.no_repeat_ngram,
            **self.sampling([0]),
        )
        return prompt

    def _submit(
        self, unit: Unit, asked: Request, prompt: Prompt, beginning: Beginning, start: float, engine: Engine
    ) -> Attempt:
        tokenizer = self.processor.tokenizer
        prompt = dataclasses.replace(
            prompt,
            top=self.wishes.top,
            flow=self,
            drafter=drafter_of(unit.draft, self.options.speculate, tokenizer),
            watch=None if self.options.on_loop == "ignore" else LoopWatch(beginning.tokens),
        )
        handle = engine.submit(prompt)
        if self.options.on_loop != "penalise":  # nobody will ask with these pictures again
            prompt = dataclasses.replace(prompt, pixel_values=None)
        return Attempt(asked, prompt, beginning, tokenizer, handle, perf_counter() - start)


class PageInProgress(InProgress):
    """A unit that is read as one text; of its pictures, nothing is kept longer than it is needed."""

    def __init__(self, writer: PageWriter, unit: Unit, attempt: Attempt, found: PageResult | None) -> None:
        """
        Args:
            writer, unit, attempt: who submitted what, and the try that has begun.
            found: the lines of the page, if the text is to have places.
        """
        self.place = unit.place
        self._found = found
        self._unit: Unit | None = unit if writer.options.on_loop in ("penalise", "retry_cropped") else None
        self._draft = unit.draft
        self._writer = writer
        self._attempt = attempt
        self._looped: Attempt | None = None  # the first of two tries
        self._failure: str | None = None  # why the second try failed; the first one is the answer then
        self._settled = False  # there will be no other try
        self._shown = 0  # characters that were given out
        self._told = 0  # and tokens
        # A page that may be read once more from its beginning cannot be shown before it has ended.
        self._shows = writer.options.on_loop != "retry_cropped"
        self._result: PageResult | None = None

    @property
    def done(self) -> bool:
        return self._attempt.handle.done

    @property
    def grown(self) -> bool:
        return self._attempt.grown if self._shows else self.done

    def cancel(self) -> None:
        self._attempt.handle.cancel()

    def go_on(self) -> bool:
        """Says whether the page has ended; if it ended in repetition, a second try may begin instead."""
        if self._settled or not self.done:
            return self._settled
        unit, self._unit = self._unit, None
        if unit is not None and self._looped is None and self._attempt.loop is not None:
            try:
                second = self._writer.again(unit, self._attempt)
            except Exception as error:
                second, self._failure = None, _reason(error)
            if second is not None:
                self._looped, self._attempt = self._attempt, second
                return False
        self._settled = True
        for attempt in (self._attempt, self._looped):
            if attempt is not None:
                attempt.forget_pictures()
        return True

    def finish(self, reason: Finished) -> None:
        self._attempt.handle.finish("stop_string" if reason == "stop" else reason)

    def new_tokens(self) -> tuple[TextToken, ...]:
        if not self._writer.wishes.tokens or not (self._shows or self._settled):
            return ()
        new = self._attempt.text_tokens(self._writer.processor.tokenizer.token_bytes, self._told)
        self._told += len(new)
        return tuple(new)

    def new_text(self) -> str:
        """The characters that have come since the last call; with `rest`, they give the text of the result.

        But where copies of what is repeated differ, some of them may have come before that was noticed, and are
        not in the result.
        """
        text = self._attempt.text_so_far() if self._shows else ""
        new, self._shown = text[self._shown :], max(self._shown, len(text))
        return new

    def rest(self, text: str) -> str:
        """What has not been given out of the text of the result."""
        return text[self._shown :]

    def result(self) -> PageResult:
        """The result of a page that has ended; where a second try failed, that of the first.

        Raises:
            Exception: whatever the page failed with.
        """
        if self._result is None:
            try:
                writing = self._attempt.writing
            except Exception as error:
                if self._looped is None:
                    raise
                self._failure = _reason(error)
                self._attempt, self._looped = self._looped, None
                writing = self._attempt.writing
            self._result = self._made(writing)
        return self._result

    def _made(self, writing: Writing) -> PageResult:
        attempt = self._attempt
        tries = [attempt] if self._looped is None else [self._looped, attempt]
        return PageResult(
            text=writing.text,
            status=writing.status,
            finish_reason=writing.finish_reason,
            prompt_tokens=attempt.prompt_tokens,
            tokens=len(writing.tokens),
            seconds=sum(one.prepared + one.writing.generation.share for one in tries),
            mean_logprob=writing.mean_logprob,
            repetition=self._repetition(writing),
            speculation=self._speculation(tries, writing.text),
            request=attempt.asked,
            **self._confidences(writing),
            **self.place,
        )

    def _repetition(self, writing: Writing) -> Repetition | None:
        last = self._attempt.loop
        loop = last or (None if self._looped is None else self._looped.loop)
        if loop is None:
            return None
        rule, solved = self._writer.options.on_loop, last is None
        return Repetition(rule, loop.period, writing.dropped, solved=solved, failure=self._failure)

    def _speculation(self, tries: list[Attempt], text: str) -> Speculation | None:
        if self._attempt.prompt.drafter is None:
            return None
        generations = [one.writing.generation for one in tries]
        return Speculation(
            sum(one.drafted for one in generations),
            sum(one.kept for one in generations),
            None if self._draft is None else agreement(self._draft, text),
        )

    def _confidences(self, writing: Writing) -> dict[str, Any]:
        """The fields of the result that the options ask for."""
        level = self._writer.options.confidence
        if level == "page" and self._found is None:
            return {}
        found = Confidences(writing.tokens, writing.logprobs, self._writer.processor.tokenizer.token_bytes)
        fields: dict[str, Any] = {}
        if self._found is not None:
            on_page = FoundWords(self._found.lines or (), self._found.words or ())
            its = placed(writing.text, found.words(writing.text), found.mean, on_page)
            fields = dict(vars(its))
        else:
            fields["lines"] = found.lines(writing.text)
            if level != "line":
                fields["words"] = found.words(writing.text)
        if level == "character":
            fields["characters"] = found.characters()[: len(writing.text)]
        return fields


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _penalised(looped: Attempt) -> tuple[Prompt, Beginning]:
    """The prompt with what is kept of the text, to be continued without long repeats."""
    writing = looped.writing
    prompt = dataclasses.replace(
        looped.prompt,
        ids=[*looped.prompt.ids, *writing.tokens],
        max_new_tokens=looped.prompt.max_new_tokens - len(writing.tokens),
        options=dataclasses.replace(
            looped.prompt.options, no_repeat_ngram_size=ORIGINAL_NO_REPEAT_NGRAM_SIZE
        ),
    )
    return prompt, Beginning(writing.tokens, writing.logprobs, writing.dropped)
