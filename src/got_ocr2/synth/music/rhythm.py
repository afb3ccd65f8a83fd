"""How bars are filled with note values: metres, patterns of beats, beams.

A note value is written as `**kern` writes it: the reciprocal of its share of a whole note, then its dots. "4"
is a quarter, "8." a dotted eighth, "12" an eighth of a triplet.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np


@cache
def length(value: str) -> Fraction:
    """Length of a note value in whole notes."""
    dots = value.count(".")
    return Fraction(1, int(value[: len(value) - dots])) * (2 - Fraction(1, 2**dots))


def beam_levels(value: str) -> int:
    """How many beams (or flags) the value's stem carries."""
    written = int(value.rstrip("."))
    if written in (6, 12, 24):  # members of triplets look like the next longer power of two
        written = {6: 4, 12: 8, 24: 16}[written]
    return max(0, written.bit_length() - 3)


@dataclass(frozen=True)
class Beat:
    """What one stretch of a bar may hold.

    Attributes:
        length: in whole notes.
        patterns: note values that fill it, each with how common it is and how busy (0 to 4); "|" stands for
            breaking the beat into smaller ones.
    """

    length: Fraction
    patterns: tuple[tuple[str, float, int], ...]


_QUARTER = Beat(
    Fraction(1, 4),
    (
        ("4", 4, 0), ("8 8", 4, 1), ("8. 16", 1, 2), ("16 8.", 0.2, 3), ("8 16 16", 1, 2), ("16 16 8", 1, 2),
        ("16 8 16", 0.4, 3), ("16 16 16 16", 1.5, 2), ("12 12 12", 0.8, 2), ("6 12", 0.2, 3),
        ("8 32 32 16", 0.1, 4), ("32 32 32 32 32 32 32 32", 0.1, 4),
    ),
)  # fmt: skip
_HALF = Beat(
    Fraction(1, 2),
    (
        ("2", 3, 0), ("4. 8", 2, 1), ("8 4.", 0.2, 2), ("8 8 8 8", 3, 1), ("8 4 8", 0.7, 1),
        ("4.. 16", 0.1, 3), ("4. 16 16", 0.4, 2), ("6 6 6", 0.4, 2), ("|", 9, 0),
    ),
)  # fmt: skip
_WHOLE = Beat(Fraction(1), (("1", 1, 0), ("2. 4", 1, 0), ("|", 8, 0)))
_THREE_QUARTERS = Beat(
    Fraction(3, 4),
    (
        ("2.", 2, 0),
        ("2 4", 1.5, 0),
        ("4 2", 0.7, 0),
        ("4. 8 4", 0.6, 1),
        ("8 8 8 8 8 8", 0.8, 1),
        ("|", 8, 0),
    ),
)
_DOTTED_QUARTER = Beat(
    Fraction(3, 8),
    (
        ("4.", 3, 0), ("4 8", 3, 0), ("8 4", 0.6, 1), ("8 8 8", 4, 1), ("8. 16 8", 1, 2),
        ("8 16 16 8", 0.8, 2), ("8 8 16 16", 0.8, 2), ("16 16 8 8", 0.5, 2), ("16 16 16 16 16 16", 1, 2),
        ("4 16 16", 0.5, 2),
    ),
)  # fmt: skip
_DOTTED_HALF = Beat(Fraction(3, 4), (("2.", 2, 0), ("|", 5, 0)))

# A beat that is not taken whole ("|") falls apart into the beats below it.
_PARTS: dict[Beat, tuple[Beat, ...]] = {
    _HALF: (_QUARTER, _QUARTER),
    _WHOLE: (_HALF, _HALF),
    _THREE_QUARTERS: (_QUARTER, _QUARTER, _QUARTER),
    _DOTTED_HALF: (_DOTTED_QUARTER, _DOTTED_QUARTER),
}

METRES: dict[str, tuple[float, tuple[Beat, ...]]] = {
    "4/4": (5, (_WHOLE,)),
    "3/4": (4, (_THREE_QUARTERS,)),
    "2/4": (3, (_HALF,)),
    "2/2": (1, (_WHOLE,)),
    "3/2": (0.3, (_HALF, _HALF, _HALF)),
    "5/4": (0.3, (_THREE_QUARTERS, _HALF)),
    "3/8": (1, (_DOTTED_QUARTER,)),
    "6/8": (3, (_DOTTED_HALF,)),
    "9/8": (0.7, (_DOTTED_QUARTER, _DOTTED_HALF)),
    "12/8": (0.7, (_DOTTED_HALF, _DOTTED_HALF)),
    "7/8": (0.2, (_HALF, _DOTTED_QUARTER)),
}
"""Metre -> (how common it is, the beats of a bar)."""

REST_OF_A_BAR = {
    "4/4": "1", "3/4": "2.", "2/4": "2", "2/2": "1", "3/2": "1.", "3/8": "4.", "6/8": "2.", "12/8": "1.",
}  # fmt: skip
"""Metre -> the one value that fills a bar, where there is one."""


def bar_length(metre: str) -> Fraction:
    """Length of a bar in whole notes."""
    upper, lower = metre.split("/")
    return Fraction(int(upper), int(lower))


def fill_bar(metre: str, busyness: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Note values of one bar, grouped as they are beamed together.

    Args:
        metre: a key of `METRES`.
        busyness: 0 (long notes) to 4 (thirty-seconds): the busiest pattern that may be taken.
    """
    groups: list[tuple[str, ...]] = []
    for beat in METRES[metre][1]:
        groups += _fill_beat(beat, busyness, rng)
    return groups


def _fill_beat(beat: Beat, busyness: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    choices = [(pattern, weight) for pattern, weight, level in beat.patterns if level <= busyness]
    weights = np.array([weight for _, weight in choices])
    pattern = choices[int(rng.choice(len(choices), p=weights / weights.sum()))][0]
    if pattern != "|":
        return [tuple(pattern.split())]
    return [group for part in _PARTS[beat] for group in _fill_beat(part, busyness, rng)]


def beam_marks(levels: list[int]) -> list[str]:
    """The `**kern` beam marks of notes that follow one another without a rest.

    Args:
        levels: beams of each note, 0 for a note that carries none and so ends a beam.

    Returns:
        For each note a run of L (a beam starts), J (one ends), K and k (a short one to the right or left).
    """
    marks = [""] * len(levels)
    start = 0
    while start < len(levels):
        stop = start
        while stop < len(levels) and levels[stop] > 0:
            stop += 1
        if stop - start > 1:
            for level in range(1, max(levels[start:stop]) + 1):
                _mark_level(marks, levels, start, stop, level)
        start = max(stop, start + 1)
    return marks


def _mark_level(marks: list[str], levels: list[int], start: int, stop: int, level: int) -> None:
    """Adds the marks of one height of beam over notes `start` to `stop` (excluded)."""
    first = start
    while first < stop:
        if levels[first] < level:
            first += 1
            continue
        last = first
        while last + 1 < stop and levels[last + 1] >= level:
            last += 1
        if last > first:
            marks[first] += "L"
            marks[last] += "J"
        else:
            marks[first] += "K" if first == start else "k"
        first = last + 1
