"""Charts as matplotlib draws them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ...errors import MissingDependencyError
from .data import ChartData
from .look import Box, Look, collide, cover, cross, ink_on

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle
    from matplotlib.text import Text

_DPI = 100
_ROOM = 170  # pixels around the plotting area for names, numbers and a legend; cropped afterwards


def draw_with_matplotlib(data: ChartData, look: Look, rng: np.random.Generator) -> Image.Image | None:
    """The chart without title and source; None where texts would collide or be cut.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.font_manager import FontProperties
    except ImportError as error:
        raise MissingDependencyError('Charts need matplotlib: pip install "got-ocr2[synth]".') from error
    width, height = look.width + 2 * _ROOM, look.height + 2 * _ROOM
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=look.ground)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((_ROOM / width, _ROOM / height, look.width / width, look.height / height))
    font = FontProperties(fname=look.face.path, size=look.size * 72 / _DPI)
    drawing = _Drawing(data, look, axes, font, rng)
    drawing.draw()
    canvas.draw()
    renderer = canvas.get_renderer()

    def box(artist: Artist) -> Box:
        extent = artist.get_window_extent(renderer)
        return extent.x0, height - extent.y1, extent.x1, height - extent.y0

    boxes = [box(text) for text in drawing.texts() if text.get_text()]
    names: list[Box] = []
    legend = axes.get_legend()
    if legend is not None:
        names = [box(text) for text in legend.get_texts()]
        boxes.append(box(legend))
    numbers = [] if data.kind == "pie" else [box(label) for label in drawing.labels]
    outside = any(x0 < 1 or y0 < 1 or x1 > width - 1 or y1 > height - 1 for x0, y0, x1, y1 in boxes)
    if outside or collide(boxes) or cross(numbers, box(axes.patch)):
        return None
    if cover(numbers, [box(bar) for bar in drawing.bars], within=data.kind == "stacked"):
        return None
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    if not _all_inked(pixels, [*boxes, *names]):
        return None
    edges = np.array([*boxes, box(axes.patch)])
    x0, y0 = np.maximum(np.floor(edges[:, :2].min(axis=0)) - 6, 0).astype(int)
    x1, y1 = np.ceil(edges[:, 2:].max(axis=0)).astype(int) + 6
    return Image.fromarray(np.ascontiguousarray(pixels[y0:y1, x0:x1]))


def _all_inked(pixels: np.ndarray, boxes: list[Box]) -> bool:
    """Whether something shows in every box: matplotlib leaves some fonts out at some sizes, without a word."""
    crops = (pixels[int(y0) : math.ceil(y1), int(x0) : math.ceil(x1)] for x0, y0, x1, y1 in boxes)
    return all(np.ptp(crop.reshape(-1, 3).astype(int), axis=0).max() > 60 for crop in crops)


