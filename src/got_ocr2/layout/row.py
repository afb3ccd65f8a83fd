"""One line on the page that is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .baselines import Baseline
from .lines import Box


@dataclass(frozen=True)
class Row:
    """A line on the page that was looked at; all in pixels.

    Attributes:
        x1, x2: ends.
        line: what its letters stand on.
        ascent, descent: how far the band of its letters reaches above and below the baseline.
        x_height: of small letters; of capitals, where there are no others.
        letters: how many pieces of ink it is made of.
    """

    x1: float
    x2: float
    line: Baseline
    ascent: float
    descent: float
    x_height: float
    letters: int

    def level(self, x: float) -> float:
        """The baseline at `x`."""
        return float(self.line.at(np.array(x)))

    @property
    def foot(self) -> float:
        """The baseline in the middle."""
        return self.level((self.x1 + self.x2) / 2)

    @property
    def bends(self) -> list[float]:
        """Where between its ends the baseline bends, from left to right."""
        return [x for x, _ in self.line.bend if self.x1 < x < self.x2]

    @property
    def height(self) -> float:
        """Of the band of its letters."""
        return self.ascent + self.descent

    @property
    def box(self) -> Box:
        """The upright hull."""
        levels = self.line.at(np.array([self.x1, *self.bends, self.x2]))
        return self.x1, float(levels.min()) - self.ascent, self.x2, float(levels.max()) + self.descent
