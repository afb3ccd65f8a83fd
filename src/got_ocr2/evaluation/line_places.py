"""How well lines were found: their places, and the order in which they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]

OVERLAP = 0.5  # intersection over union from which on two boxes are one line


@dataclass(frozen=True)
class LinePlaces:
    """Counts over one or more pages; they can be added.

    Attributes:
        true, found: lines that there are, and lines that were found.
        matched: found lines that overlap a true one by `OVERLAP`, one to one.
        pairs: true lines that follow each other and were both found.
        in_order: of those, the ones whose found lines follow each other directly among those matched.
    """

    true: int = 0
    found: int = 0
    matched: int = 0
    pairs: int = 0
    in_order: int = 0

    @property
    def recall(self) -> float:
        return self.matched / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        return self.matched / self.found if self.found else 1.0

    @property
    def order(self) -> float:
        """Share of neighbouring pairs that are in the right order."""
        return self.in_order / self.pairs if self.pairs else 1.0

    def __add__(self, other: LinePlaces) -> LinePlaces:
        return LinePlaces(
            self.true + other.true,
            self.found + other.found,
            self.matched + other.matched,
            self.pairs + other.pairs,
            self.in_order + other.in_order,
        )


def line_places(found: Sequence[Box], true: Sequence[Box], overlap: float = OVERLAP) -> LinePlaces:
    """Compares the lines of a page with the truth.

    Args:
        found, true: boxes `(x1, y1, x2, y2)` in reading order, in pixels.
        overlap: least intersection over union of a match.
    """
    matches = matched_lines(found, true, overlap)
    rank = {place: number for number, place in enumerate(sorted(matches.values()))}
    pairs = [(matches[i], matches[i + 1]) for i in range(len(true) - 1) if i in matches and i + 1 in matches]
    right = sum(rank[b] == rank[a] + 1 for a, b in pairs)
    return LinePlaces(len(true), len(found), len(matches), len(pairs), right)


def matched_lines(found: Sequence[Box], true: Sequence[Box], overlap: float = OVERLAP) -> dict[int, int]:
    """The found line of each true one, by their numbers; pairs that overlap most come first, no line has two."""
    if not found or not true:
        return {}
    shares = _overlaps(np.array(true, np.float64), np.array(found, np.float64))
    rows, columns = np.nonzero(shares >= overlap)
    matches: dict[int, int] = {}
    taken: set[int] = set()
    for at in np.argsort(-shares[rows, columns], kind="stable"):
        i, j = int(rows[at]), int(columns[at])
        if i not in matches and j not in taken:
            matches[i] = j
            taken.add(j)
    return matches


def _overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of each box of `a` `(n, 4)` with each of `b` `(m, 4)`: `(n, m)`."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None, :] - shared, 1e-9)
