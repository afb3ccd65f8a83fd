"""Where the text of a request ends: with its last page, before a stop string, or after so many tokens."""

from __future__ import annotations

from collections.abc import Sequence

from ...reading import Finished, TextPiece, TextToken, TextWishes
from ...reading.text_tokens import TokenQueue
from ...results import PAGE_SEPARATOR, PageResult

NOTHING = TextPiece("")


class TextEnd:
    """Puts the texts of pages together up to where the whole ends.

    Attributes:
        wishes: for the reader.
        reason: why the text ended before its pages did; None as long as it goes on. The reader is told.
        used: tokens so far. Of a page's text that the model wrote in one go, all that it wrote, the end token included;
            where lines were read, those that spell the text.
    """

    def __init__(
        self,
        wishes: TextWishes,
        *,
        most: int | None = None,
        by_lines: bool = False,
        separator: str = PAGE_SEPARATOR,
    ) -> None:
        """
        Args:
            wishes: what the reader is asked for: `tokens`, if `most` is given or lines are read.
            most: tokens of the whole text, >= 1; None for no limit.
            by_lines: the pages are read line by line.
            separator: stands between the texts of two pages.
        """
        self.wishes = wishes
        self.reason: Finished | None = None
        self.used = 0
        self._most = most
        self._by_lines = by_lines
        self._taken = 0  # tokens that have come
        self._before = 0  # and of the pages that are done
        self._between = TextToken(separator.encode())
        self._any = False
        self._fresh = True  # nothing of this page has come
        self._early: tuple[TextToken, ...] = ()  # tokens whose character is not whole yet
        self._carried = 0  # bytes of tokens that have come, but not their characters
        self._held = ""  # what may be the beginning of a stop string
        self._tokens = TokenQueue()

    def put(self, piece: TextPiece) -> TextPiece:
        """What is sure to be given out, now that this piece of a page has come."""
        if self.reason is not None:
            return NOTHING
        tokens, self._early = (*self._early, *piece.tokens), ()
        if not piece.text:
            self._early = tokens
            return NOTHING
        text, tokens = self._within_limit(piece.text, tokens)
        if text and self._fresh and self._any:
            text, tokens = self._between.bytes.decode() + text, (self._between, *tokens)
        if text:
            self._fresh, self._any = False, True
        return self._given(self._before_stop(text, tokens))

    def page(self, result: PageResult) -> None:
        """A page is done; what comes now is the next one's."""
        if not self._by_lines:
            if self.reason != "length":
                self._taken = self._before + result.tokens
            self.used = self._taken
        self._before, self._fresh, self._early, self._carried = self._taken, True, (), 0
        if not self._held:
            self._tokens.clear()

    def end(self) -> TextPiece:
        """What was held back, once no more will come."""
        given, self._held = self._held, ""
        return self._given(TextPiece(given, self._tokens.take(given, last=True))) if given else NOTHING

    def _given(self, piece: TextPiece) -> TextPiece:
        if self._by_lines:
            self.used += sum(token is not self._between for token in piece.tokens)
        return piece

    def _within_limit(self, text: str, tokens: tuple[TextToken, ...]) -> tuple[str, tuple[TextToken, ...]]:
        carried = self._carried
        self._carried += _size(tokens) - len(text.encode())
        room = len(tokens) if self._most is None else max(0, self._most - self._taken)
        self._taken += min(room, len(tokens))
        if len(tokens) <= room:
            return text, tokens
        self.reason = "length"
        bytes = text.encode()[: max(0, carried + _size(tokens[:room]))]
        return bytes.decode("utf-8", "ignore"), tokens[:room]

    def _before_stop(self, text: str, tokens: Sequence[TextToken]) -> TextPiece:
        self._tokens.put(tokens)
        self._held += text
        stops = [stop for stop in self.wishes.stops if stop]
        places = [place for stop in stops if (place := self._held.find(stop)) >= 0]
        if places:
            self.reason = "stop"
            given, self._held = self._held[: min(places)], ""
            return TextPiece(given, self._tokens.take(given, last=True))
        keep = len(self._held) - max((_begun(self._held, stop) for stop in stops), default=0)
        given, self._held = self._held[:keep], self._held[keep:]
        return TextPiece(given, self._tokens.take(given))


def _size(tokens: Sequence[TextToken]) -> int:
    return sum(len(token.bytes) for token in tokens)


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of the text begin the stop string."""
    return next(
        (size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0
    )
