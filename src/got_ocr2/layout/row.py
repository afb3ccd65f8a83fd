"""One line on the page that is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from .lines import Box


@dataclass(frozen=True)
class Row:
    """A line on the page that was looked at; all in pixels.

    Attributes:
        x1, x2: ends.
        base, slope: its baseline is at `base + slope * x`.
        ascent, descent: how far the band of its letters reaches above and below the baseline.
        x_height: of small letters; of capitals, where there are no others.
        letters: how many pieces of ink it is made of.
    """

    x1: float
    x2: float
    base: float
    slope: float
    ascent: float
    descent: float
    x_height: float
    letters: int

    def top(self, x: float) -> float:
        return self.base + self.slope * x - self.ascent

    def bottom(self, x: float) -> float:
        return self.base + self.slope * x + self.descent

    @property
    def foot(self) -> float:
        """The baseline in the middle."""
        return self.base + self.slope * (self.x1 + self.x2) / 2

    @property
    def height(self) -> float:
        """Of the band of its letters."""
        return self.ascent + self.descent

    @property
    def box(self) -> Box:
        """The upright hull."""
        tops, bottoms = (self.top(self.x1), self.top(self.x2)), (self.bottom(self.x1), self.bottom(self.x2))
        return self.x1, min(tops), self.x2, max(bottoms)
