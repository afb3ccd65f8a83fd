"""Dashes that stand alone before or after a line: they begin an item of a list, end a line, flank a page's number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .letters import Letters
from .row import Row

_OBLONG = 1.5  # times as wide as high
_WIDTHS = (0.28, 3.0)  # letter heights
_THICK = 0.1  # letter heights; rests of rules are thinner
_MIDDLE, _OFF = 0.45, 0.3  # of a letter's height above the baseline, and how far from it
_BEFORE, _AFTER = 3.0, 1.6  # letter heights to the line
_MOST = 2  # dashes on a side


def with_dashes(rows: list[Row], small: Letters) -> list[Row]:
    """The lines with the dashes at their ends that are no other line's.

    Args:
        rows: the lines of a page.
        small: pieces of ink lower than letters, sorted by their left edges.
    """
    oblong = small[small.width > _OBLONG * small.height]
    if not rows or not len(oblong):
        return rows
    boxes = np.array([row.box for row in rows])
    return [_longer(row, oblong, boxes) for row in rows]


def _longer(row: Row, oblong: Letters, boxes: NDArray[np.float64]) -> Row:
    for _ in range(_MOST):
        h = row.x_height
        first, last = np.searchsorted(oblong.x1, (row.x1 - (_BEFORE + _WIDTHS[1]) * h, row.x2 + _AFTER * h))
        part = oblong[np.arange(first, last)]
        x, y = (part.x1 + part.x2) / 2, (part.y1 + part.y2) / 2
        dash = np.abs(row.line.at(x) - y - _MIDDLE * h) < _OFF * h
        dash &= (part.width > _WIDTHS[0] * h) & (part.width < _WIDTHS[1] * h) & (part.height > _THICK * h)
        dash &= ((x < row.x1) & (part.x2 > row.x1 - _BEFORE * h)) | (x > row.x2)
        chosen = np.flatnonzero(dash)
        if not len(chosen):
            break
        part, x, y = part[chosen], x[chosen], y[chosen]
        inside = (boxes[:, None, 0] <= x) & (x <= boxes[:, None, 2])
        inside &= (boxes[:, None, 1] <= y) & (y <= boxes[:, None, 3])
        part = part[np.flatnonzero(~inside.any(0))]
        if not len(part):
            break
        row = replace(row, x1=min(row.x1, float(part.x1.min())), x2=max(row.x2, float(part.x2.max())))
    return row
