"""The line that letters stand on: straight, or bent as on a page that lies open or was photographed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .letters import Letters, Numbers
from .ranks import median

FEET = 0.25  # letters whose feet are further from the baseline, in letter heights, do not shape it
_STEEPEST = 0.2  # pixels down for each to the right
_MOST_POINTS = 64  # that tell the slope of a straight line
_BENT_LETTERS = 16  # in shorter lines tails and commas look like bends
_NEIGHBOURS = 9  # letters, the middle of whose feet says where the one in their midst should stand
_APART = 3.0  # letter heights between the places where a bend is told
_STIFF = 3.0  # how much a change of slope counts, beside one letter off the line
_LEAST_BEND = 0.2  # letter heights


@dataclass(frozen=True)
class Baseline:
    """All in pixels.

    Attributes:
        height: of the straight line at x = 0, from the top of the page.
        slope: of that line, downwards.
        bend: how far below it letters really stand, at which x, from left to right; empty if they stand straight.
    """

    height: float
    slope: float = 0.0
    bend: tuple[tuple[float, float], ...] = ()

    def at(self, x: Numbers) -> Numbers:
        """How deep letters stand at some places, float64 of the same shape."""
        straight = self.height + self.slope * x
        if not self.bend:
            return straight
        places, sags = zip(*self.bend, strict=True)
        return straight + np.interp(x, places, sags)


def baseline(letters: Letters, tall: float) -> Baseline:
    """The line on which most letters stand.

    Args:
        letters: of one line.
        tall: their typical height, in pixels.
    """
    x, y = (letters.x1 + letters.x2) / 2, letters.y2
    if len(x) < 6 or np.ptp(x) < 5 * tall:
        return Baseline(median(y))
    slope, height = _straight(x, y, tall)
    if len(x) >= _BENT_LETTERS:
        level = _running(x, y)
        if np.ptp(level - (height + slope * x)) > _LEAST_BEND * tall:
            places, levels = _bent(x, y, level, tall)
            tilt, foot = (float(v) for v in np.polyfit(places, levels, 1))
            off = levels - (foot + tilt * places)
            if np.ptp(off) > _LEAST_BEND * tall and abs(tilt) <= _STEEPEST:
                return Baseline(foot, tilt, tuple(zip(places.tolist(), off.tolist(), strict=True)))
    return Baseline(height, slope) if abs(slope) <= _STEEPEST else Baseline(median(y))


def _straight(x: Numbers, y: Numbers, tall: float) -> tuple[float, float]:
    """Slope and height at x = 0."""
    # Of some letters of a word several may hang below: a first slope of least squares would follow them.
    slope = _usual_slope(x, y)
    base = median(y - slope * x)
    near = abs(y - (base + slope * x)) < FEET * tall
    for _ in range(2):
        if near.sum() < 5:
            break
        slope, base = (float(v) for v in np.polyfit(x[near], y[near], 1))
        off = y - (base + slope * x)
        middle = median(off)
        base += middle
        near = abs(off - middle) < FEET * tall
    return slope, base


def _usual_slope(x: Numbers, y: Numbers) -> float:
    """The median of the slopes between any two of the points (Theil and Sen), of at most `_MOST_POINTS` of them."""
    step = -(-len(x) // _MOST_POINTS)
    x, y = x[::step], y[::step]
    first, second = _pairs(len(x))
    across = x[second] - x[first]
    apart = abs(across) > 1e-6
    return median((y[second] - y[first])[apart] / across[apart])


@lru_cache(maxsize=_MOST_POINTS)
def _pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first and the second number of each pair of 0 to `count` - 1."""
    return np.triu_indices(count, 1)


def _running(x: Numbers, y: Numbers) -> Numbers:
    """The middle of each letter's neighbours and itself."""
    order = np.argsort(x, kind="stable")
    padded = np.pad(y[order], _NEIGHBOURS // 2, "reflect")
    level = np.empty(len(y))
    level[order] = np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    return level


def _bent(x: Numbers, y: Numbers, level: Numbers, tall: float) -> tuple[Numbers, Numbers]:
    """Places along the line, and how deep letters stand there: hats over the places, kept stiff.

    Tails hang below and commas too, so a letter counts only as long as it stands near the line, at first `level`.
    """
    count = max(3, 1 + round(float(np.ptp(x)) / (_APART * tall)))
    places = np.linspace(x.min(), x.max(), count)
    hats = np.stack([np.interp(x, places, one) for one in np.eye(count)], 1)
    turns = np.diff(np.eye(count), 2, axis=0)
    stiff = _STIFF * turns.T @ turns + 1e-6 * np.eye(count)
    middle = median(y)
    levels = np.zeros(count)
    for _ in range(3):
        near = abs(y - level) < FEET * tall
        part = hats[near]
        levels = middle + np.linalg.solve(part.T @ part + stiff, part.T @ (y[near] - middle))
        level = hats @ levels
    return places, levels
