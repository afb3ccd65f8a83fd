"""How a page lies: whether its lines run across or down, and their slant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .letters import Letters, Numbers

MOST_SLANT = 15.0  # degrees
_MOST_POINTS = 4000
_FEWEST = 8  # letters that say something about a slant


def slant_of(letters: Letters, height: float) -> tuple[float, float]:
    """The slant that gathers the feet of letters best into lines.

    Args:
        letters: of one page.
        height: of a typical letter.

    Returns:
        Degrees by which lines run down to the right, -15 to 15; and how well they are gathered, above 0.
    """
    x, y = (letters.x1 + letters.x2) / 2, letters.y2
    return _best_slant(x, y, height)


def lies_on_its_side(letters: Letters, height: float) -> bool:
    """Whether lines run down the page: letters have their next neighbours above and below rather than beside."""
    if len(letters) < _FEWEST:
        return False
    x, y = (letters.x1 + letters.x2) / 2, (letters.y1 + letters.y2) / 2
    _, across = _best_slant(x, y, height)
    _, down = _best_slant(y, x, height)
    return down > 1.15 * across


def _best_slant(x: Numbers, y: Numbers, height: float) -> tuple[float, float]:
    if len(x) < _FEWEST:
        return 0.0, 0.0
    if len(x) > _MOST_POINTS:
        chosen = np.linspace(0, len(x) - 1, _MOST_POINTS).astype(int)
        x, y = x[chosen], y[chosen]
    best, score = 0.0, _gathered(x, y, 0.0, height)
    for step, reach in ((0.5, MOST_SLANT), (0.1, 0.5), (0.02, 0.1)):
        middle = best
        for angle in np.arange(middle - reach, middle + reach + step / 2, step):
            if abs(angle) <= MOST_SLANT and (found := _gathered(x, y, angle, height)) > score * 1.002:
                best, score = float(angle), found
    return best, score


def _gathered(x: Numbers, y: Numbers, angle: float, height: float) -> float:
    """How unevenly feet are spread over the rows of a page turned back by an angle: 1 if evenly."""
    t = np.radians(angle)
    rows = (y * np.cos(t) - x * np.sin(t)) / max(1.0, 0.35 * height)
    rows -= rows.min()
    counts: NDArray[np.float64] = np.bincount(rows.astype(np.int64)).astype(np.float64)
    # Rows are counted twice, half a row apart, so that it does not matter where they begin.
    moved = np.bincount((rows + 0.5).astype(np.int64)).astype(np.float64)
    span = max(1.0, float(np.ptp(rows)))
    return float((counts**2).sum() + (moved**2).sum()) * span / (2 * len(x) ** 2)
