"""Wide gaps within a line: after full stops, in stretched lines, where small parts are missing.

A gap is a line's own unless it belongs to a gutter, a strip that the lines above and below leave free too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .chains import Groups, connected
from .row import Row

WIDEST = 4.5  # letter heights of a gap that may be bridged where lines run over or under it
_ALONE = 3.5  # of one that has no lines near
_NEAR = 6.0  # letter heights from foot to foot: the lines that tell a gap from a gutter


def bridged_rows(rows: Sequence[Row]) -> Groups:
    """Which line each row is a part of: int64 `(n,)`."""
    if len(rows) < 2:
        return np.zeros(len(rows), np.int64)
    boxes = np.array([row.box for row in rows])
    heights = np.array([row.x_height for row in rows])
    feet = np.array([(row.base + row.slope * row.x1, row.base + row.slope * row.x2) for row in rows])
    tall = boxes[:, 3] - boxes[:, 1]
    few = np.array([row.letters <= 2 for row in rows])
    order = np.argsort(boxes[:, 0], kind="stable")
    starts = boxes[order, 0]
    pairs: list[tuple[int, int]] = []
    for i in range(len(rows)):
        h = heights[i]
        first, last = np.searchsorted(starts, (boxes[i, 2] - 0.8 * h, boxes[i, 2] + 2 * WIDEST * h))
        others = order[first:last]
        others = others[others != i]
        high = np.maximum(heights[others], h)
        level = abs(feet[others, 0] - feet[i, 1]) < 0.5 * high
        alike = high <= 1.9 * np.minimum(heights[others], h)
        # Quotes and other marks stand where they like between the tops and the bottoms of letters.
        overlap = np.minimum(boxes[others, 3], boxes[i, 3]) - np.maximum(boxes[others, 1], boxes[i, 1])
        mark = (few[others] | few[i]) & (overlap > 0.8 * np.minimum(tall[others], tall[i]))
        level, alike = level | mark, alike | mark
        others = others[level & alike & (boxes[others, 0] - boxes[i, 2] <= WIDEST * high)]
        if not len(others):
            continue
        j = int(others[np.argmin(boxes[others, 0])])
        gap = (float(boxes[i, 2]), float(boxes[j, 0]))
        if gap[1] - gap[0] <= 0 or _is_bridged(
            gap, float(feet[i, 1]), max(h, heights[j]), boxes, feet, {i, j}
        ):
            pairs.append((i, j))
    joined = np.array(pairs, np.int64).reshape(-1, 2)
    return connected(len(rows), joined[:, 0], joined[:, 1])


def _is_bridged(
    gap: tuple[float, float], foot: float, height: float, boxes: NDArray[np.float64], feet: NDArray[np.float64],
    own: set[int],
) -> bool:  # fmt: skip
    """Whether lines close above or below run over the gap; or it is narrow, and there are none."""
    distance = abs(feet.mean(1) - foot)
    near = (distance < _NEAR * height) & (distance > 0.5 * height)
    near[list(own)] = False
    beside = near & (boxes[:, 0] < gap[1] + 4 * height) & (boxes[:, 2] > gap[0] - 4 * height)
    over = near & (boxes[:, 0] < gap[0] + 0.2 * height) & (boxes[:, 2] > gap[1] - 0.2 * height)
    if over.any():
        return bool(over.sum() * 3 >= beside.sum())
    return gap[1] - gap[0] < _ALONE * height
