"""What the reader sees of a unit in the engine, whichever way it is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from ..results import PageResult


class InProgress(ABC):
    """A unit in the engine, and its text so far.

    Attributes:
        place: the fields of the result that say where the text stands.
    """

    place: dict[str, Any]

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether the engine has nothing left to do for it."""

    @property
    @abstractmethod
    def grown(self) -> bool:
        """Whether there is text that nobody has looked at, or something to be done for it."""

    @abstractmethod
    def go_on(self) -> bool:
        """Does what there is to do; says whether the unit has ended."""

    @abstractmethod
    def new_text(self) -> str:
        """The characters that have come since the last call; with `rest`, they give the text of the result."""

    @abstractmethod
    def rest(self, text: str) -> str:
        """What has not been given out of the text of the result."""

    @abstractmethod
    def result(self) -> PageResult:
        """The result of a unit that has ended.

        Raises:
            Exception: whatever it failed with.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Gives it up."""
