"""Lines of pages as prompts for the engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ...errors import InvalidOptionError
from ..attempts import Attempt, Beginning
from ..drafts import drafter_of
from ..loop_watch import LoopWatch
from ..options import ReadOptions
from ..page_loading import Unit
from ..text_tokens import TokenQueue
from ..writer import Writer
from .page_lines import PageOfLines

if TYPE_CHECKING:
    from ...generation.engine.engine import Engine
    from ...generation.engine.requests import Request as Prompt
    from ...layout import Piece

LINE_TOKENS = 256  # most of one piece, unless `max_new_tokens` says otherwise

# What a reader of lines cannot do, and the option's value that does not ask for it.
_REFUSED: tuple[tuple[str, Any, str], ...] = (
    ("format", False, "writes plain text only"),
    ("multi_page", False, "reads one page after another"),
    ("crop", False, "needs no tiles"),
    ("draft", None, "takes no drafts"),
)


def check_lines(options: ReadOptions) -> None:
    """Refuses what lines cannot be read with.

    Raises:
        InvalidOptionError: with the name of the option, and what reads such pages.
    """
    for name, neutral, reason in _REFUSED:
        if getattr(options, name) != neutral:
            raise InvalidOptionError(
                f"{name} is for models that read whole pages; a reader of lines {reason}. "
                'Open such a model, for example "stepfun-ai/GOT-OCR-2.0-hf".'
            )
    if options.on_loop == "retry_cropped":
        raise InvalidOptionError(
            "on_loop='retry_cropped' is for models that read whole pages; lines need no tiles."
        )


class LineWriter(Writer):
    """Submits the lines of pages to the engine."""

    def begin(self, unit: Unit, engine: Engine) -> PageOfLines:
        """Finds the lines of a page and submits the first of them.

        Raises:
            GotOcr2Error: there is no such box or frame on the page.
        """
        (page,) = unit.pages
        numbers = count()
        return PageOfLines(
            page,
            unit.place,
            self.options,
            self.processor.tokenizer.token_bytes,
            engine,
            lambda pieces: self._submit(pieces, [next(numbers) for _ in pieces], engine),
            TokenQueue() if self.wishes.tokens else None,
        )

    def _submit(self, pieces: Sequence[Piece], numbers: Sequence[int], engine: Engine) -> list[Attempt]:
        """Submits pieces of lines, all with the same question; `numbers` counts them through on the page."""
        start = perf_counter()
        options = self.options
        batch = self.processor([piece.image for piece in pieces]).to("cpu", self._model.dtype)
        prompts = self._model.requests(
            **batch,
            tokenizer=self.processor.tokenizer,
            max_new_tokens=self.most_tokens(LINE_TOKENS),
            no_repeat_ngram_size=options.no_repeat_ngram,
            **self.sampling(numbers),
        )
        share = (perf_counter() - start) / len(pieces)
        return [self._submitted(prompt, share, engine) for prompt in prompts]

    def _submitted(self, prompt: Prompt, prepared: float, engine: Engine) -> Attempt:
        tokenizer = self.processor.tokenizer
        prompt = dataclasses.replace(
            prompt,
            name="The line",
            top=self.wishes.top,
            flow=self,
            deadline=self.options.deadline,
            drafter=drafter_of(None, self.options.speculate, tokenizer),
            watch=None if self.options.on_loop == "ignore" else LoopWatch(),
        )
        handle = engine.submit(prompt)
        without = dataclasses.replace(prompt, pixel_values=None)
        return Attempt(self.options.request, without, Beginning(), tokenizer, handle, prepared)
