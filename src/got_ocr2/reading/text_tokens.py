"""The tokens that spell a text, with their probabilities."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..generation.engine.requests import Alternatives

TokenBytes: TypeAlias = Callable[[int], bytes]
"""id -> the bytes that it adds to a text, none for a control token."""


@dataclass(frozen=True)
class TextToken:
    """A token of a text.

    Attributes:
        bytes: what it adds to the text in UTF-8; it may end within a character, and a control token adds none.
        logprob: natural logarithm of the probability that the model gave to it; 0 for what the reader itself put
            between two lines.
        top: ids and log-probabilities of the most probable tokens in its place, as many as were asked for.
    """

    bytes: bytes
    logprob: float = 0.0
    top: Alternatives = ()


class TokenQueue:
    """Tokens that spell a growing text, given out as its characters are."""

    def __init__(self) -> None:
        self._tokens: deque[TextToken] = deque()
        self._ahead = 0  # bytes of text given out that no token given out covers

    def put(self, tokens: Iterable[TextToken]) -> None:
        """The text has grown by these."""
        self._tokens.extend(tokens)

    def drop_last(self, character: str) -> None:
        """The last character of the text, which is not given out yet, is taken away."""
        left = len(character.encode())
        while left:
            last = self._tokens.pop()
            kept = last.bytes[: max(0, len(last.bytes) - left)]
            left -= len(last.bytes) - len(kept)
            if kept:
                self._tokens.append(replace(last, bytes=kept))

    def take(self, text: str, *, last: bool = False) -> tuple[TextToken, ...]:
        """The tokens of the next characters: those that end within them.

        Args:
            text: the characters.
            last: no more will be given out, so a token that goes on after them is cut.
        """
        self._ahead += len(text.encode())
        found: list[TextToken] = []
        while self._tokens and len(self._tokens[0].bytes) <= self._ahead:
            found.append(self._tokens.popleft())
            self._ahead -= len(found[-1].bytes)
        if last and self._tokens and self._ahead:
            found.append(replace(self._tokens[0], bytes=self._tokens[0].bytes[: self._ahead]))
        return tuple(found)

    def clear(self) -> None:
        """Begins again, with a text of its own."""
        self._tokens.clear()
        self._ahead = 0
