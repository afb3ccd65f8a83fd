"""How a page lies: whether its lines run across or down, and their slant."""

from __future__ import annotations

import numpy as np

from .letters import Letters, Numbers

MOST_SLANT = 15.0  # degrees
_MOST_POINTS = 4000
_MOST_SHIFTS = 400
_FEWEST = 8  # letters that say something about a slant


def slant_of(letters: Letters, height: float) -> float:
    """The slant that gathers the feet of letters best into lines.

    Args:
        letters: of one page.
        height: of a typical letter.

    Returns:
        Degrees by which lines run down to the right, -15 to 15.
    """
    return _best_slant((letters.x1 + letters.x2) / 2, letters.y2, height)


def lies_on_its_side(letters: Letters) -> bool:
    """Whether lines run down the page: more letters have a close neighbour below them than beside them."""
    if len(letters) < _FEWEST:
        return False
    across = _close_neighbours(letters)
    turned = Letters(letters.y1, letters.x1, letters.y2, letters.x2, letters.area)
    down = _close_neighbours(turned[np.argsort(turned.x1, kind="stable")])
    return down > 1.3 * across + 2


def _close_neighbours(letters: Letters) -> int:
    """How many letters have another one on their level, half a letter's height or less to the right."""
    n = len(letters)
    found = np.zeros(n, bool)
    size = np.sqrt(letters.height * letters.width)
    for shift in range(1, min(n, _MOST_SHIFTS)):
        left, right = slice(0, n - shift), slice(shift, n)
        gap = letters.x1[right] - letters.x2[left]
        if not (letters.x1[right] - letters.x1[left] < 3 * size[left]).any():
            break
        shared = np.minimum(letters.y2[left], letters.y2[right]) - np.maximum(
            letters.y1[left], letters.y1[right]
        )
        low, high = np.minimum(size[left], size[right]), np.maximum(size[left], size[right])
        level = shared > 0.5 * np.minimum(letters.height[left], letters.height[right])
        found[left] |= level & (gap < 0.5 * low) & (gap > -0.3 * low) & (high < 2.2 * low)
    return int(found.sum())


def _best_slant(x: Numbers, y: Numbers, height: float) -> float:
    if len(x) < _FEWEST:
        return 0.0
    if len(x) > _MOST_POINTS:
        chosen = np.linspace(0, len(x) - 1, _MOST_POINTS).astype(int)
        x, y = x[chosen], y[chosen]
    best, score = 0.0, _gathered(x, y, 0.0, height)
    for step, reach in ((0.5, MOST_SLANT), (0.1, 0.5), (0.02, 0.1)):
        middle = best
        for angle in np.arange(middle - reach, middle + reach + step / 2, step):
            if abs(angle) <= MOST_SLANT and (found := _gathered(x, y, angle, height)) > score * 1.002:
                best, score = float(angle), found
    return best


def _gathered(x: Numbers, y: Numbers, angle: float, height: float) -> float:
    """How well feet are gathered in few rows once the page is turned back by an angle: 1 if all are in one."""
    t = np.radians(angle)
    rows = (y * np.cos(t) - x * np.sin(t)) / max(1.0, 0.35 * height)
    rows -= rows.min()
    counts = np.bincount(rows.astype(np.int64)).astype(np.float64)
    # Rows are counted twice, half a row apart, so that it does not matter where they begin.
    moved = np.bincount((rows + 0.5).astype(np.int64)).astype(np.float64)
    return float((counts**2).sum() + (moved**2).sum()) / (2 * len(x) ** 2)
