"""Drafts from a text that the caller has: a PDF's text layer, another OCR's output, an older version."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from .alignment import Alignment
from .draft_length import TOKEN_COST, Pace


class TextDrafter:
    """Proposes how a given text goes on from where the row stands in it.

    The text is encoded once. Row and text are compared as bytes, so it does not matter where tokens begin and
    end; a place inside a token of the text is encoded anew from there. Where the row has left the text, nothing
    is proposed until the two meet again.
    """

    def __init__(
        self,
        text: str,
        encode: Callable[[str], Sequence[int]],
        token_bytes: Callable[[int], bytes],
        cost: float = TOKEN_COST,
    ) -> None:
        """Args:
        text: what the page is thought to say.
        encode: text to ids as the model writes them: `GotOcr2Tokenizer.encode`. Should the text name control
            tokens, they are proposed like others, and refused like others.
        token_bytes: id to the bytes it adds to the text, none for control tokens.
        cost: of one drafted token, as a share of a pass; see `Pace`.
        """
        self._encode = encode
        self._token_bytes = token_bytes
        self._ids = list(encode(text))
        parts = [token_bytes(i) for i in self._ids]
        self._text = b"".join(parts)  # what the ids say: the tokenizer may have composed characters
        self._ends: list[int] = []  # of each token, in bytes
        for part in parts:
            self._ends.append((self._ends[-1] if self._ends else 0) + len(part))
        self._alignment = Alignment(self._text)
        self._pace = Pace(0.9, cost)
        self._seen = 0

    def propose(self, history: Sequence[int], limit: int) -> list[int]:
        self._alignment.push(b"".join(self._token_bytes(i) for i in history[self._seen :]))
        self._seen = len(history)
        place = self._alignment.position()
        if limit < 1 or place is None or place >= len(self._text):
            return []
        return self._from(place, self._pace.length(limit))

    def accepted(self, proposed: int, kept: int) -> None:
        self._pace.update(proposed, kept)

    def _from(self, place: int, count: int) -> list[int]:
        """The `count` tokens of the text from a byte on; none from the middle of a character."""
        token = bisect_right(self._ends, place)  # the first one that ends after it
        begin = self._ends[token - 1] if token else 0
        if begin == place:
            return self._ids[token : token + count]
        if not count or self._text[place] & 0xC0 == 0x80:
            return []
        end = self._ends[min(token + count, len(self._ends)) - 1]
        rest = self._text[place:end].decode("utf-8", errors="ignore")  # may end inside a character
        return list(self._encode(rest))[:count]
