"""Connected pieces of ink as a table, and which of them may be letters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import Gray

MOST_PIECES = 30_000  # of ink on a page; beyond that the smallest are specks
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
