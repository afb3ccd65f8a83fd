"""Sheet music as Humdrum `**kern`, compared symbol by symbol."""

from __future__ import annotations

import re

from .edit_distance import levenshtein
from .text import Errors

_SYMBOL = re.compile(r"[^\t\n ]+|[\t\n ]")


def kern_symbols(text: str) -> list[str]:
    """The symbols of a score: notes, rests, bar lines and interpretations, and what separates them.

    Tabs (the next staff), line breaks (the next moment) and the spaces of a chord are symbols of their own,
    because a note in the wrong staff is an error; blank lines and blanks at line ends are not.
    """
    lines = (line.rstrip() for line in text.strip().splitlines())
    return _SYMBOL.findall("\n".join(line for line in lines if line))


def symbol_errors(prediction: str, truth: str) -> Errors:
    """Edits of symbols against the symbols of the truth: the symbol error rate (SER)."""
    right = kern_symbols(truth)
    return Errors(levenshtein(kern_symbols(prediction), right), len(right))
