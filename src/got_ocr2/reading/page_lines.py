"""Pages line by line: found, cut out, read many together, and put together again in reading order."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from PIL import Image

from ..documents import Page
from ..errors import InvalidOptionError
from ..results import FinishReason, PageResult, Repetition, Request, Status, TextPart
from .attempts import Attempt, Beginning, Writing
from .confidence import Confidences
from .drafts import drafter_of
from .loop_watch import LoopWatch
from .options import ReadOptions
from .page_loading import Unit
from .page_text import JoinedText, LineText
from .progress import InProgress

if TYPE_CHECKING:
    from ..generation.engine.engine import Engine
    from ..generation.engine.requests import Request as Prompt
    from ..layout import Piece, TextLine
    from ..modeling import GotOcr2ForConditionalGeneration
    from ..processing import GotOcr2Processor

TOGETHER = 64  # pieces of lines of one page that are in the engine at a time
LINE_TOKENS = 256  # most of one piece, unless `max_new_tokens` says otherwise
PROBED = 6  # lines that tell whether a page stands on its head
LEAST_CONFIDENCE = 0.5
"""Lines that the model is less sure of are left out: specks, ornaments, rests of letters, things that are no print."""
_SURE = math.log(0.93)  # mean log probability of a page that certainly does not
_BETTER = 0.05  # by how much it must be higher the other way round

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


class LineWriter:
    """Submits the lines of pages to the engine."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        model: GotOcr2ForConditionalGeneration,
        processor: GotOcr2Processor,
        options: ReadOptions,
    ) -> None:
        """
        Args:
            engine: gives the engine, whose runner was made of the model.
            model, processor: of one checkpoint.
            options: what is asked of every page.

        Raises:
            InvalidOptionError: the options ask for what lines cannot give.
        """
        check_lines(options)
        self.options = options
        self.processor = processor
        self._engine = engine
        self._model = model

    @property
    def engine(self) -> Engine:
        """The engine, made if this is the first time."""
        return self._engine()

    def begin(self, unit: Unit, engine: Engine) -> PageOfLines:
        """Finds the lines of a page and submits the first of them.

        Raises:
            GotOcr2Error: there is no such box or frame on the page.
        """
        (page,) = unit.pages
        return PageOfLines(self, page, unit.place, engine)

    def submit(self, pieces: Sequence[Piece], engine: Engine) -> list[Attempt]:
        """Submits pieces of lines, all with the same question."""
        start = perf_counter()
        options = self.options
        batch = self.processor([piece.image for piece in pieces]).to("cpu", self._model.dtype)
        prompts = self._model.requests(
            **batch,
            tokenizer=self.processor.tokenizer,
            max_new_tokens=options.max_new_tokens or LINE_TOKENS,
            no_repeat_ngram_size=options.no_repeat_ngram,
        )
        share = (perf_counter() - start) / len(pieces)
        return [self._submitted(prompt, share, engine) for prompt in prompts]

    def _submitted(self, prompt: Prompt, prepared: float, engine: Engine) -> Attempt:
        tokenizer = self.processor.tokenizer
        prompt = dataclasses.replace(
            prompt,
            name="The line",
            deadline=self.options.deadline,
            drafter=drafter_of(None, self.options.speculate, tokenizer),
            watch=None if self.options.on_loop == "ignore" else LoopWatch(),
        )
        handle = engine.submit(prompt)
        without = dataclasses.replace(prompt, pixel_values=None)
        return Attempt(self.options.request, without, Beginning(), tokenizer, handle, prepared)


