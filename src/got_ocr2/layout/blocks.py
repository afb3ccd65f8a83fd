"""Lines under each other are blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.int64]
Boxes = NDArray[np.float64]

FLUSH = 1.0  # letter heights between edges of one column
MARK = 3.0  # letter heights: what is shorter is a number, a sign or a bullet
_PITCH = 2.6  # lines of a block follow each other within so many letter heights, from foot to foot
_ALIKE = 1.5  # ratio of letter heights within a block


def blocks_of(boxes: Boxes, heights: NDArray[np.float64]) -> list[list[int]]:
    """Lines under each other, with nothing else between, of about one letter height.

    Args:
        boxes: `(n, 4)`, x1, y1, x2, y2 in pixels.
        heights: `(n,)`, of the letters.

    Returns:
        The numbers of the lines of each block, from top to bottom.
    """
    n = len(boxes)
    order = np.argsort(boxes[:, 3], kind="stable")
    above = np.full(n, -1, np.int64)
    below = np.full(n, -1, np.int64)
    shared_with = np.zeros(n)  # how much of its width a line shares with the one above
    feet = boxes[order, 3]
    for at, i in enumerate(order):
        limit = np.searchsorted(feet, boxes[i, 3] + 1.5 * _PITCH * heights[i], side="right")
        rest = order[at + 1 : limit]
        if not len(rest):
            continue
        shared = np.minimum(boxes[rest, 2], boxes[i, 2]) - np.maximum(boxes[rest, 0], boxes[i, 0])
        narrow = np.minimum(boxes[rest, 2] - boxes[rest, 0], boxes[i, 2] - boxes[i, 0])
        lower = boxes[rest, 1] + boxes[rest, 3] > boxes[i, 1] + boxes[i, 3] + 0.8 * heights[i]
        under = rest[(shared > 0.3 * narrow) & lower]
        if not len(under):
            continue
        j = int(under[0])  # the nearest by its foot
        high, low = max(heights[i], heights[j]), min(heights[i], heights[j])
        near = boxes[j, 3] - boxes[i, 3] <= _PITCH * 1.5 * low + 0.3 * high
        most = float(shared[rest == j][0])
        if near and high <= _ALIKE * low and most > shared_with[j]:
            if above[j] >= 0:
                below[above[j]] = -1
            below[i], above[j], shared_with[j] = j, i, most
    for i in np.flatnonzero(below >= 0):
        if _spans_columns(int(i), int(below[i]), boxes, heights):
            above[below[i]] = below[i] = -1
    blocks: list[list[int]] = []
    for i in order:
        if above[i] < 0:
            block = [int(i)]
            while below[block[-1]] >= 0:
                block.append(int(below[block[-1]]))
            blocks.append(block)
    return blocks


def _spans_columns(upper: int, lower: int, boxes: Boxes, heights: NDArray[np.float64]) -> bool:
    """Whether one of two lines under each other, alone on its level, reaches over the other's column and one beside it.

    What stands above all others, and over another place than the line below, is a heading of all columns too.
    """
    for line, other in ((upper, lower), (lower, upper)):
        beside = _beside(other, boxes, heights)
        if not len(beside) or len(_beside(line, boxes, heights)):
            continue
        shared = np.minimum(boxes[beside, 2], boxes[line, 2]) - np.maximum(boxes[beside, 0], boxes[line, 0])
        if (shared > heights[line]).any():
            return True
    flush = abs(boxes[upper, 0] - boxes[lower, 0]) < FLUSH * heights[upper]
    if flush or not len(_beside(lower, boxes, heights)):
        return False
    return bool(np.delete(boxes[:, 1], upper).min() > boxes[upper, 3])


def _beside(line: int, boxes: Boxes, heights: NDArray[np.float64]) -> Order:
    """The lines, longer than a mark, that stand left or right of a line on its level."""
    x1, y1, x2, y2 = boxes[line]
    shared = np.minimum(boxes[:, 3], y2) - np.maximum(boxes[:, 1], y1)
    level = shared > 0.5 * np.minimum(boxes[:, 3] - boxes[:, 1], y2 - y1)
    apart = (boxes[:, 0] >= x2) | (boxes[:, 2] <= x1)
    return np.flatnonzero(level & apart & (boxes[:, 2] - boxes[:, 0] > MARK * heights))
