"""Letters side by side become runs, runs on one level become lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .letters import Letters, Numbers

Groups = NDArray[np.int64]

LETTER_GAP = 0.9  # in letter heights: the widest gap between neighbours
WORD_GAP = 1.1  # between the runs of one line
_MOST_RATIO = 2.6  # of the heights of neighbours
_MOST_SHIFTS = 800


def chained(letters: Letters) -> Groups:
    """Which run each letter belongs to: int64 `(n,)`, numbers from 0.

    Each letter is joined to its nearest neighbour on the right that stands on its level and has about its height.

    Args:
        letters: sorted by their left edges.
    """
    n = len(letters)
    nearest = np.full(n, -1, np.int64)
    best = np.full(n, np.inf)
    h = letters.height
    for shift in range(1, min(n, _MOST_SHIFTS)):
        left, right = slice(0, n - shift), slice(shift, n)
        start = letters.x1[right] - letters.x1[left]
        limit = LETTER_GAP * np.maximum(h[left], h[right]) + letters.width[left]
        near = start <= limit
        if not near.any():
            break
        low, high = np.minimum(h[left], h[right]), np.maximum(h[left], h[right])
        shared = np.minimum(letters.y2[left], letters.y2[right]) - np.maximum(
            letters.y1[left], letters.y1[right]
        )
        fits = near & (shared >= 0.5 * low) & (high <= _MOST_RATIO * low)
        gap = letters.x1[right] - letters.x2[left]
        fits &= gap > -0.6 * np.minimum(letters.width[left], letters.width[right])
        cost = np.where(fits, np.maximum(gap, 0) + 0.5 * abs(letters.y2[right] - letters.y2[left]), np.inf)
        better = cost < best[left]
        best[left] = np.where(better, cost, best[left])
        nearest[left] = np.where(better, np.arange(shift, n), nearest[left])
    return connected(n, np.flatnonzero(nearest >= 0), nearest[nearest >= 0])


def merged_runs(starts: Letters, ends: Letters, heights: Numbers, gap: float = WORD_GAP) -> Groups:
    """Which line each run belongs to: int64 `(n,)`; runs on one level that are nearer than word gaps are one line.

    Args:
        starts, ends: boxes of runs, sorted by their left edges; without what rises or falls far, and as high up as the
            run is at its left and its right end.
        heights: height of the letters of each run.
    """
    n = len(starts)
    pairs: list[NDArray[np.int64]] = []
    for shift in range(1, min(n, _MOST_SHIFTS)):
        left, right = slice(0, n - shift), slice(shift, n)
        low, high = np.minimum(heights[left], heights[right]), np.maximum(heights[left], heights[right])
        distance = starts.x1[right] - starts.x2[left]
        shared = np.minimum(ends.y2[left], starts.y2[right]) - np.maximum(ends.y1[left], starts.y1[right])
        least = np.minimum(ends.height[left], starts.height[right])
        level = (shared >= 0.5 * least) & (high <= 2.0 * low)
        fits = level & (distance <= gap * high) & (distance > -1.0 * high)
        if fits.any():
            at = np.flatnonzero(fits)
            pairs.append(np.stack([at, at + shift], 1))
    joined = np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)
    return connected(n, joined[:, 0], joined[:, 1])


def connected(n: int, a: NDArray[np.int64], b: NDArray[np.int64]) -> Groups:
    """Connected parts of a graph with edges a-b, numbered from 0: labels sink until nothing changes."""
    labels = np.arange(n)
    while True:
        low = np.minimum(labels[a], labels[b])
        new = labels.copy()
        np.minimum.at(new, a, low)
        np.minimum.at(new, b, low)
        new = new[new]
        if np.array_equal(new, labels):
            return np.unique(labels, return_inverse=True)[1].astype(np.int64)
        labels = new
