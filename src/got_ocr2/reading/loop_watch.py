"""A page's tokens, watched for repetition while the engine writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..generation.rules.repetition import Loop


class LoopWatch:
    """The `watch` of a request: ends the page when it repeats itself.

    Attributes:
        loop: what was noticed; None as long as all is well.
        certain: tokens, from the first on, that no loop that is under way would take back.
    """

    def __init__(self, beginning: Sequence[int] = ()) -> None:
        """Takes the tokens that the page begins with; they are no loop."""
        from ..generation.rules.repetition import LoopDetector

        self._detector = LoopDetector()
        self.loop: Loop | None = None
        for token in beginning:
            self._detector.push(token)
        self.certain = len(beginning)

    def __call__(self, tokens: Sequence[int]) -> Literal["looped"] | None:
        """Takes the tokens of a step."""
        for token in tokens:
            self.loop = self._detector.push(token)
            if self.loop is not None:
                return "looped"
        self.certain = self._detector.certain
        return None
