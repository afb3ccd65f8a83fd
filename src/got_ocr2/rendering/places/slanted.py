"""Where a line or word lies: a rectangle that may be turned."""

from __future__ import annotations

import math
from dataclasses import dataclass

Box = tuple[float, float, float, float]
Point = tuple[float, float]

# Where the baseline runs in a box around letters, as a share of its height from the bottom: a box that holds
# ascenders and descenders has about a fifth below the baseline.
DESCENT = 0.2


@dataclass(frozen=True)
class Slanted:
    """A rectangle turned about its centre; lengths in pixels, y runs down.

    Attributes:
        x, y: its centre.
        length: along the line of letters.
        height: across it.
        angle: degrees by which the line runs down to the right.
    """

    x: float
    y: float
    length: float
    height: float
    angle: float = 0.0

    @classmethod
    def inside(cls, box: Box, angle: float = 0.0, characters: int = 1) -> Slanted:
        """The turned rectangle that touches all four sides of an upright box.

        Near 45 degrees the box alone does not say how long and how high it is; there `characters`, each taken
        to be half as wide as high, decides.
        """
        x1, y1, x2, y2 = box
        width, height = x2 - x1, y2 - y1
        cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
        across = cos * cos - sin * sin
        if abs(across) > 0.3:
            long = (width * cos - height * sin) / across
            high = (height * cos - width * sin) / across
        else:
            long = high = 0.0
        # A box that no rectangle of this angle can fill comes from an angle that is a little wrong.
        if long <= 0 or high <= 0:
            ratio = 2.0 / max(1, characters)
            long = (width + height) / ((cos + sin) * (1 + ratio))
            high = long * ratio
        return cls((x1 + x2) / 2, (y1 + y2) / 2, long, high, angle)

    @property
    def along(self) -> Point:
        """Unit vector in the direction of reading from left to right."""
        return math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))

    @property
    def up(self) -> Point:
        """Unit vector from the letters' feet to their heads."""
        cos, sin = self.along
        return sin, -cos

    def at(self, share: float, raised: float) -> Point:
        """A point: `share` 0..1 of the way along, `raised` 0..1 of the height above the bottom edge."""
        (ax, ay), (ux, uy) = self.along, self.up
        a, u = (share - 0.5) * self.length, (raised - 0.5) * self.height
        return self.x + a * ax + u * ux, self.y + a * ay + u * uy

    def part(self, start: float, end: float) -> Slanted:
        """The piece from `start` to `end`, shares 0..1 of the way along."""
        x, y = self.at((start + end) / 2, 0.5)
        return Slanted(x, y, (end - start) * self.length, self.height, self.angle)

    def share_of(self, box: Box) -> tuple[float, float]:
        """From where to where a word with this upright box lies along the line, as shares, by its own width."""
        x1, y1, x2, y2 = box
        (ax, ay), length = self.along, max(self.length, 1e-6)
        middle = ((x1 + x2) / 2 - self.x) * ax + ((y1 + y2) / 2 - self.y) * ay
        if abs(ax) >= abs(ay):
            wide = ((x2 - x1) - self.height * abs(ay)) / abs(ax)
        else:
            wide = ((y2 - y1) - self.height * abs(ax)) / abs(ay)
        half = max(wide, 0.1 * self.height) / 2
        return 0.5 + (middle - half) / length, 0.5 + (middle + half) / length

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        """Upper left, upper right, lower right, lower left, as a reader of the line sees them."""
        return self.at(0, 1), self.at(1, 1), self.at(1, 0), self.at(0, 0)

    @property
    def box(self) -> Box:
        """The upright box around it."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def baseline(self) -> tuple[Point, Point]:
        """Where the letters stand, from left to right."""
        return self.at(0, DESCENT), self.at(1, DESCENT)
