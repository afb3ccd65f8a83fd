"""Words for messages: always one line of valid text."""

from __future__ import annotations

import os


def printable(path: str | os.PathLike[str]) -> str:
    """A path as one line of valid text: control characters and undecodable bytes are escaped."""
    text = os.fspath(path)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def reason(error: BaseException | str) -> str:
    """What an exception says, as part of a sentence: on one line, without the full stop."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__
