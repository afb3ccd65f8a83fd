"""What the reader sees of a unit in the engine, whichever way it is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

from ..results import PageResult
from .text_tokens import TextToken

Finished = Literal["stop", "length"]
"""Why whoever looks at a text has enough of it: a stop string is in it, or it has as many tokens as it may."""


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
    def new_tokens(self) -> tuple[TextToken, ...]:
        """The tokens of what `new_text` or `rest` has just given, where the writer was asked for them."""

    @abstractmethod
    def finish(self, reason: Finished) -> None:
        """Ends it where it is: what it has written is its text, and `result` gives this reason."""

    @abstractmethod
    def result(self) -> PageResult:
        """The result of a unit that has ended.

        Raises:
            Exception: whatever it failed with.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Gives it up."""
