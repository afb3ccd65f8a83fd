"""A figure as a list of TikZ commands, each of which can say itself in TikZ and give its outline as points.

The dialect is the one GOT speaks: one command a line, each ending in a semicolon, between `\\begin{tikzpicture}` and
`\\end{tikzpicture}`. Coordinates are in centimetres, y upwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

Point = tuple[float, float]
COLOURS = {
    "black": "#000000", "red": "#ff0000", "blue": "#0000ff", "green": "#00ff00", "cyan": "#00ffff",
    "magenta": "#ff00ff", "gray": "#808080", "brown": "#bf8040", "lime": "#bfff00", "olive": "#808000",
    "orange": "#ff8000", "pink": "#ffbfbf", "purple": "#bf0040", "teal": "#008080", "violet": "#800080",
}  # fmt: skip
"""TikZ's named colours that show on white, and what they are in sRGB."""

WIDTHS = {"very thin": 0.2, "thin": 0.4, "": 0.4, "semithick": 0.6, "thick": 0.8, "very thick": 1.2}
"""Widths of lines in TeX points."""

DASHES = {"": (), "dashed": (3, 3), "dotted": (0.4, 2), "densely dashed": (3, 2), "densely dotted": (0.4, 1)}
"""Lengths drawn and left out, in TeX points."""

TICK = 0.1
"""Half the length of a tick on an axis, in centimetres."""

POINTS_PER_CM = 72.27 / 2.54  # TeX points