@dataclass
class _Line:
    """A line of the page, its pieces, and those of them that are in the engine or have left it."""

    place: TextLine
    pieces: tuple[Piece, ...]
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    @property
    def length(self) -> float:
        """In heights of the line."""
        (x1, y1), (x2, y2), _, (x4, y4) = self.place.quad
        return math.hypot(x2 - x1, y2 - y1) / max(1.0, math.hypot(x4 - x1, y4 - y1))

    @property
    def done(self) -> bool:
        return len(self.attempts) == len(self.pieces) and all(
            attempt.handle.done for attempt in self.attempts
        )

    @property
    def confidence(self) -> float:
        """Geometric mean of the probabilities of its tokens, 0..1."""
        logprobs = [p for writing in self.writings for p in writing.logprobs]
        return min(1.0, math.exp(math.fsum(logprobs) / len(logprobs))) if logprobs else 0.0

    @property
    def writings(self) -> list[Writing]:
        """Raises whatever a piece failed with."""
        return [attempt.writing for attempt in self.attempts]


class PageOfLines(InProgress):
    """A page whose lines are in the engine; its text comes line by line, in reading order."""

    def __init__(self, writer: LineWriter, page: Page, place: dict[str, Any], engine: Engine) -> None:
        self.place = place
        self._writer = writer
        self._engine = engine
        start = perf_counter()
        self._image, self._corner = _part(page.image, writer.options)
        options = writer.options
        self._joined = JoinedText(paragraphs=options.paragraphs, dehyphenate=options.dehyphenate)
        self._given: list[_Line] = []  # lines whose text is in `_joined`
        self._ended = 0  # lines that are done, from the first on
        self._shown = 0
        self._until = math.inf if options.deadline is None else monotonic() + options.deadline
        self._spare: list[_Line] = []  # lines that were read the wrong way round
        self._turn, self._lines = self._found(None)
        self._waiting: deque[tuple[_Line, Piece]] = self._all_pieces()
        self._probing = len(self._lines) > 0
        self._probe()
        self._prepared = perf_counter() - start

    def _found(self, turn: int | None) -> tuple[int, list[_Line]]:
        from ..layout import LayoutOptions, find_lines, line_pieces

        layout = find_lines(self._image, LayoutOptions(turn=turn))
        return layout.turn, [_Line(line, line_pieces(self._image, line)) for line in layout.lines]

    def _all_pieces(self) -> deque[tuple[_Line, Piece]]:
        """All pieces in reading order, but those of the longest lines first."""
        longest = sorted(self._lines, key=lambda line: -line.length)[:PROBED]
        chosen = {id(line) for line in longest}
        rest = (line for line in self._lines if id(line) not in chosen)
        return deque((line, piece) for line in (*longest, *rest) for piece in line.pieces)

    def _probe(self) -> None:
        """Lets the longest lines into the engine: they tell best which way up the page is."""
        self._submit(
            sum(len(line.pieces) for line in sorted(self._lines, key=lambda line: -line.length)[:PROBED])
        )

    def _submit(self, count: int) -> None:
        """Lets some more pieces into the engine."""
        chosen = [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
        if not chosen:
            return
        attempts = self._writer.submit([piece for _, piece in chosen], self._engine)
        for (line, _), attempt in zip(chosen, attempts, strict=True):
            line.attempts.append(attempt)

    @property
    def _running(self) -> int:
        return sum(not attempt.handle.done for line in self._lines for attempt in line.attempts)

    @property
    def done(self) -> bool:
        return not self._waiting and not self._running

    @property
    def grown(self) -> bool:
        if self.done or monotonic() > self._until:
            return True
        if self._probing:
            return not self._running
        return self._lines[self._ended].done or (bool(self._waiting) and self._running <= TOGETHER // 2)

    def go_on(self) -> bool:
        if monotonic() > self._until and not self.done:
            self.cancel()
        if self._probing and not self._running:
            self._probing = False
            self._right()
        if not self._probing:
            if self._waiting and self._running <= TOGETHER // 2:
                self._submit(TOGETHER - self._running)
            self._take_ended()
        return self.done

    def _right(self) -> None:
        """Turns the page round if the lines that were read first are read better on their heads."""
        first = [line for line in self._lines if line.done]
        before = _mean_logprob(first)
        if before > _SURE or not first:
            return
        upright = (self._turn, self._lines, self._waiting)
        self._turn, self._lines = self._found((self._turn + 180) % 360)
        self._waiting = self._all_pieces()
        self._probe()
        self._engine.wait(lambda: not self._running)
        after = [line for line in self._lines if line.done]
        self._spare = first
        # A few lines say little.
        if _mean_logprob(after) < before + _BETTER * (1 + 4 / len(first)):
            self._spare = after
            self._turn, self._lines, self._waiting = upright

    def _take_ended(self) -> None:
        """Puts the text of the lines that are done, from the first on, behind that of those before."""
        from ..layout import joined

        while self._ended < len(self._lines) and self._lines[self._ended].done:
            line = self._lines[self._ended]
            self._ended += 1
            try:
                text = joined([writing.text for writing in line.writings], line.pieces)
            except Exception:
                continue  # `result` raises it
            text = " ".join(text.split())
            if text and line.confidence >= LEAST_CONFIDENCE:
                self._joined.extend([LineText(text, line.place.block)])
                self._given.append(line)

    def new_text(self) -> str:
        # The last letter may still be a hyphen that the next line takes away.
        ready = len(self._joined.text) - (self._writer.options.dehyphenate and not self.done)
        new = self._joined.text[self._shown : max(self._shown, ready)]
        self._shown += len(new)
        return new

    def rest(self, text: str) -> str:
        return text[self._shown :]

    def cancel(self) -> None:
        self._waiting.clear()
        for line in self._lines:
            for attempt in line.attempts:
                attempt.handle.cancel()

    def result(self) -> PageResult:
        late = monotonic() > self._until and any(not line.done or _cancelled(line) for line in self._lines)
        if late:
            self._lines = self._given
        self._take_ended()
        writings = [writing for line in self._lines for writing in line.writings]
        attempts = [attempt for line in (*self._lines, *self._spare) for attempt in line.attempts]
        status, reason, repetition = self._outcome(writings, late)
        logprobs = [p for writing in writings for p in writing.logprobs]
        mean = math.fsum(logprobs) / len(logprobs) if logprobs else None
        lines, words, characters = self._parts()
        return PageResult(
            text=self._joined.text,
            status=status,
            finish_reason=reason,
            prompt_tokens=sum(attempt.prompt_tokens for attempt in attempts),
            tokens=sum(len(writing.tokens) for writing in writings),
            seconds=self._prepared
            + sum(one.prepared + one.writing.generation.share for one in attempts if not _given_up(one)),
            mean_logprob=mean,
            lines=lines,
            words=words,
            characters=characters if self._writer.options.confidence == "character" else None,
            repetition=repetition,
            request=self._asked,
            **self.place,
        )

    @property
    def _asked(self) -> Request:
        return self._writer.options.request

    def _outcome(
        self, writings: Sequence[Writing], late: bool
    ) -> tuple[Status, FinishReason, Repetition | None]:
        if late:
            return "truncated", "deadline", None
        reasons = {writing.finish_reason for writing in writings}
        if "looped" in reasons:
            looped = next(line for line in self._lines for a in line.attempts if a.loop is not None)
            loop = next(attempt.loop for attempt in looped.attempts if attempt.loop is not None)
            dropped = sum(writing.dropped for writing in writings)
            return "looped", "looped", Repetition(self._writer.options.on_loop, loop.period, dropped)
        for reason in ("length", "deadline"):
            if reason in reasons:
                return "truncated", reason, None
        return ("complete" if self._joined.text else "empty"), "stop", None

    def _parts(self) -> tuple[tuple[TextPart, ...], tuple[TextPart, ...], tuple[float, ...]]:
        """Lines and words with their places, and the confidence of every character of the text."""
        from ..layout import word_boxes

        text = self._joined.text
        lines: list[TextPart] = []
        words: list[TextPart] = []
        characters = [1.0] * len(text)
        for line, (start, end) in zip(self._given, self._joined.spans, strict=True):
            where: dict[str, Any] = {"angle": line.place.angle, "block": line.place.block}
            box = self._on_page(line.place.box)
            lines.append(TextPart(text[start:end], start, end, line.confidence, box, **where))
            found = _Words(line, self._writer.processor.tokenizer.token_bytes)
            at = start
            for word, sureness, place in found.all(word_boxes):
                at = text.find(word, at, end) if text.find(word, at, end) >= 0 else at
                stop = min(at + len(word), end)
                if stop > at:
                    box = self._on_page(place)
                    words.append(
                        TextPart(text[at:stop], at, stop, min(math.prod(sureness), 1.0), box, **where)
                    )
                    characters[at:stop] = sureness[: stop - at]
                at = stop
        return tuple(lines), tuple(words), tuple(characters)

    def _on_page(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """A box of the part that was read, in pixels of the page, cut at its rims."""
        x, y = self._corner
        width, height = self._image.size
        x1, y1, x2, y2 = box
        return (
            x + min(max(x1, 0.0), width), y + min(max(y1, 0.0), height),
            x + min(max(x2, 0.0), width), y + min(max(y2, 0.0), height),
        )  # fmt: skip


class _Words:
    """The words of a line with their characters' confidences and their boxes, over all its pieces."""

    def __init__(self, line: _Line, token_bytes: Callable[[int], bytes]) -> None:
        self._line = line
        self._token_bytes = token_bytes

    def all(
        self, boxes_of: Callable[[Piece, str], tuple[tuple[float, float, float, float], ...]]
    ) -> list[tuple[str, list[float], tuple[float, float, float, float]]]:
        found: list[tuple[str, list[float], tuple[float, float, float, float]]] = []
        for piece, writing in zip(self._line.pieces, self._line.writings, strict=True):
            sure = Confidences(writing.tokens, writing.logprobs, self._token_bytes).characters()
            at = 0
            for number, (word, box) in enumerate(
                zip(writing.text.split(), boxes_of(piece, writing.text), strict=True)
            ):
                at = writing.text.index(word, at)
                sureness = list(sure[at : at + len(word)])
                at += len(word)
                if number == 0 and piece.joins_word and found:
                    before, its, (x1, y1, x2, y2) = found.pop()
                    hull = (min(x1, box[0]), min(y1, box[1]), max(x2, box[2]), max(y2, box[3]))
                    found.append((before + word, its + sureness, hull))
                else:
                    found.append((word, sureness, box))
        return found


def _part(image: Image.Image, options: ReadOptions) -> tuple[Image.Image, tuple[float, float]]:
    """What is read of a page, and where its top left corner lies on it.

    Raises:
        InvalidOptionError: the box reaches over the page.
        InputError: there is no frame of the colour.
    """
    from ..layout import framed_box

    box = options.request.box
    if options.color is not None:
        box = framed_box(image, options.color)
    if box is None:
        return image, (0.0, 0.0)
    x1, y1, x2, y2 = box
    if x2 > image.width or y2 > image.height:
        raise InvalidOptionError(
            f"The box {list(box)} reaches over the page, which has {image.width} x {image.height} pixels."
        )
    whole = (math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2))
    return image.crop(whole), (float(whole[0]), float(whole[1]))


def _mean_logprob(lines: Sequence[_Line]) -> float:
    """Of all tokens of some lines; lower than any other where nothing was written."""
    found: list[float] = []
    for line in lines:
        for attempt in line.attempts:
            if not _given_up(attempt):
                found += attempt.writing.logprobs if attempt.writing.text.strip() else (-3.0,)
    return math.fsum(found) / len(found) if found else -math.inf


def _given_up(attempt: Attempt) -> bool:
    """Whether nothing came of it: it was cancelled, or it failed."""
    try:
        attempt.writing  # noqa: B018
    except Exception:
        return True
    return False


def _cancelled(line: _Line) -> bool:
    return any(_given_up(attempt) for attempt in line.attempts)
