"""Totals over pages and how sure they are: sums of ratios and bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

# Resamples drawn at once: bounds the memory to this many times the number of pages.
_CHUNK = 256


class Ratio(NamedTuple):
    """What one page adds to a metric. A metric's total over pages is the sum of `value` over the sum of
    `weight`.

    Averages per page have weight 1; error rates have the length of the truth, so long pages count for more.
    """

    value: float
    weight: float = 1.0

    @property
    def rate(self) -> float:
        """The page's own value; infinite where edits were made against an empty truth."""
        if self.weight:
            return self.value / self.weight
        return math.inf if self.value else 0.0


class Estimate(NamedTuple):
    """A total with its interval.

    Attributes:
        value: the total; NaN when no page has any weight.
        low, high: the interval.
        pages: how many pages it is made of.
    """

    value: float
    low: float
    high: float
    pages: int


def total(ratios: Iterable[Ratio]) -> float:
    """Sum of the values over the sum of the weights; NaN without weight."""
    pairs = list(ratios)
    weight = math.fsum(r.weight for r in pairs)
    return math.fsum(r.value for r in pairs) / weight if weight else math.nan


def bootstrap(
    ratios: Sequence[Ratio], *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """Percentile bootstrap over pages: pages are drawn with replacement, their total is taken each time.

    The interval speaks of the pages a set like this one could have had; it says nothing of other sets. The
    same seed gives the same interval.
    """
    return bootstrap_mean([ratios], resamples=resamples, confidence=confidence, seed=seed)


def bootstrap_mean(
    groups: Sequence[Sequence[Ratio]], *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """The mean of the totals of several groups of pages; each group is resampled by itself.

    Args:
        groups: at least one, each with at least one page.
    """
    value = math.fsum(total(ratios) for ratios in groups) / len(groups)
    pages = sum(len(ratios) for ratios in groups)
    if math.isnan(value) or all(len(ratios) < 2 for ratios in groups):
        return Estimate(value, value, value, pages)
    rng = np.random.default_rng(seed)
    totals = np.mean([_resampled(ratios, resamples, rng) for ratios in groups], axis=0)  # (resamples,)
    edge = (1 - confidence) / 2
    low, high = np.nanquantile(totals, (edge, 1 - edge))
    return Estimate(value, float(low), float(high), pages)


def _resampled(ratios: Sequence[Ratio], resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Totals of resampled pages, float64 (resamples,); NaN where no page drawn has any weight."""
    table, n = np.asarray(ratios, dtype=np.float64), len(ratios)  # (pages, 2)
    totals: list[np.ndarray] = []
    for start in range(0, resamples, _CHUNK):
        drawn = rng.integers(0, n, size=(min(_CHUNK, resamples - start), n))
        sums = table[drawn].sum(axis=1)  # (chunk, 2)
        totals.append(sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan))
    return np.concatenate(totals)
