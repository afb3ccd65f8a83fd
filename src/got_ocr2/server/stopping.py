"""Stop strings in a text that comes in pieces."""

from __future__ import annotations

from collections.abc import Sequence


class Stopper:
    """Gives a text out up to the first stop string.

    Args:
        stops: the strings; empty ones are left out.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False

    def put(self, piece: str) -> str:
        """What is sure to be given out, now that this piece has come; the beginning of a stop string is held back."""
        if self.stopped:
            return ""
        self._held += piece
        places = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if places:
            self.stopped = True
            given, self._held = self._held[: min(places)], ""
            return given
        keep = max((_begun(self._held, stop) for stop in self._stops), default=0)
        given, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return given

    def end(self) -> str:
        """What was held back, once no more will come."""
        given, self._held = self._held, ""
        return given


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of the text begin the stop string."""
    return next(
        (size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0
    )
