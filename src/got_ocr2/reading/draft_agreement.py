"""How much of a given text is in what was read."""

from __future__ import annotations


def agreement(a: str, b: str) -> float:
    """Twice the characters that both texts have in common, in the same order, by the characters of both.

    White space is left out, because a text layer and a page need not break their lines alike. 1 for two texts that
    are both empty.
    """
    a, b = "".join(a.split()), "".join(b.split())
    return 2 * _in_common(a, b) / (len(a) + len(b)) if a or b else 1.0


def _in_common(a: str, b: str) -> int:
    """Length of the longest common subsequence.

    Method: Crochemore et al. 2001, one row of the table as the bits of a whole number. A 0 at bit i says that
    `a[: i + 1]` has one more character in common than `a[:i]` with the part of `b` that was looked at.
    """
    places: dict[str, int] = {}
    for i, character in enumerate(a):
        places[character] = places.get(character, 0) | 1 << i
    full = (1 << len(a)) - 1
    row = full
    for character in b:
        equal = row & places.get(character, 0)
        row = (row + equal | row - equal) & full
    return len(a) - row.bit_count()
