"""What a line finder gives: the lines of a page, in reading order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InvalidOptionError

Box = tuple[float, float, float, float]
Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]


@dataclass(frozen=True)
class LayoutOptions:
    """How lines are looked for.

    Attributes:
        turn: by how many degrees counter-clockwise the page must be turned to stand upright: 0, 90, 180 or 270. None
            finds out whether its lines run across or down; a page that stands on its head is not told from an upright
            one.
        deskew: look for a slant of the whole page, up to 15 degrees either way.

    Raises:
        InvalidOptionError: another turn.
    """

    turn: int | None = None
    deskew: bool = True

    def __post_init__(self) -> None:
        if self.turn not in (None, 0, 90, 180, 270):
            raise InvalidOptionError(f"turn must be 0, 90, 180, 270 or None, got {self.turn!r}.")


@dataclass(frozen=True)
class TextLine:
    """One line of print; places are in pixels of the page as it was given.

    Attributes:
        box: `(x1, y1, x2, y2)`, the upright hull of its letters.
        quad: corners, from the top left of the text, clockwise as the text is read: from the tops of high letters to
            the bottoms of deep ones.
        angle: degrees by which the text runs down to the right; with `PageLayout.turn`, near 0, -90, 180 or 90.
        letter_height: height of small letters (of capitals, where there are no others), in pixels.
        block: number of the block of lines that it belongs to, from 0.
        order: its place in reading order, from 0.
        light_on_dark: its letters are lighter than what they stand on.
        bend: how far below their place in `quad` the letters really stand, at places equally far apart from its left
            end to its right end, as on a page that lies open; empty where they stand straight.
    """

    box: Box
    quad: Quad
    angle: float
    letter_height: float
    block: int
    order: int
    light_on_dark: bool = False
    bend: tuple[float, ...] = ()


@dataclass(frozen=True)
class PageLayout:
    """The lines of a page.

    Attributes:
        size: width and height of the page, in pixels.
        turn: by how many degrees counter-clockwise the page must be turned to stand upright, see `LayoutOptions`.
        angle: degrees by which its lines run down to the right once it is turned.
        lines: in reading order.
        left_out: how many more were found than `MOST_LINES`; they are those of the fewest letters.
    """

    size: tuple[int, int]
    turn: int = 0
    angle: float = 0.0
    lines: tuple[TextLine, ...] = ()
    left_out: int = 0


def sag(quad: Quad, bend: Sequence[float], along: float) -> Point:
    """How far right and how far down from their place in a quad letters stand, in pixels of the page.

    Args:
        quad, bend: as in `TextLine`.
        along: where, from 0 at the left end to 1 at the right end.
    """
    if not bend:
        return 0.0, 0.0
    (x1, y1), (x2, y2) = quad[0], quad[3]
    far = float(np.interp(along, np.linspace(0, 1, len(bend)), bend)) / math.hypot(x2 - x1, y2 - y1)
    return (x2 - x1) * far, (y2 - y1) * far


def outline(quad: Quad, bend: Sequence[float]) -> list[Point]:
    """A quad that is bent: points from the top left of the text, clockwise as it is read."""
    if not bend:
        return list(quad)
    a, b, c, d = quad

    def edge(start: Point, end: Point) -> list[Point]:
        places = np.linspace(0, 1, len(bend)).tolist()
        moved = ((along, sag(quad, bend, along)) for along in places)
        return [
            (start[0] + (end[0] - start[0]) * along + x, start[1] + (end[1] - start[1]) * along + y)
            for along, (x, y) in moved
        ]

    return [*edge(a, b), *edge(d, c)[::-1]]
