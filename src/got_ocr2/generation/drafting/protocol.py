"""What a drafter is, and drafters made of drafters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Drafter(Protocol):
    """Guesses how one row goes on. It belongs to that row: it remembers what it has seen."""

    def propose(self, history: Sequence[int], limit: int) -> list[int]:
        """The ids that may come next.

        Args:
            history: all new ids of the row, the prompt left out. Between calls it only grows, at its end; what
                was seen before is not looked at again, so a call costs what is new plus `limit`.
            limit: the most ids that are wanted, >= 0.

        Returns:
            At most `limit` ids; none where a guess would not pay.
        """
        ...

    def accepted(self, proposed: int, kept: int) -> None:
        """What became of the last proposal.

        Args:
            proposed: ids of it that were verified, >= 1.
            kept: how many of them, from the first on, the model wrote too; `0 <= kept <= proposed`.
        """
        ...


class FirstOf:
    """Asks one drafter after another and takes the first proposal that is not empty."""

    def __init__(self, *drafters: Drafter) -> None:
        """Takes the drafters, the most trusted first."""
        self._drafters = drafters
        self._asked: Drafter | None = None

    def propose(self, history: Sequence[int], limit: int) -> list[int]:
        for drafter in self._drafters:
            draft = drafter.propose(history, limit)
            if draft:
                self._asked = drafter
                return draft
        return []

    def accepted(self, proposed: int, kept: int) -> None:
        if self._asked is not None:
            self._asked.accepted(proposed, kept)
