"""What a caller wants of the text itself, beside what `ReadOptions` asks about the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TextWishes:
    """For servers, which speak of texts and tokens rather than of pages.

    Attributes:
        stops: a page ends with the first of these strings in its text, which may then hold the string. Where lines are
            read, whoever looks at the text has to end it; see `Reader.events`.
        max_tokens: most tokens of a page, and of a piece of a line, >= 1; None leaves that to the options.
        tokens: tell the tokens of the text too.
        top: with each of them so many of the most probable ones, >= 0.
    """

    stops: tuple[str, ...] = ()
    max_tokens: int | None = None
    tokens: bool = False
    top: int = 0
