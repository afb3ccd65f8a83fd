"""Charts of our own, in the manner of the interactive charts of web pages.

Shapes are written as SVG and drawn by resvg; text is set by Pillow on top, because it takes any font file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from ..drawing.svg import svg_to_image
from .data import ChartData, nice_ticks
from .look import Box, Look, collide, cover, cross, ink_on

Point = tuple[float, float]
_INK, _FAINT = "#333333", "#6e7079"


@dataclass
class _Canvas:
    """Shapes and texts of one chart, in pixels from the top left corner of its plotting area.

    Attributes:
        look: whose face and size all text has.
        shapes: SVG elements.
        texts: (top left corner, text, colour, Pillow's anchor, angle).
        boxes: of the texts.
        extents: what else must be inside the picture.
    """

    look: Look
    shapes: list[str] = field(default_factory=list)
    texts: list[tuple[Point, str, str, str, int]] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    extents: list[Box] = field(default_factory=list)

    def rectangle(self, box: Box, fill: str, rounding: float = 0) -> None:
        x0, y0, x1, y1 = box
        corner = min(rounding, (x1 - x0) / 2, (y1 - y0) / 2)
        self.shapes.append(
            f'<rect x="{x0:.2f}" y="{y0:.2f}" width="{x1 - x0:.2f}" height="{y1 - y0:.2f}" rx="{corner:.2f}" '
            f'fill="{fill}"/>'
        )

    def line(
        self, points: Sequence[Point], colour: str, width: float, dash: str = "", smooth: bool = False
    ) -> None:
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.shapes.append(
            f'<path d="{_way(points, smooth)}" fill="none" stroke="{colour}" stroke-width="{width:.2f}"{dashes}/>'
        )

    def area(self, points: Sequence[Point], bottom: float, colour: str, smooth: bool) -> None:
        end = f"L{points[-1][0]:.2f} {bottom:.2f}L{points[0][0]:.2f} {bottom:.2f}Z"
        self.shapes.append(f'<path d="{_way(points, smooth)}{end}" fill="{colour}" fill-opacity="0.25"/>')

    def circle(self, at: Point, radius: float, fill: str, edge: str = "none", width: float = 0) -> None:
        self.shapes.append(
            f'<circle cx="{at[0]:.2f}" cy="{at[1]:.2f}" r="{radius:.2f}" fill="{fill}" stroke="{edge}" '
            f'stroke-width="{width:.2f}"/>'
        )

    def text(self, at: Point, text: str, anchor: str, colour: str = _INK, angle: int = 0) -> Box:
        """Writes a line; `anchor` is Pillow's, and the turned text's end or middle stands at the point if turned."""
        font = self.look.face.load(self.look.size)
        left, top, right, bottom = font.getbbox(text, anchor=anchor)
        if angle:
            width, height = _turned(right - left, bottom - top, angle)
            shift = {"r": -width, "m": -width / 2, "l": 0.0}[anchor[0]]
            drop = {"a": 0.0, "m": -height / 2, "d": -height}[anchor[1]]
            box = (at[0] + shift, at[1] + drop, at[0] + shift + width, at[1] + drop + height)
        else:
            box = (at[0] + left, at[1] + top, at[0] + right, at[1] + bottom)
        self.texts.append(((box[0], box[1]), text, colour, anchor, angle))
        self.boxes.append(box)
        return box

    def picture(self) -> Image.Image | None:
        """RGB picture of everything; None where texts meet one another."""
        if collide(self.boxes, gap=2):
            return None
        everything = np.array([*self.boxes, *self.extents])
        x0, y0 = np.floor(everything[:, :2].min(axis=0)) - 2
        x1, y1 = np.ceil(everything[:, 2:].max(axis=0)) + 2
        view = f"{x0:.0f} {y0:.0f} {x1 - x0:.0f} {y1 - y0:.0f}"
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">{"".join(self.shapes)}</svg>'
        page = svg_to_image(svg, background=self.look.ground)
        draw = ImageDraw.Draw(page)
        font = self.look.face.load(self.look.size)
        for (x, y), text, colour, anchor, angle in self.texts:
            left, top, right, bottom = font.getbbox(text, anchor=anchor)
            if not angle:
                draw.text((x - left - x0, y - top - y0), text, colour, font, anchor=anchor)
                continue
            strip = Image.new("L", (math.ceil(right - left), math.ceil(bottom - top)), 0)
            ImageDraw.Draw(strip).text((-left, -top), text, 255, font, anchor=anchor)
            turned = strip.rotate(angle, Image.Resampling.BICUBIC, expand=True)
            page.paste(colour, (round(x - x0), round(y - y0)), turned)
        return page


def draw_with_svg(data: ChartData, look: Look, rng: np.random.Generator) -> Image.Image | None:
    """The chart without title and source; None where texts would collide or be cut."""
    canvas = _Canvas(look)
    if data.kind == "pie":
        _pie(data, look, canvas, rng)
    else:
        plot = _Plot(data, look, canvas, rng)
        plot.draw()
        frame = (plot.left, plot.top, plot.right, plot.bottom)
        if cross(plot.numbers, frame) or cover(plot.numbers, plot.bars, within=data.kind == "stacked"):
            return None
    return canvas.picture()


class _Plot:
    """A chart with two axes: categories along one (but for scattered points), numbers along the other."""

    def __init__(self, data: ChartData, look: Look, canvas: _Canvas, rng: np.random.Generator) -> None:
        self.data = data
        self.look = look
        self.canvas = canvas
        self.rng = rng
        self.lying = data.kind == "barh"
        self.bars: list[Box] = []
        self.numbers: list[Box] = []
        self.left, self.top, self.right, self.bottom = 0.0, 0.0, float(look.width), float(look.height)
        canvas.extents.append((-5.0, -5.0, self.right + 5, self.bottom + 5))
        values = [value for row in data.values for value in row]
        if data.kind == "stacked":
            values = [sum(column) for column in zip(*data.values, strict=True)]
        low = (
            min(values) * 0.9
            if data.kind == "line" and min(values) > 0 and rng.random() < 0.3
            else min(0, *values)
        )
        self.ticks = nice_ticks(low, max(values) * 1.04 if max(values) > 0 else 0.0, int(rng.integers(4, 8)))
        self.x_ticks = nice_ticks(0, max(x for xs in data.xs for x in xs), 6) if data.xs else []

    def draw(self) -> None:
        canvas, look = self.canvas, self.look
        if look.plot_ground != look.ground:
            canvas.rectangle((self.left, self.top, self.right, self.bottom), look.plot_ground)
        self._scales()
        {"line": self._lines, "scatter": self._points}.get(self.data.kind, self._bars)()
        self._titles()
        if self.data.series != ("",):
            self._legend()

    def _along(self, value: float) -> float:
        """Pixel of a number along the numeric axis."""
        share = (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return self.left + share * self.look.width if self.lying else self.bottom - share * self.look.height

    def _across(self, place: float) -> float:
        """Pixel of a place along the other axis: category k has its middle at k + 0.5, a point stands at its x."""
        if self.data.xs:
            span = self.x_ticks[-1] - self.x_ticks[0]
            return self.left + (place - self.x_ticks[0]) / span * self.look.width
        share = place / len(self.data.categories)
        return self.top + share * self.look.height if self.lying else self.left + share * self.look.width

    def _scales(self) -> None:
        """Grid, ticks, and the names and numbers at the axes."""
        canvas, look, data = self.canvas, self.look, self.data
        dash = str(self.rng.choice(["", "4 3"]))
        for value in self.ticks:
            at, text = self._along(value), data.tick(value)
            ends = [(at, self.top), (at, self.bottom)] if self.lying else [(self.left, at), (self.right, at)]
            if look.grid:
                canvas.line(ends, "#e0e6f1", 1, dash)
            if self.lying:
                canvas.text((at, self.bottom + 7), text, "ma", _FAINT)
            else:
                canvas.text((self.left - 7, at), text, "rm", _FAINT)
        for value in self.x_ticks:
            at = self._across(value)
            if look.grid == "both":
                canvas.line([(at, self.top), (at, self.bottom)], "#e0e6f1", 1, dash)
            canvas.line([(at, self.bottom), (at, self.bottom + 4)], _FAINT, 1)
            canvas.text((at, self.bottom + 7), f"{value:g}", "ma", _FAINT)
        for k, name in enumerate(data.categories):
            at = self._across(k + 0.5)
            if self.lying:
                canvas.text((self.left - 7, at), name, "rm", _FAINT)
            elif look.turn:
                canvas.text((at + (0 if look.turn == 90 else 5), self.bottom + 7), name,
                            "ma" if look.turn == 90 else "ra", _FAINT, look.turn)  # fmt: skip
            else:
                canvas.text((at, self.bottom + 7), name, "ma", _FAINT)
        if not data.xs and not self.lying:
            for k in range(len(data.categories) + 1):
                canvas.line([(self._across(k), self.bottom), (self._across(k), self.bottom + 4)], _FAINT, 1)
        if look.frame:
            for x in (self.left, self.right):
                canvas.line([(x, self.top), (x, self.bottom)], _FAINT, 1)
            for y in (self.top, self.bottom):
                canvas.line([(self.left, y), (self.right, y)], _FAINT, 1)
        elif self.lying:
            canvas.line([(self.left, self.top), (self.left, self.bottom)], _FAINT, 1)
        else:
            canvas.line([(self.left, self.bottom), (self.right, self.bottom)], _FAINT, 1)

    def _bars(self) -> None:
        data, look = self.data, self.look
        stacked = data.kind == "stacked"
        count = 1 if stacked else len(data.values)
        thickness = look.bar_share / count
        rounding = float(self.rng.choice([0, 0, 3, 6])) if not stacked else 0
        base = [0.0] * len(data.categories)
        for series, row in enumerate(data.values):
            for k, value in enumerate(row):
                first = k + 0.5 - look.bar_share / 2 + (0 if stacked else series * thickness)
                start, end = self._across(first), self._across(first + thickness)
                near, far = sorted((self._along(base[k]), self._along(base[k] + value)))
                bar = (near, start, far, end) if self.lying else (start, near, end, far)
                self.canvas.rectangle(bar, look.colours[series], rounding)
                self.bars.append(bar)
                if data.printed:
                    self._number(self.bars[-1], value, look.colours[series])
                if stacked:
                    base[k] += value

    def _number(self, bar: Box, value: float, colour: str) -> None:
        """Writes a bar's number at its end, or within it where bars are stacked."""
        x0, y0, x1, y1 = bar
        text = self.data.written(value)
        if self.data.kind == "stacked":
            box = self.canvas.text(((x0 + x1) / 2, (y0 + y1) / 2), text, "mm", ink_on(colour))
        elif self.lying:
            at, anchor = ((x0 - 4, (y0 + y1) / 2), "rm") if value < 0 else ((x1 + 4, (y0 + y1) / 2), "lm")
            box = self.canvas.text(at, text, anchor)
        else:
            at, anchor = (((x0 + x1) / 2, y1 + 4), "ma") if value < 0 else (((x0 + x1) / 2, y0 - 4), "md")
            box = self.canvas.text(at, text, anchor)
        self.numbers.append(box)

    def _lines(self) -> None:
        data, look, canvas = self.data, self.look, self.canvas
        smooth, filled = bool(self.rng.random() < 0.35), bool(self.rng.random() < 0.2)
        for series, row in enumerate(data.values):
            colour = look.colours[series]
            points = [(self._across(k + 0.5), self._along(value)) for k, value in enumerate(row)]
            if filled:
                canvas.area(points, self.bottom, colour, smooth)
            canvas.line(points, colour, look.line_width, smooth=smooth)
            for point in points if look.marker else ():
                canvas.circle(point, look.marker / 2 + 0.5, look.plot_ground, colour, look.line_width * 0.8)
            for (x, y), value in zip(points, row, strict=True) if data.printed else ():
                self.numbers.append(canvas.text((x, y - 7), data.written(value), "md"))

    def _points(self) -> None:
        for series, (xs, row) in enumerate(zip(self.data.xs, self.data.values, strict=True)):
            for x, value in zip(xs, row, strict=True):
                at = (self._across(x), self._along(value))
                self.canvas.circle(at, self.look.marker / 2 + 3, self.look.colours[series])

    def _titles(self) -> None:
        x_title, y_title = self.data.x_title, self.data.y_title
        if self.lying:
            x_title, y_title = y_title, x_title
        boxes = self.canvas.boxes
        if x_title:
            below = max([self.bottom + 8, *(bottom for _, _, _, bottom in boxes)])
            self.canvas.text(((self.left + self.right) / 2, below + 8), x_title, "ma")
        if y_title and self.rng.random() < 0.6:
            beside = min([self.left, *(left for left, _, _, _ in boxes)])
            self.canvas.text((beside - 8, (self.top + self.bottom) / 2), y_title, "rm", angle=90)
        elif y_title:  # above the axis, as web pages have it
            above = min([self.top, *(top for _, top, _, _ in boxes)])
            self.canvas.text((self.left, above - 8), y_title, "ld")

    def _legend(self) -> None:
        canvas, look = self.canvas, self.look
        font = look.face.load(look.size)
        names = self.data.series
        round_icons = self.data.kind in ("line", "scatter")
        top = min([self.top, *(box[1] for box in canvas.boxes)]) - look.size * 1.6
        across = look.legend == "top"
        total = sum(font.getlength(name) + 40 for name in names)
        x = (self.left + self.right - total) / 2 if across else self.right + 18
        y = top if across else self.top + look.size
        for series, name in enumerate(names):
            if round_icons:
                canvas.circle((x + 10, y), 5, look.colours[series])
            else:
                canvas.rectangle((x, y - 6, x + 20, y + 6), look.colours[series], 3)
            canvas.text((x + 25, y), name, "lm")
            canvas.extents.append((x, y - 6, x + 20, y + 6))
            if across:
                x += font.getlength(name) + 40
            else:
                y += look.size * 1.7


def _pie(data: ChartData, look: Look, canvas: _Canvas, rng: np.random.Generator) -> None:
    """Slices with a leader to each one's name and number."""
    radius = min(look.width, look.height) / 2
    centre = (radius, radius)
    canvas.extents.append((0.0, 0.0, 2 * radius, 2 * radius))
    inner = radius * float(rng.uniform(0.4, 0.6)) if look.donut else 0.0
    row = data.values[0]
    joint = str(rng.choice([": ", " ", ", "]))
    angle = -math.pi / 2
    for k, (name, value) in enumerate(zip(data.categories, row, strict=True)):
        sweep = 2 * math.pi * value / sum(row)
        colour = look.colours[k % len(look.colours)]
        canvas.shapes.append(_slice(centre, radius, inner, angle, angle + sweep, colour, look))
        x, y = math.cos(angle + sweep / 2), math.sin(angle + sweep / 2)
        elbow = (centre[0] + (radius + 14) * x, centre[1] + (radius + 14) * y)
        side = 1 if x >= 0 else -1
        start, end = (centre[0] + radius * x, centre[1] + radius * y), (elbow[0] + 14 * side, elbow[1])
        canvas.line([start, elbow, end], colour, 1)
        canvas.text(
            (end[0] + 4 * side, end[1]), f"{name}{joint}{data.written(value)}", "lm" if x >= 0 else "rm"
        )
        angle += sweep


def _slice(
    centre: Point, radius: float, inner: float, start: float, stop: float, colour: str, look: Look
) -> str:
    def at(reach: float, angle: float) -> str:
        return f"{centre[0] + reach * math.cos(angle):.2f} {centre[1] + reach * math.sin(angle):.2f}"

    large = int(stop - start > math.pi)
    way = f"M{at(radius, start)}A{radius:.2f} {radius:.2f} 0 {large} 1 {at(radius, stop)}"
    way += f"L{at(inner, stop)}A{inner:.2f} {inner:.2f} 0 {large} 0 {at(inner, start)}Z"
    return f'<path d="{way}" fill="{colour}" stroke="{look.ground}" stroke-width="1.5"/>'


def _way(points: Sequence[Point], smooth: bool) -> str:
    """SVG path through some points, straight or along a curve without overshoot between them."""
    start = f"M{points[0][0]:.2f} {points[0][1]:.2f}"
    if not smooth:
        return start + "".join(f"L{x:.2f} {y:.2f}" for x, y in points[1:])
    slopes = _slopes(points)
    way = start
    for (x0, y0), (x1, y1), s0, s1 in zip(points, points[1:], slopes, slopes[1:], strict=False):
        third = (x1 - x0) / 3
        way += f"C{x0 + third:.2f} {y0 + third * s0:.2f} {x1 - third:.2f} {y1 - third * s1:.2f} {x1:.2f} {y1:.2f}"
    return way


def _slopes(points: Sequence[Point]) -> list[float]:
    """Slopes of a curve through the points: flat at turning points, so that it never leaves their range."""
    steps = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(points)]
    inner = [0.0 if a * b <= 0 else 2 * a * b / (a + b) for a, b in pairwise(steps)]
    return [steps[0], *inner, steps[-1]]


def _turned(width: float, height: float, angle: int) -> Point:
    """Width and height of a box around a turned one."""
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    return width * cosine + height * sine, width * sine + height * cosine
