"""Medians and quantiles of a few numbers, equal to numpy's to the bit at a fraction of its time for each call.

A page asks for some ten of them a line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .letters import Numbers


def median(values: Numbers) -> float:
    """The middle one of float64 `(n,)`, n >= 1; the mean of the two middle ones if n is even."""
    ordered = np.sort(values)
    n = len(ordered)
    return float(ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def quantiles(values: Numbers, shares: Sequence[float]) -> list[float]:
    """The values below which these shares (0..1) of float64 `(n,)`, n >= 1, lie, on lines between neighbours."""
    ordered = np.sort(values)
    found: list[float] = []
    for share in shares:
        place = share * (len(ordered) - 1)
        low = int(place)
        part = place - low
        a, b = float(ordered[low]), float(ordered[min(low + 1, len(ordered) - 1)])
        found.append(b - (b - a) * (1 - part) if part >= 0.5 else a + (b - a) * part)
    return found
