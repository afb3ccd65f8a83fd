"""Ids -> text as they come, never half a character."""

from __future__ import annotations

import codecs
from collections.abc import Callable


class DecodeStream:
    """Joins the bytes of tokens and lets out whole UTF-8 characters only.

    All that `put` and `end` return, joined, equals `GotOcr2Tokenizer.decode` of all the ids: bytes that can
    never become a character come out as U+FFFD there and here. Make one with
    `GotOcr2Tokenizer.decode_stream()`.
    """

    def __init__(self, token_bytes: Callable[[int], bytes]) -> None:
        """Args:
        token_bytes: id -> the bytes it stands for, none for a token that is not shown.
        """
        self._token_bytes = token_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def put(self, token_id: int) -> str:
        """Takes the next id; returns the characters it completes, at times none."""
        return self._decoder.decode(self._token_bytes(int(token_id)))

    def end(self) -> str:
        """No more ids: returns U+FFFD if a character was left unfinished. The stream then starts afresh."""
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return rest
