"""The letters of a text that two readers should agree on, and where they stand in it."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple


class Letters(NamedTuple):
    """Letters and digits of a text without case, accents' variants and white space.

    Attributes:
        text: one after another.
        places: for each of them its place in the text that they were taken from.
    """

    text: str
    places: list[int]


def letters_of(text: str) -> Letters:
    """Letters and digits; ligatures are taken apart and forms that look the same are one."""
    found: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for letter in unicodedata.normalize("NFKC", character).casefold():
            if letter.isalnum():
                found.append(letter)
                places.append(place)
    return Letters("".join(found), places)
