"""Option values that typer does not check itself, or not with a sentence that names them."""

from __future__ import annotations

import typer

from ..errors import InvalidOptionError


def count(text: str) -> int:
    """A whole number from 1; a `parser` for options."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise typer.BadParameter(f"it must be a whole number >= 1, got {text!r}")
    return number


def positive(text: str) -> float:
    """A number above 0; a `parser` for options."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise typer.BadParameter(f"it must be a number above 0, got {text!r}")
    return number


def box_of(text: str) -> list[float]:
    """The numbers of `--box x1,y1,x2,y2`.

    Raises:
        InvalidOptionError: not four numbers.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        raise InvalidOptionError(f"--box must be x1,y1,x2,y2 in pixels, got {text!r}.")
    return numbers
