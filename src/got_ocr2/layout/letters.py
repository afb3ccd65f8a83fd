"""Connected pieces of ink as a table, and which of them may be letters."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import Gray

MOST_PIECES = 30_000  # of ink on a page; beyond that the smallest are specks
_LINKS = 1.5  # typical heights of a piece that may link two lines
_LOWER = 0.75  # of its height: what is lower stands beside it on one line
_NEAR = 3.0  # typical heights to its left and right
_MOST_LINKS = 500
_ROUNDS = 3  # in which pieces are parted, and tell of those beside them
LOWEST = 4  # pixels of a letter's height
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Letters:
    """Pieces of ink, one an entry; all `(n,)` float64, places in pixels.

    Attributes:
        x1, y1, x2, y2: the box, ends not included.
        area: pixels of ink.
    """

    x1: Numbers
    y1: Numbers
    x2: Numbers
    y2: Numbers
    area: Numbers

    def __len__(self) -> int:
        return len(self.x1)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Letters:
        return Letters(self.x1[chosen], self.y1[chosen], self.x2[chosen], self.y2[chosen], self.area[chosen])

    @property
    def width(self) -> Numbers:
        return self.x2 - self.x1

    @property
    def height(self) -> Numbers:
        return self.y2 - self.y1


def pieces_of(ink: Gray) -> Letters:
    """The 8-connected pieces of ink, sorted by their left edges; of more than `MOST_PIECES` the largest."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    stats = stats[1:]
    if len(stats) > MOST_PIECES:
        kept = np.argpartition(stats[:, cv2.CC_STAT_AREA], -MOST_PIECES)[-MOST_PIECES:]
        stats = stats[kept]
    stats = stats[np.argsort(stats[:, cv2.CC_STAT_LEFT], kind="stable")].astype(np.float64)
    x, y, w, h, area = (stats[:, i] for i in range(5))
    return Letters(x, y, x + w, y + h, area)


def typical_height(pieces: Letters) -> float:
    """The height of most letters in pixels, 0 if nothing looks like one: the middle one without the lowest quarter."""
    tall = pieces.height[(pieces.height >= LOWEST) & (pieces.width >= 2) & (pieces.width < 8 * pieces.height)]
    if not len(tall):
        return 0.0
    return float(np.median(tall[tall >= np.quantile(tall, 0.25)]))


def may_be_letters(pieces: Letters, height: float, page_height: int) -> NDArray[np.bool_]:
    """Which pieces may be letters or a few that touch: neither specks nor rules nor pictures."""
    h, w = pieces.height, pieces.width
    filled = pieces.area / np.maximum(h * w, 1)
    tall = (
        (h >= max(LOWEST, 0.45 * height)) & (h <= max(12 * height, 0.0)) & (h < 0.8 * max(page_height, 1) + 8)
    )
    rule = (w > 8 * h) & (filled > 0.5) | (h > 8 * w) & (h > 2.5 * height)
    frame = (filled < 0.1) & (h > 2 * height)
    return tall & ~rule & ~frame & (w < 22 * h)


def parted(letters: Letters, height: float) -> Letters:
    """The letters, where each piece that links two lines is one in each of them.

    A piece links them if smaller letters beside it stand on two levels, left and right of it: a drop cap has none on
    its left. One that was parted tells of those beside it.

    Args:
        letters: sorted by their left edges, as they are given back.
        height: of a typical letter, in pixels.
    """
    for _ in range(_ROUNDS):
        more = _parted_once(letters, height)
        if len(more) == len(letters):
            break
        letters = more
    return letters


def _parted_once(letters: Letters, height: float) -> Letters:
    high = np.flatnonzero(letters.height > _LINKS * height)
    if not len(high) or len(high) > _MOST_LINKS:
        return letters
    middle = (letters.y1 + letters.y2) / 2
    links: list[int] = []
    edges: list[tuple[float, float]] = []  # foot of the upper line, top of the lower one
    for i in high:
        last = np.searchsorted(letters.x1, letters.x2[i] + _NEAR * height)
        near = np.flatnonzero(letters.x2[:last] > letters.x1[i] - _NEAR * height)
        near = near[
            (letters.height[near] < _LOWER * letters.height[i])
            & (letters.y1[near] > letters.y1[i] - 0.4 * height)
            & (letters.y2[near] < letters.y2[i] + 0.4 * height)
        ]
        above = near[letters.y2[near] < middle[i] + 0.25 * height]
        below = near[letters.y1[near] > middle[i] - 0.25 * height]
        sides = letters.x2[near] < letters.x1[i] + height, letters.x1[near] > letters.x2[i] - height
        if min(len(above), len(below)) >= 2 and all(side.any() for side in sides):
            links.append(int(i))
            edges.append((float(np.median(letters.y2[above])), float(np.median(letters.y1[below]))))
    if not links:
        return letters
    foot, top = np.array(edges).T
    at = np.array(links)
    halves = (
        Letters(letters.x1[at], letters.y1[at], letters.x2[at], foot, letters.area[at] / 2),
        Letters(letters.x1[at], top, letters.x2[at], letters.y2[at], letters.area[at] / 2),
    )
    kept = letters[~np.isin(np.arange(len(letters)), at)]
    parts = (kept, *halves)
    whole = Letters(
        *(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Letters))
    )
    return whole[np.argsort(whole.x1, kind="stable")]