class _Drawing:
    """One chart on its axes."""

    def __init__(self, data: ChartData, look: Look, axes: Axes, font: Any, rng: np.random.Generator) -> None:
        self.data = data
        self.look = look
        self.axes = axes
        self.font = font
        self.rng = rng
        self.labels: list[Text] = []
        self.bars: list[Rectangle] = []

    def draw(self) -> None:
        data, look, axes = self.data, self.look, self.axes
        axes.set_facecolor(look.plot_ground if data.kind != "pie" else look.ground)
        if data.kind == "pie":
            self._pie()
            return
        axes.set_axisbelow(True)
        if look.grid:
            axis = "both" if look.grid == "both" else ("x" if data.kind == "barh" else "y")
            axes.grid(
                axis=axis, color="#cccccc", linewidth=0.8, linestyle=str(self.rng.choice(["-", "--", ":"]))
            )
        if not look.frame:
            axes.spines[["top", "right"]].set_visible(False)
        {"line": self._lines, "scatter": self._points}.get(data.kind, self._bars)()
        if data.series != ("",):
            self._legend()
        x_title, y_title = (
            (data.y_title, data.x_title) if data.kind == "barh" else (data.x_title, data.y_title)
        )
        axes.set_xlabel(x_title, fontproperties=self.font, parse_math=False)
        axes.set_ylabel(y_title, fontproperties=self.font, parse_math=False)
        for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
            label.set_fontproperties(self.font)
            label.set_parse_math(False)

    def texts(self) -> list[Text]:
        """Everything written but the legend."""
        axes = self.axes
        if self.data.kind == "pie":
            return self.labels
        low, high = sorted(axes.get_xlim())
        bottom, top = sorted(axes.get_ylim())
        ticks = [t for t in axes.get_xticklabels() if low <= t.get_position()[0] <= high]
        ticks += [t for t in axes.get_yticklabels() if bottom <= t.get_position()[1] <= top]
        return [*ticks, axes.xaxis.label, axes.yaxis.label, *self.labels]

    def _write(self, x: float, y: float, text: str, offset: tuple[float, float], **how: Any) -> None:
        self.labels.append(
            self.axes.annotate(
                text, (x, y), xytext=offset, textcoords="offset points", fontproperties=self.font,
                parse_math=False, annotation_clip=False, **how,
            )
        )  # fmt: skip

    def _bars(self) -> None:
        data, look = self.data, self.look
        lying, stacked = data.kind == "barh", data.kind == "stacked"
        places = np.arange(len(data.categories))
        count = 1 if stacked else len(data.values)
        thickness = look.bar_share / count
        base = np.zeros(len(places))
        draw = self.axes.barh if lying else self.axes.bar
        edge = {"edgecolor": "#333333", "linewidth": 0.7} if self.rng.random() < 0.3 else {}
        for k, row in enumerate(data.values):
            at = places + (0 if stacked else (k - (count - 1) / 2) * thickness)
            start = {"left" if lying else "bottom": base}
            self.bars += draw(
                at, row, thickness, label=data.series[k], color=look.colours[k], **start, **edge
            )
            if data.printed:
                for place, value, under in zip(at.tolist(), row, base.tolist(), strict=True):
                    self._number_bar(place, value, under + value / 2 if stacked else value, look.colours[k])
            if stacked:
                base = base + row
        self._name_categories("y" if lying else "x")
        if lying:
            self.axes.invert_yaxis()
        high = float(base.max()) if stacked else max(max(row) for row in data.values)
        low = 0.0 if stacked else min(0.0, *(min(row) for row in data.values))
        self._set_range("x" if lying else "y", low, high)

    def _number_bar(self, place: float, value: float, end: float, colour: str) -> None:
        """Writes a bar's number at its end, or within it where bars are stacked."""
        text, negative = self.data.written(value), value < 0
        if self.data.kind == "stacked":
            self._write(place, end, text, (0, 0), ha="center", va="center", color=ink_on(colour))
        elif self.data.kind == "barh":
            self._write(
                end, place, text, (-3 if negative else 3, 0), ha="right" if negative else "left", va="center"
            )
        else:
            self._write(
                place, end, text, (0, -2 if negative else 2), ha="center", va="top" if negative else "bottom"
            )

    def _lines(self) -> None:
        data, look = self.data, self.look
        places = np.arange(len(data.categories))
        marks = ("o", "s", "^", "D")
        for k, row in enumerate(data.values):
            self.axes.plot(
                places, row, label=data.series[k], color=look.colours[k], linewidth=look.line_width,
                marker=marks[k] if look.marker else None, markersize=look.marker + 1,
            )  # fmt: skip
            for x, value in enumerate(row):
                if data.printed:
                    self._write(x, value, data.written(value), (0, 4), ha="center", va="bottom")
        self._name_categories("x")
        values = [value for row in data.values for value in row]
        self._set_range("y", min(0, *values) if self.rng.random() < 0.7 else min(values), max(values))

    def _points(self) -> None:
        data, look = self.data, self.look
        marks = ("o", "s", "^", "D")
        for k, (xs, row) in enumerate(zip(data.xs, data.values, strict=True)):
            self.axes.scatter(
                xs,
                row,
                label=data.series[k],
                color=look.colours[k],
                marker=marks[k],
                s=(look.marker + 4) ** 2,
            )
        values = [value for row in data.values for value in row]
        self._set_range("y", min(0, *values), max(values))
        self._set_range("x", 0, max(x for xs in data.xs for x in xs))

    def _set_range(self, axis: str, low: float, high: float) -> None:
        """Limits with room for numbers, and ticks that say them without powers of ten."""
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        room = (high - low) * (0.12 if self.data.printed else 0.06)
        getattr(self.axes, f"set_{axis}lim")(low - room if low else 0.0, high + room)
        scale = getattr(self.axes, f"{axis}axis")
        scale.set_major_locator(MaxNLocator(int(self.rng.integers(5, 9)), steps=[1, 2, 5, 10], min_n_ticks=4))
        numeric = axis == ("x" if self.data.kind == "barh" else "y")
        scale.set_major_formatter(
            FuncFormatter(lambda value, _: self.data.tick(value) if numeric else f"{value:g}")
        )

    def _name_categories(self, axis: str) -> None:
        places = list(range(len(self.data.categories)))
        getattr(self.axes, f"set_{axis}ticks")(places, self.data.categories)
        if axis == "x" and self.look.turn:
            for label in self.axes.get_xticklabels():
                label.set_rotation(self.look.turn)
                if self.look.turn != 90:
                    label.set_horizontalalignment("right")
                    label.set_rotation_mode("anchor")

    def _legend(self) -> None:
        where = {"loc": "upper left", "bbox_to_anchor": (1.02, 1)}
        if self.look.legend == "top":
            where = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.01), "ncol": len(self.data.series)}
        legend = self.axes.legend(
            prop=self.font, frameon=bool(self.rng.random() < 0.4), borderaxespad=0.3, **where
        )
        for text in legend.get_texts():
            text.set_parse_math(False)

    def _pie(self) -> None:
        data, look = self.data, self.look
        row = data.values[0]
        side = min(look.width, look.height)
        inside = self.rng.random() < 0.5
        with_legend = inside and self.rng.random() < 0.5
        wedges, *_ = self.axes.pie(
            row, colors=[look.colours[k % len(look.colours)] for k in range(len(row))], startangle=90,
            counterclock=bool(self.rng.random() < 0.5),
            wedgeprops={"width": 0.45 if look.donut else 1, "edgecolor": look.ground, "linewidth": 1.2},
        )  # fmt: skip
        for number, (wedge, name, value) in enumerate(zip(wedges, data.categories, row, strict=True)):
            middle = np.radians((wedge.theta1 + wedge.theta2) / 2)
            x, y = float(np.cos(middle)), float(np.sin(middle))
            align = "left" if x >= 0 else "right"
            text = data.written(value)
            if inside:
                reach = 0.775 if look.donut else 0.66
                colour = ink_on(look.colours[number % len(look.colours)])
                self._write(reach * x, reach * y, text, (0, 0), ha="center", va="center", color=colour)
                if not with_legend:
                    self._write(1.08 * x, 1.08 * y, name, (0, 0), ha=align, va="center")
            else:
                self._write(1.08 * x, 1.08 * y, f"{name}: {text}", (0, 0), ha=align, va="center")
        if with_legend:
            legend = self.axes.legend(
                wedges,
                data.categories,
                prop=self.font,
                loc="center left",
                bbox_to_anchor=(1.0, 0.5),
                frameon=False,
            )
            for text in legend.get_texts():
                text.set_parse_math(False)
        self.axes.set_xlim(-1.05 * look.width / side, 1.05 * look.width / side)
        self.axes.set_ylim(-1.05 * look.height / side, 1.05 * look.height / side)
