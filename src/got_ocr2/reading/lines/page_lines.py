"""A page line by line: lines found, cut out, read many together, and put together again in reading order."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from ...documents import Page
from ...results import FinishReason, PageResult, Repetition, Status, TextPart
from ..attempts import Attempt, Writing
from ..options import ReadOptions
from ..progress import Finished, InProgress
from ..regions import region_of
from ..text_tokens import TextToken, TokenQueue
from .line import Box, Line, given_up, mean_logprob
from .line_tokens import tokens_of_line
from .page_text import JoinedText, LineText

if TYPE_CHECKING:
    from ...generation.engine.engine import Engine
    from ...layout import Piece

TOGETHER = 64  # pieces of lines of one page that are in the engine at a time
PROBED = 6  # lines that tell whether a page stands on its head
WIDTHS = (0.75, 1.4)  # by which letters are made narrower and wider where the model is not sure of a line
_SURE = math.log(0.93)  # mean log probability of a page that certainly does not
_BETTER = 0.05  # by how much it must be higher the other way round


class PageOfLines(InProgress):
    """A page whose lines are in the engine; its text comes line by line, in reading order."""

    def __init__(
        self,
        page: Page,
        place: dict[str, Any],
        options: ReadOptions,
        token_bytes: Callable[[int], bytes],
        engine: Engine,
        submit: Callable[[Sequence[Piece]], list[Attempt]],
        tokens: TokenQueue | None = None,
    ) -> None:
        """Finds the lines and submits the first of them.

        Args:
            page, place: what is read, and the fields of the result that say where it stands.
            options: what is asked.
            token_bytes: id -> the bytes that it adds to the text.
            engine: what reads the lines.
            submit: puts pieces of lines into the engine.
            tokens: takes the tokens of the text, if they are asked for.

        Raises:
            GotOcr2Error: there is no such box or frame on the page.
        """
        self.place = place
        self._options = options
        self._token_bytes = token_bytes
        self._engine = engine
        self._submit_pieces = submit
        self._tokens = tokens
        self._piece = ""  # of the text, given out last
        self._finished: Finished | None = None
        self._cancelled = False
        self._failure: Exception | None = None
        start = perf_counter()
        self._image, self._corner = region_of(page.image, options)
        self._joined = JoinedText(paragraphs=options.paragraphs, dehyphenate=options.dehyphenate)
        self._given: list[Line] = []  # lines whose text is in `_joined`
        self._again = set[int]()  # numbers of lines that were looked at for another reading
        self._ended = 0  # lines that are done, from the first on
        self._has_print = False
        self._judged = 0  # lines that were done when print was last looked for
        self._shown = 0
        self._until = math.inf if options.deadline is None else monotonic() + options.deadline
        self._open: list[Attempt] = []  # those that may still be in the engine
        self._spare: list[Line] = []  # lines that were read the wrong way round
        self._turn, self._lines = self._found(None)
        self._waiting: deque[tuple[Line, Piece]] = self._all_pieces()
        self._probing = len(self._lines) > 0
        self._probe()
        self._prepared = perf_counter() - start

    def _found(self, turn: int | None) -> tuple[int, list[Line]]:
        from ...layout import LayoutOptions, find_lines, line_pieces

        layout = find_lines(self._image, LayoutOptions(turn=turn))
        self._left_out = layout.left_out
        return layout.turn, [Line(line, line_pieces(self._image, line)) for line in layout.lines]

    def _all_pieces(self) -> deque[tuple[Line, Piece]]:
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
        attempts = self._submit_pieces([piece for _, piece in chosen])
        for (line, _), attempt in zip(chosen, attempts, strict=True):
            line.attempts.append(attempt)
        self._open += attempts

    @property
    def _running(self) -> int:
        self._open = [attempt for attempt in self._open if not attempt.handle.done]
        return len(self._open)

    @property
    def done(self) -> bool:
        return not self._waiting and not self._running

    @property
    def grown(self) -> bool:
        if self.done or monotonic() > self._until:
            return True
        if self._probing:
            return not self._running
        if self._ready > self._shown:
            return True
        if not self._has_print and self._count_done() > self._judged:
            return True
        # Of a page that was ended all lines may be taken, and readings in other widths not have stopped yet.
        ended = self._has_print and self._ended < len(self._lines) and self._lines[self._ended].done
        return ended or (bool(self._waiting) and self._running <= TOGETHER // 2)

    def go_on(self) -> bool:
        if monotonic() > self._until and not self.done:
            self.cancel()
        if self._probing and not self._running:
            self._probing = False
            self._right()
        if not self._probing:
            if self._waiting and self._running <= TOGETHER // 2:
                self._submit(TOGETHER - self._running)
            self._look_for_print()
            self._read_again()
            self._take_ended()
        return self.done

    def _right(self) -> None:
        """Turns the page another way if the lines that were read first are read better so."""
        first = [line for line in self._lines if line.done]
        best = mean_logprob(first)
        if best > _SURE or not first:
            return
        # A few lines say little. Columns of figures look like lines that run down the page.
        margin = _BETTER * (1 + 4 / len(first))
        turns = [(self._turn + 180) % 360, *([0] if self._turn in (90, 270) else [])]
        for turn in turns:
            before = (self._turn, self._lines, self._waiting)
            self._turn, self._lines = self._found(turn)
            self._waiting = self._all_pieces()
            self._probe()
            self._engine.wait(lambda: not self._running)
            after = [line for line in self._lines if line.done]
            if mean_logprob(after) > best + margin:
                best = mean_logprob(after)
                self._spare += [line for line in before[1] if line.attempts]
            else:
                self._spare += after
                self._turn, self._lines, self._waiting = before

    def _look_for_print(self) -> None:
        if not self._has_print:
            self._judged = self._count_done()
            self._has_print = any(line.is_print for line in self._lines)

    def _read_again(self) -> None:
        """Lets those lines into the engine in other widths of which it was not sure."""
        if self._cancelled or not self._has_print:
            return
        from ...layout import line_pieces

        for number in range(self._ended, len(self._lines)):
            line = self._lines[number]
            if number in self._again or not line.done:
                continue
            self._again.add(number)
            if line.unsure:
                line.others = [
                    Line(line.place, line_pieces(self._image, line.place, widen=w)) for w in WIDTHS
                ]
                for other in line.others:
                    other.attempts = self._submit_pieces(other.pieces)
                    self._open += other.attempts

    def _take_ended(self) -> None:
        """Puts the text of the lines that are done, from the first on, behind that of those before.

        Where nothing has been print so far, all of it may be texture: it is held back.
        """
        while self._has_print and self._ended < len(self._lines) and self._lines[self._ended].done:
            line = self._lines[self._ended]
            self._ended += 1
            try:
                self._spare += line.settle()
                text = line.text()
            except CancelledError:
                continue
            except Exception as error:
                self._failure = self._failure or error  # `result` raises it, whatever ended the page
                continue
            if line.counts:
                self._join(line, text)
                self._given.append(line)

    def _join(self, line: Line, text: str) -> None:
        before = self._joined.text
        self._joined.extend([LineText(text, line.place.block)])
        if self._tokens is None:
            return
        start, _ = self._joined.spans[-1]
        if start < len(before):
            self._tokens.drop_last(before[-1])
        elif separator := self._joined.text[len(before) : start]:
            self._tokens.put([TextToken(separator.encode())])
        self._tokens.put(tokens_of_line(line, self._token_bytes))

    def _count_done(self) -> int:
        return sum(line.done for line in self._lines)

    @property
    def _ready(self) -> int:
        """Characters that may be shown: the last letter may still be a hyphen that the next line takes away."""
        return len(self._joined.text) - (self._options.dehyphenate and not self.done)

    def new_text(self) -> str:
        self._piece = self._joined.text[self._shown : max(self._shown, self._ready)]
        self._shown += len(self._piece)
        return self._piece

    def rest(self, text: str) -> str:
        self._piece = text[self._shown :]
        return self._piece

    def new_tokens(self) -> tuple[TextToken, ...]:
        piece, self._piece = self._piece, ""
        return () if self._tokens is None else self._tokens.take(piece)

    def finish(self, reason: Finished) -> None:
        self._finished = reason
        self.cancel()

    def cancel(self) -> None:
        self._cancelled = True
        self._waiting.clear()
        for line in self._lines:
            # A line that has been read stays so; only the readings in other widths are given up.
            others, line.others = line.others, []
            self._spare += others
            for one in (line, *others):
                for attempt in one.attempts:
                    attempt.handle.cancel()

    def result(self) -> PageResult:
        late = monotonic() > self._until and any(not line.done or line.cancelled for line in self._lines)
        if late or self._finished:
            self._lines = self._given
        self._look_for_print()
        self._take_ended()
        if self._failure is not None:
            raise self._failure
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
            + sum(one.prepared + one.writing.generation.share for one in attempts if not given_up(one)),
            mean_logprob=mean,
            lines=lines,
            words=words,
            characters=characters if self._options.confidence == "character" else None,
            repetition=repetition,
            request=self._options.request,
            **self.place,
        )

    def _outcome(
        self, writings: Sequence[Writing], late: bool
    ) -> tuple[Status, FinishReason, Repetition | None]:
        if late:
            return "truncated", "deadline", None
        if self._finished:
            return ("complete" if self._finished == "stop" else "truncated"), self._finished, None
        # Of what is no print nothing is written, so nothing is missing where a reading of it went on for too long.
        reasons = {writing.finish_reason for writing in writings if self._has_print}
        if "looped" in reasons:
            looped = next(line for line in self._lines for a in line.attempts if a.loop is not None)
            loop = next(attempt.loop for attempt in looped.attempts if attempt.loop is not None)
            dropped = sum(writing.dropped for writing in writings)
            return "looped", "looped", Repetition(self._options.on_loop, loop.period, dropped)
        for reason in ("length", "deadline"):
            if reason in reasons:
                return "truncated", reason, None
        if self._left_out:
            return "truncated", "lines", None
        return ("complete" if self._joined.text else "empty"), "stop", None

    def _parts(self) -> tuple[tuple[TextPart, ...], tuple[TextPart, ...], tuple[float, ...]]:
        """Lines and words with their places, and the confidence of every character of the text."""
        text = self._joined.text
        lines: list[TextPart] = []
        words: list[TextPart] = []
        characters = [1.0] * len(text)
        for line, (start, end) in zip(self._given, self._joined.spans, strict=True):
            where: dict[str, Any] = {"angle": line.place.angle, "block": line.place.block}
            box = self._on_page(line.place.box)
            lines.append(TextPart(text[start:end], start, end, line.confidence, box, **where))
            at = start
            for word in line.words(self._token_bytes):
                found = text.find(word.text, at, end)
                at = found if found >= 0 else at
                stop = min(at + len(word.text), end)
                if stop > at:
                    sure, box = min(math.prod(word.confidences), 1.0), self._on_page(word.box)
                    words.append(TextPart(text[at:stop], at, stop, sure, box, **where))
                    characters[at:stop] = word.confidences[: stop - at]
                at = stop
        return tuple(lines), tuple(words), tuple(characters)

    def _on_page(self, box: Box) -> Box:
        """A box of the part that was read, in pixels of the page, cut at its rims."""
        x, y = self._corner
        width, height = self._image.size
        x1, y1, x2, y2 = box
        return (
            x + min(max(x1, 0.0), width), y + min(max(y1, 0.0), height),
            x + min(max(x2, 0.0), width), y + min(max(y2, 0.0), height),
        )  # fmt: skip
