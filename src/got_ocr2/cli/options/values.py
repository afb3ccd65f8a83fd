"""Option values that typer does not check itself, or not with a sentence that names them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import typer

from ...errors import FileAccessError, InputError, InvalidOptionError
from ...wording import printable, reason


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


def size(text: str) -> int:
    """A number of bytes, such as 2GB; a `parser` for options."""
    from ...generation.engine.arena_size import parse_bytes

    try:
        return parse_bytes(text)
    except InvalidOptionError:
        raise typer.BadParameter(f"it must be a size such as 2GB or 500MB, got {text!r}") from None


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


def ngram_of(text: str) -> int | Literal["original"]:
    """The value of `--no-repeat-ngram N|original`.

    Raises:
        InvalidOptionError: neither.
    """
    if text == "original":
        return "original"
    if not text.isdecimal():
        raise InvalidOptionError(f"--no-repeat-ngram must be a whole number >= 0 or original, got {text!r}.")
    return int(text)


def draft_of(text: str) -> str:
    """The value of `--draft pdf-text|lines|FILE`: the names stay, a file is read.

    Raises:
        FileAccessError: the file is missing or may not be read.
        InputError: it is not UTF-8.
    """
    from ...reading import LINES, PDF_TEXT

    if text in (PDF_TEXT, LINES):
        return text
    try:
        return Path(text).read_text(encoding="utf-8-sig")
    except OSError as e:
        raise FileAccessError(f"The draft {printable(text)} cannot be read: {reason(e)}.") from e
    except UnicodeDecodeError as e:
        raise InputError(f"The draft {printable(text)} is not UTF-8 text: {reason(e)}.") from e
