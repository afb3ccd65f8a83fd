"""What is wrong with an output of the model, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import RenderError


@dataclass(frozen=True)
class Problem:
    """One thing in a text that is not as it should be.

    Attributes:
        line: where it is, from 1.
        column: character in the line, from 1; None when the whole line, or what is missing, is meant.
        reason: what is wrong and what was done about it, a short sentence without its full stop.
    """

    line: int
    column: int | None
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.column is None else f"line {self.line}, column {self.column}"
        return f"{place}: {self.reason}"


def refuse(kind: str, problems: Sequence[Problem]) -> None:
    """What strict rendering does about problems.

    Raises:
        RenderError: there is one.
    """
    if problems:
        more = f"; {len(problems) - 1} more" if len(problems) > 1 else ""
        raise RenderError(f"The {kind} is not as it should be: {problems[0]}{more}.")
