"""A line of a page in the engine: its pieces, what was written for them, and its words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..attempts import Attempt, Writing
from ..confidence import Confidences

if TYPE_CHECKING:
    from ...layout import Piece, TextLine

Box = tuple[float, float, float, float]
# Textures were read with up to .896 where they gave one to three letters, .5 where more; most drawn words with more.
SURE_OF_LETTERS = 0.9
SURE_OF_WORDS = 0.6
A_FEW = 6
MOSTLY_MARKS = 0.2  # share of letters and figures: stripes are read as rows of dots
LEAST_CONFIDENCE = 0.5
"""Lines that the model is less sure of are left out: specks, ornaments, rests of letters, things that are no print.

So are lines of hardly any letters below `SURE_OF_LETTERS`, and all lines of a page on which none certainly is print;
see `Line.is_print`.
"""
READ_AGAIN_BELOW = 0.97  # confidence of a line that may be read better in another width
SURER_BY = 0.01  # than the first reading is another one that counts


class Word(NamedTuple):
    """A word of a line.

    Attributes:
        text: what it says.
        confidences: of its characters, 0..1.
        box: `(x1, y1, x2, y2)` around it, in pixels of the picture that lines were looked for on.
    """

    text: str
    confidences: tuple[float, ...]
    box: Box

    def and_then(self, rest: Word) -> Word:
        """The word whose other part was cut off."""
        (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = self.box, rest.box
        hull = (min(ax1, bx1), min(ay1, by1), max(ax2, bx2), max(ay2, by2))
        return Word(self.text + rest.text, self.confidences + rest.confidences, hull)


@dataclass
class Line:
    """A line of the page, its pieces, and those of them that are in the engine or have left it.

    Attributes:
        place: where it stands on the page.
        pieces: it, cut out; most lines are one piece.
        attempts: of the first pieces, in their order; a piece that waits has none yet.
        others: the same line with its letters made wider or narrower, where the model was not sure of it.
    """

    place: TextLine
    pieces: tuple[Piece, ...]
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    others: list[Line] = field(default_factory=lambda: list[Line]())

    @property
    def length(self) -> float:
        """In heights of the line."""
        (x1, y1), (x2, y2), _, (x4, y4) = self.place.quad
        return math.hypot(x2 - x1, y2 - y1) / max(1.0, math.hypot(x4 - x1, y4 - y1))

    @property
    def done(self) -> bool:
        read = len(self.attempts) == len(self.pieces) and all(
            attempt.handle.done for attempt in self.attempts
        )
        return read and all(other.done for other in self.others)

    @property
    def unsure(self) -> bool:
        """Whether it may be read better in another width: some print, of which the model is not sure."""
        if not self.done or self.cancelled or not LEAST_CONFIDENCE <= self.confidence < READ_AGAIN_BELOW:
            return False
        return sum(letter.isalnum() for letter in self.text()) >= A_FEW

    def settle(self) -> list[Line]:
        """Becomes the reading that the model is surest of; gives back the others.

        Raises:
            Exception: whatever one of them failed with.
        """
        others, self.others = self.others, []
        best = max(others, key=lambda other: other.confidence, default=self)
        if best.confidence > self.confidence + SURER_BY:
            self.pieces, self.attempts, best.pieces, best.attempts = (
                best.pieces, best.attempts, self.pieces, self.attempts,
            )  # fmt: skip
        return others

    @property
    def confidence(self) -> float:
        """Geometric mean of the probabilities of its tokens, 0..1."""
        logprobs = [p for writing in self.writings for p in writing.logprobs]
        return min(1.0, math.exp(math.fsum(logprobs) / len(logprobs))) if logprobs else 0.0

    @property
    def writings(self) -> list[Writing]:
        """Raises whatever a piece failed with."""
        return [attempt.writing for attempt in self.attempts]

    @property
    def cancelled(self) -> bool:
        """Whether a piece was given up, or failed."""
        return any(given_up(attempt) for attempt in self.attempts)

    def text(self) -> str:
        """Of all pieces, white space made single. Raises whatever a piece failed with."""
        from ...layout import joined

        return " ".join(joined([writing.text for writing in self.writings], self.pieces).split())

    @property
    def is_print(self) -> bool:
        """Whether it certainly is print: the model is sure of it, or nearly so of more than a few letters."""
        if not self.done or self.cancelled:
            return False
        text = self.text()
        letters = sum(letter.isalnum() for letter in text)
        return bool(text) and self.confidence >= (SURE_OF_WORDS if letters >= A_FEW else SURE_OF_LETTERS)

    @property
    def counts(self) -> bool:
        """Whether it is a part of the page's text: it says something that the model is not too unsure of."""
        shown = self.text().replace(" ", "")
        letters = sum(letter.isalnum() for letter in shown)
        least = SURE_OF_LETTERS if letters < MOSTLY_MARKS * len(shown) else LEAST_CONFIDENCE
        return bool(shown) and self.confidence >= least

    def words(self, token_bytes: Callable[[int], bytes]) -> list[Word]:
        """Its words over all pieces.

        Args:
            token_bytes: id -> the bytes that it adds to the text.
        """
        from ...layout import word_boxes

        found: list[Word] = []
        for piece, writing in zip(self.pieces, self.writings, strict=True):
            sure = Confidences(writing.tokens, writing.logprobs, token_bytes).characters()
            at = 0
            for number, (text, box) in enumerate(
                zip(writing.text.split(), word_boxes(piece, writing.text), strict=True)
            ):
                at = writing.text.index(text, at)
                word = Word(text, sure[at : at + len(text)], box)
                at += len(text)
                divided = number == 0 and piece.joins_word and found
                found.append(found.pop().and_then(word) if divided else word)
        return found


def mean_logprob(lines: Sequence[Line]) -> float:
    """Of all tokens of some lines; lower than any other where nothing was written."""
    found: list[float] = []
    for line in lines:
        for attempt in line.attempts:
            if not given_up(attempt):
                found += attempt.writing.logprobs if attempt.writing.text.strip() else (-3.0,)
    return math.fsum(found) / len(found) if found else -math.inf


def given_up(attempt: Attempt) -> bool:
    """Whether nothing came of it: it failed, or it was cancelled, whether the engine has heard of that or not."""
    return not attempt.handle.done or attempt.handle.error is not None
