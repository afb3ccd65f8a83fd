"""Drafts from the row's own past: tables, LaTeX and scores repeat themselves."""

from __future__ import annotations

from collections.abc import Sequence

from .draft_length import TOKEN_COST, Pace

_SHORTEST = 2  # tokens of the past that must match
_LONGEST = 32  # a longer match is no better
_CANDIDATES = 8  # latest places that are compared
_CLASSES = 5  # matches of 2, 3-4, 5-8, 9-16 and 17-32 tokens each have their own pace


class NgramDrafter:
    """Finds the longest run of tokens that ends the row and stood in it before, and proposes what followed there.

    Among equally long runs the latest counts. A run that reaches into its own continuation is a period, and is
    continued as one. Every n-gram is noted once, when the row has grown by it; a call compares a bounded number
    of places.
    """

    def __init__(self, cost: float = TOKEN_COST) -> None:
        """Args:
        cost: of one drafted token, as a share of a pass; see `Pace`.
        """
        self._places: dict[tuple[int, ...], list[int]] = {}  # n-gram -> where it ended, in order
        self._noted = _SHORTEST
        self._paces = [Pace(1 - 0.5 ** (i + 1), cost) for i in range(_CLASSES)]
        self._pace = self._paces[0]

    def propose(self, history: Sequence[int], limit: int) -> list[int]:
        end = len(history)
        for place in range(self._noted, end):  # the n-gram at the very end has nothing after it yet
            self._places.setdefault(tuple(history[place - _SHORTEST : place]), []).append(place)
        self._noted = max(self._noted, end)
        if limit < 1 or end <= _SHORTEST:
            return []
        place, length = self._longest_match(history)
        if not length:
            return []
        self._pace = self._paces[min((length - 1).bit_length() - 1, _CLASSES - 1)]
        wanted = self._pace.length(limit)
        period = end - place
        return [history[place + i % period] for i in range(wanted)]

    def accepted(self, proposed: int, kept: int) -> None:
        self._pace.update(proposed, kept)

    def _longest_match(self, history: Sequence[int]) -> tuple[int, int]:
        """Where the best earlier run ended, and its length; 0 tokens if there is none."""
        end = len(history)
        best, longest = 0, 0
        for place in reversed(self._places.get(tuple(history[-_SHORTEST:]), ())[-_CANDIDATES:]):
            length = _SHORTEST
            most = min(place, _LONGEST)
            while length < most and history[place - length - 1] == history[end - length - 1]:
                length += 1
            if length > longest:
                best, longest = place, length
        return best, longest
