"""Figures of plane geometry in the making: what is drawn, marked and named, before sizes and labels are settled.

A `Draft` is built in any unit. `settle` brings it to the convention that makes the answer a function of the picture:
the longer side of what is drawn measures ten, its lower left corner is the origin, and everything stands in one
order. (Figures on axes with numbered ticks are the exception: there the ticks say what the unit is.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np

from .tikz import Arc, Command, Dot, Ellipse, Grid, Label, Path, Pen, Plot, Point, Ticks
from .tikz_labels import Board

EXTENT = 10.0


@dataclass(frozen=True)
class Style:
    """The pens and letters of one figure.

    Attributes:
        main, second, helper: pens of the figure, of what is added to it, and of what is only constructed.
        letters: names given to points, in order.
        math: names in italics.
        name_size, value_size: TeX sizes of names and of numbers.
        name_colour: colour of the names.
        dots: named points are marked.
        decimals: of all coordinates.
    """

    main: Pen
    second: Pen
    helper: Pen
    letters: str
    math: bool
    name_size: str
    value_size: str
    name_colour: str
    dots: bool
    decimals: int


@dataclass
class Draft:
    """A figure before its labels are placed; all points are in one unit of any size.

    Attributes:
        shapes: paths, ellipses and arcs.
        dots: points that are marked whatever the style.
        names: (point, direction in which its name would best stand, name or None for the next letter).
        lengths: (end, end, text) of segments with their length beside them.
        angles: (vertex, point, point, text or None) of angles marked by an arc; "?" stands for its size in degrees.
        right_angles: (vertex, point, point).
        equals: (end, end, strokes) of segments marked as equal.
    """

    shapes: list[Path | Ellipse] = field(default_factory=list)
    dots: list[Point] = field(default_factory=list)
    names: list[tuple[Point, Point, str | None]] = field(default_factory=list)
    lengths: list[tuple[Point, Point, str]] = field(default_factory=list)
    angles: list[tuple[Point, Point, Point, str | None]] = field(default_factory=list)
    right_angles: list[tuple[Point, Point, Point]] = field(default_factory=list)
    equals: list[tuple[Point, Point, int]] = field(default_factory=list)

    def path(self, *points: Point, closed: bool = False, pen: Pen) -> None:
        self.shapes.append(Path(tuple(points), closed, pen))

    def circle(self, centre: Point, radius: float, pen: Pen) -> None:
        self.shapes.append(Ellipse(centre, (radius, radius), pen))

    def name(self, point: Point, away_from: Point, text: str | None = None) -> None:
        """Names a point on the side that leads away from another."""
        self.names.append((point, (point[0] - away_from[0], point[1] - away_from[1]), text))


def settle(draft: Draft, style: Style, rng: np.random.Generator) -> list[Command] | None:
    """The commands of a draft, at their size and in their order; None where a label finds no room."""
    scale, move = _fit(draft.shapes)

    def at(point: Point) -> Point:
        return (
            round((point[0] - move[0]) * scale, style.decimals),
            round((point[1] - move[1]) * scale, style.decimals),
        )

    shapes: list[Command] = list(
        _filled_once(_moved(shape, at, scale, style.decimals) for shape in draft.shapes)
    )
    marks: list[Command] = []
    for vertex, a, b in draft.right_angles:
        marks.append(_right_angle(at(vertex), at(a), at(b), style))
    for a, b, strokes in draft.equals:
        marks += _strokes(at(a), at(b), strokes, style)
    values: list[tuple[Label, list[Point]]] = []
    for vertex, a, b, text in draft.angles:
        arc, label, places = _angle(at(vertex), at(a), at(b), text, style, rng)
        marks.append(arc)
        if label is not None:
            values.append((label, places))
    dots: list[Command] = [Dot(at(point), colour=style.main.colour) for point in draft.dots]
    if style.dots:
        dots += [Dot(at(point), colour=style.main.colour) for point, _, _ in draft.names]
    dots = list(dict.fromkeys(dots))

    board = Board([*shapes, *marks, *dots])
    labels: list[Label | None] = []
    letters = _names(style.letters, {text for _, _, text in draft.names})
    for point, towards, text in draft.names:
        text = next(letters) if text is None else text
        text = f"${text}$" if style.math or not text.isalpha() else text
        label = Label(text, at(point), size=style.name_size, colour=style.name_colour)
        labels.append(board.beside(label, towards))
    for a, b, text in draft.lengths:
        (ax, ay), (bx, by) = at(a), at(b)
        middle = (round((ax + bx) / 2, style.decimals), round((ay + by) / 2, style.decimals))
        label = Label(text, middle, size=style.value_size)
        away = (middle[0] - EXTENT / 2, middle[1] - EXTENT / 2)
        across = (by - ay, ax - bx)
        sign = 1 if across[0] * away[0] + across[1] * away[1] >= 0 else -1
        labels.append(board.beside(label, (sign * across[0], sign * across[1])))
    for label, places in values:
        labels.append(board.along(label, places))
    if any(label is None for label in labels):
        return None
    return ordered([*shapes, *marks, *dots, *(label for label in labels if label is not None)])


def ordered(commands: Iterable[Command]) -> list[Command]:
    """Commands by kind, and within a kind from top to bottom and left to right; paths in their canonical form."""

    def key(command: Command) -> tuple[float, float, float, str]:
        outline = command.outline()
        rank = _RANKS[type(command)]
        if isinstance(command, Path | Ellipse) and command.pen.fill:
            rank = 0.5  # below everything it might hide
        elif isinstance(command, Path) and not command.closed:
            rank += 0.5
        return rank, -max(y for _, y in outline), min(x for x, _ in outline), command.line()

    canonical = [command.canonical() if isinstance(command, Path) else command for command in commands]
    return sorted(canonical, key=key)


_RANKS: dict[type, float] = {Grid: 0, Path: 1, Ticks: 2, Plot: 3, Ellipse: 4, Arc: 5, Dot: 6, Label: 7}


def _filled_once(shapes: Iterable[Path | Ellipse]) -> Iterator[Path | Ellipse]:
    """The shapes, only the first of which keeps its filling: two could hide each other."""
    seen = False
    for shape in shapes:
        yield replace(shape, pen=replace(shape.pen, fill=None)) if seen else shape
        seen = seen or shape.pen.fill is not None


def _names(letters: str, taken: Collection[str | None]) -> Iterator[str]:
    """Names for points: the letters that are not taken, then the same with numbers."""
    free = [letter for letter in letters if letter not in taken]
    yield from free
    for index in count(1):
        yield from (f"{letter}_{index}" for letter in free)


def _fit(shapes: list[Path | Ellipse]) -> tuple[float, Point]:
    """Scale and lower left corner that bring the shapes to the convention's size."""
    points = np.array([point for shape in shapes for point in _extremes(shape)])
    low, high = points.min(axis=0), points.max(axis=0)
    return EXTENT / float((high - low).max()), (float(low[0]), float(low[1]))