def number(value: float, decimals: int = 2) -> str:
    """A number as it stands in a figure: rounded, without trailing zeros, never minus zero."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def place(point: Point) -> str:
    """A point as TikZ writes it."""
    return f"({number(point[0])},{number(point[1])})"


@dataclass(frozen=True)
class Pen:
    """How a line is drawn: names of `COLOURS`, `WIDTHS` and `DASHES`, TikZ's arrow tips, and a colour to fill with.

    Attributes:
        fill: a name of `COLOURS` and how much of it per cent, e.g. ("blue", 20); None to leave it empty.
        arrow: "", "->" or "<->".
    """

    colour: str = "black"
    width: str = ""
    dash: str = ""
    fill: tuple[str, int] | None = None
    arrow: str = ""

    def options(self, *first: str) -> str:
        """The options in brackets with a space after them; empty if there are none."""
        fill = f"fill={self.fill[0]}!{self.fill[1]}" if self.fill else ""
        colour = "" if self.colour == "black" else self.colour
        parts = [part for part in (*first, self.arrow, self.width, self.dash, colour, fill) if part]
        return f"[{', '.join(parts)}] " if parts else ""


class Command(Protocol):
    """One line of a figure."""

    def line(self) -> str:
        """The command in TikZ, with its semicolon."""
        ...

    def outline(self) -> list[Point]:
        """Points along what it draws, close enough to be joined by straight lines."""
        ...


@dataclass(frozen=True)
class Path:
    """Straight segments through two or more points, closed to a polygon or open."""

    points: tuple[Point, ...]
    closed: bool = False
    pen: Pen = Pen()

    def line(self) -> str:
        way = " -- ".join(place(point) for point in self.points)
        return f"\\draw {self.pen.options()}{way}{' -- cycle' if self.closed else ''};"

    def outline(self) -> list[Point]:
        return [*self.points, self.points[0]] if self.closed else list(self.points)

    def canonical(self) -> Path:
        """The same path begun at its lowest (then leftmost) end or corner, a polygon counterclockwise."""
        points = self.points
        if not self.closed:
            turned = points[::-1] if self.pen.arrow != "->" and points[-1][::-1] < points[0][::-1] else points
            return replace(self, points=turned)
        if _area(points) < 0:
            points = points[::-1]
        first = min(range(len(points)), key=lambda k: (points[k][1], points[k][0]))
        return replace(self, points=points[first:] + points[:first])


@dataclass(frozen=True)
class Ellipse:
    """An ellipse along the axes; a circle if both radii are equal."""

    centre: Point
    radii: tuple[float, float]
    pen: Pen = Pen()

    def line(self) -> str:
        a, b = (number(radius) for radius in self.radii)
        shape = f"circle ({a})" if a == b else f"ellipse ({a} and {b})"
        return f"\\draw {self.pen.options()}{place(self.centre)} {shape};"

    def outline(self) -> list[Point]:
        return arc_points(self.centre, self.radii, 0, 360)


@dataclass(frozen=True)
class Arc:
    """Part of a circle; angles in degrees, counterclockwise from the right."""

    centre: Point
    radius: float
    start: float
    stop: float
    pen: Pen = Pen()

    def line(self) -> str:
        radius, start, stop = number(self.radius), number(self.start, 0), number(self.stop, 0)
        first = self.outline()[0]
        return f"\\draw {self.pen.options()}{place(first)} arc ({start}:{stop}:{radius});"

    def outline(self) -> list[Point]:
        return arc_points(self.centre, (self.radius, self.radius), round(self.start), round(self.stop))


@dataclass(frozen=True)
class Plot:
    """The graph of a function of x.

    Attributes:
        formula: TikZ's expression, with the variable written `\\x`.
        values: the same curve as points, evenly spaced in x, first and last at the ends of its domain.
    """

    formula: str
    values: tuple[Point, ...]
    pen: Pen = Pen()

    def line(self) -> str:
        low, high = number(self.values[0][0]), number(self.values[-1][0])
        samples = f"samples={len(self.values)}"
        options = self.pen.options(f"domain={low}:{high}", samples, "smooth")
        return f"\\draw {options}plot (\\x, {{{self.formula}}});"

    def outline(self) -> list[Point]:
        return list(self.values)


@dataclass(frozen=True)
class Dot:
    """A point that is marked; its radius is in TeX points."""

    at: Point
    radius: float = 1.5
    colour: str = "black"

    def line(self) -> str:
        colour = "" if self.colour == "black" else f"[{self.colour}] "
        return f"\\fill {colour}{place(self.at)} circle ({number(self.radius)}pt);"

    def outline(self) -> list[Point]:
        radius = self.radius / POINTS_PER_CM
        return arc_points(self.at, (radius, radius), 0, 360)


@dataclass(frozen=True)
class Label:
    """Text at a point.

    Attributes:
        text: as TeX reads it, e.g. "$A$" or "12".
        anchor: on which side of the point it stands ("above left", ...); empty to stand on the point itself.
        size: "", "\\small", "\\footnotesize" or "\\scriptsize".
    """

    text: str
    at: Point
    anchor: str = ""
    size: str = ""
    colour: str = "black"

    def line(self) -> str:
        colour = "" if self.colour == "black" else self.colour
        parts = [part for part in (self.anchor, colour, f"font={self.size}" if self.size else "") if part]
        options = f"[{', '.join(parts)}] " if parts else ""
        return f"\\node {options}at {place(self.at)} {{{self.text}}};"

    def outline(self) -> list[Point]:
        return [self.at]


@dataclass(frozen=True)
class Ticks:
    """Numbered ticks on one of the axes: "x" or "y"."""

    axis: str
    values: tuple[int, ...]
    size: str = "\\scriptsize"

    def line(self) -> str:
        values = ",".join(str(value) for value in self.values)
        tick = f"(\\{self.axis},{TICK}) -- (\\{self.axis},-{TICK})"
        if self.axis == "y":
            tick = f"({TICK},\\y) -- (-{TICK},\\y)"
        side = "below" if self.axis == "x" else "left"
        node = f"node [{side}, font={self.size}] {{$\\{self.axis}$}}"
        return f"\\foreach \\{self.axis} in {{{values}}} \\draw {tick} {node};"

    def outline(self) -> list[Point]:
        ends = (self.values[0], self.values[-1])
        return [(float(v), 0.0) if self.axis == "x" else (0.0, float(v)) for v in ends]

    def strokes(self) -> list[tuple[Point, Point]]:
        """The ends of each tick."""
        if self.axis == "x":
            return [((float(v), TICK), (float(v), -TICK)) for v in self.values]
        return [((TICK, float(v)), (-TICK, float(v))) for v in self.values]

    def labels(self) -> list[Label]:
        """The numbers one by one, where they stand."""
        if self.axis == "x":
            return [Label(f"${v}$", (float(v), -TICK), "below", self.size) for v in self.values]
        return [Label(f"${v}$", (-TICK, float(v)), "left", self.size) for v in self.values]


@dataclass(frozen=True)
class Grid:
    """Light lines at every whole number between two corners."""

    low: tuple[int, int]
    high: tuple[int, int]
    shade: int = 30

    def line(self) -> str:
        corners = f"({self.low[0]},{self.low[1]}) grid ({self.high[0]},{self.high[1]})"
        return f"\\draw [gray!{self.shade}, very thin] {corners};"

    def outline(self) -> list[Point]:
        (a, b), (c, d) = self.low, self.high
        return [(a, b), (c, b), (c, d), (a, d), (a, b)]


def arc_points(centre: Point, radii: tuple[float, float], start: float, stop: float) -> list[Point]:
    """Points on an ellipse along the axes, a step of at most six degrees apart; angles in degrees."""
    steps = max(2, math.ceil(abs(stop - start) / 6))
    angles = (math.radians(start + (stop - start) * k / steps) for k in range(steps + 1))
    return [(centre[0] + radii[0] * math.cos(a), centre[1] + radii[1] * math.sin(a)) for a in angles]


def document(commands: Sequence[Command]) -> str:
    """The whole figure in TikZ."""
    return "\n".join(
        ["\\begin{tikzpicture}", *(command.line() for command in commands), "\\end{tikzpicture}"]
    )


def _area(points: Sequence[Point]) -> float:
    """Twice the area of a polygon, positive if its corners run counterclockwise."""
    following = (*points[1:], points[0])
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, following, strict=True))
