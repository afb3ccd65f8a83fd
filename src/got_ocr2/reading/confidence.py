"""From the probabilities of tokens to those of the characters, words and lines that they spell.

What each of them means stands at `results.PageResult`.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from ..results import TextPart

ConfidenceLevel = Literal["page", "line", "word", "character"]

# Kana, ideographs with their extensions, and the marks that stand among them.
_ALONE = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]+")
_LINE = re.compile(r"[^\n]*\S[^\n]*")


class Character(NamedTuple):
    """Which tokens hold the bytes of one character: all from `first` to `last`."""

    first: int
    last: int


class Confidences:
    """The tokens of one text, and how sure the model was of each.

    Tokens are bytes, so one may end inside a character, and a character may take several.
    """

    def __init__(
        self, tokens: Sequence[int], logprobs: Sequence[float], token_bytes: Callable[[int], bytes]
    ) -> None:
        """Args:
        tokens: ids of the text, in order.
        logprobs: natural logarithm of the probability of each.
        token_bytes: id -> the bytes it adds to the text, none for a control token.
        """
        self._logprobs = logprobs
        self._characters = spelt([token_bytes(token) for token in tokens])

    def characters(self) -> tuple[float, ...]:
        """The confidence of every character of the text."""
        return tuple(math.exp(min(self._of(place, place + 1))) for place in range(len(self._characters)))

    def mean(self, start: int, end: int) -> float:
        """Of the characters `start .. end - 1`, at least one: the geometric mean over their tokens."""
        logprobs = self._of(start, end)
        return min(1.0, math.exp(sum(logprobs) / len(logprobs)))

    def words(self, text: str) -> tuple[TextPart, ...]:
        """The words of the text that the tokens spell."""
        return tuple(
            _part(text, *found.span(), math.exp(sum(self._of(*found.span()))))
            for found in _WORD.finditer(text)
        )

    def lines(self, text: str) -> tuple[TextPart, ...]:
        """The lines of the text that hold more than white space."""
        found: list[TextPart] = []
        for match in _LINE.finditer(text):
            line = match.group()
            start = match.start() + len(line) - len(line.lstrip())
            end = match.start() + len(line.rstrip())
            found.append(_part(text, start, end, self.mean(start, end)))
        return tuple(found)

    def _of(self, start: int, end: int) -> Sequence[float]:
        """What the tokens say that hold the characters `start .. end - 1`."""
        return self._logprobs[self._characters[start].first : self._characters[end - 1].last + 1]


def _part(text: str, start: int, end: int, confidence: float) -> TextPart:
    return TextPart(text[start:end], start, end, min(confidence, 1.0))


def spelt(pieces: Sequence[bytes]) -> list[Character]:
    """The characters that the pieces, joined, decode to; broken ones are U+FFFD there and count like others."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    found: list[Character] = []
    begun: int | None = None  # the token in which a character began that is not whole yet
    for token, piece in enumerate(pieces):
        whole = len(decoder.decode(piece))
        found += (Character(token if place or begun is None else begun, token) for place in range(whole))
        if not decoder.getstate()[0]:
            begun = None
        elif whole or begun is None:
            begun = token
    if begun is not None:
        rest = len(decoder.decode(b"", final=True))
        found += [Character(begun, len(pieces) - 1)] * rest
    return found