def _extremes(shape: Path | Ellipse) -> list[Point]:
    if isinstance(shape, Path):
        return list(shape.points)
    (x, y), (a, b) = shape.centre, shape.radii
    return [(x - a, y - b), (x + a, y + b)]


def _moved(
    shape: Path | Ellipse, at: Callable[[Point], Point], scale: float, decimals: int
) -> Path | Ellipse:
    if isinstance(shape, Path):
        return replace(shape, points=tuple(at(point) for point in shape.points))
    a, b = (round(radius * scale, decimals) for radius in shape.radii)
    return replace(shape, centre=at(shape.centre), radii=(a, b))


def _right_angle(vertex: Point, a: Point, b: Point, style: Style) -> Path:
    ua, ub = _unit(vertex, a), _unit(vertex, b)
    corners = (ua, (ua[0] + ub[0], ua[1] + ub[1]), ub)
    points = tuple((round(vertex[0] + 0.35 * dx, 2), round(vertex[1] + 0.35 * dy, 2)) for dx, dy in corners)
    return Path(points, pen=Pen(style.second.colour))


def _strokes(a: Point, b: Point, number: int, style: Style) -> list[Command]:
    """Short strokes across the middle of a segment."""
    (ux, uy), length = _unit(a, b), 0.16
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    strokes: list[Command] = []
    for k in range(number):
        shift = (k - (number - 1) / 2) * 0.14
        x, y = middle[0] + shift * ux, middle[1] + shift * uy
        ends = [(round(x - s * length * uy, 2), round(y + s * length * ux, 2)) for s in (-1, 1)]
        strokes.append(Path(tuple(ends), pen=Pen(style.second.colour)))
    return strokes


def _angle(
    vertex: Point, a: Point, b: Point, text: str | None, style: Style, rng: np.random.Generator
) -> tuple[Arc, Label | None, list[Point]]:
    """Arc of an angle, its label, and places for the label outward along its bisector."""
    start, stop = (math.degrees(math.atan2(p[1] - vertex[1], p[0] - vertex[0])) for p in (a, b))
    if (stop - start) % 360 > 180:
        start, stop = stop, start
    opening = (stop - start) % 360
    start = round(start) % 360
    radius = round(float(rng.uniform(0.5, 0.9)), 1) if opening > 40 else 1.2
    arc = Arc(vertex, radius, start, start + round(opening), Pen(style.second.colour))
    if text is None:
        return arc, None, []
    text = text.replace("?", f"{round(opening)}^\\circ")
    middle = math.radians(start + opening / 2)
    reach = [radius + 0.3 + 0.1 * k for k in range(12)]
    places = [
        (round(vertex[0] + r * math.cos(middle), 2), round(vertex[1] + r * math.sin(middle), 2))
        for r in reach
    ]
    return arc, Label(text, vertex, size=style.value_size), places


def _unit(a: Point, b: Point) -> Point:
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    return (b[0] - a[0]) / length, (b[1] - a[1]) / length
