"""Charts drawn by matplotlib."""

from __future__ import annotations

import io
import textwrap
import warnings
from threading import Lock
from typing import Any

from ...errors import InvalidOptionError, RenderError
from ...extras import need
from ..problems import Problem
from ..rendered import Rendered
from .chart import Chart, Look, look_of, number_in, parse_chart

_MOST_DRAWN = 2000  # numbers; more cannot be told apart
_SIDES = (100, 8000)  # pixels
_LOCK = Lock()  # matplotlib's settings are those of the process
# Fonts for what DejaVu lacks, where one of them is installed.
_FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "Hiragino Sans",
    "Malgun Gothic", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "AR PL UMing CN",
    "Noto Sans Devanagari", "Noto Sans Thai", "FreeSans", "Arial Unicode MS",
)  # fmt: skip


def write_svg(
    text: str, *, strict: bool = False, look: Look = "auto", width: int = 800, height: int = 500
) -> Rendered:
    """The chart as a drawing that scales; its text stays text.

    Args:
        text: the chart's dictionary.
        strict: raise on a problem.
        look: how to draw it; "auto" guesses, see `chart.look_of`.
        width, height: in pixels, 100 to 8000.

    Raises:
        InvalidOptionError: an unknown look, one that these numbers cannot have, or a size out of range.
        MissingDependencyError: matplotlib is not installed.
        RenderError: what `chart.parse_chart` raises, or more than 2000 numbers.
    """
    chart = parse_chart(text, strict=strict)
    data, _ = _drawn(chart, look, "svg", width, height)
    return Rendered.of(data.decode("utf-8"), "svg", "chart", chart.problems)


def write_png(
    text: str, *, strict: bool = False, look: Look = "auto", width: int = 800, height: int = 500
) -> Rendered:
    """The chart as a picture; arguments and errors are those of `write_svg`."""
    chart = parse_chart(text, strict=strict)
    data, missing = _drawn(chart, look, "png", width, height)
    return Rendered.of(data, "png", "chart", [*chart.problems, *missing])


def _drawn(chart: Chart, look: str, to: str, width: int, height: int) -> tuple[bytes, list[Problem]]:
    for name, side in (("width", width), ("height", height)):
        if not _SIDES[0] <= side <= _SIDES[1]:
            raise InvalidOptionError(f"A chart's {name} is {_SIDES[0]} to {_SIDES[1]} pixels, got {side}.")
    if (count := sum(len(one.amounts) for one in chart.series)) > _MOST_DRAWN:
        raise RenderError(f"A chart of at most {_MOST_DRAWN} numbers can be drawn, got {count}.")
    look = look_of(chart, look)
    matplotlib = need("matplotlib", "Drawing charts", extra="render")
    figures = need("matplotlib.figure", "Drawing charts", extra="render")
    manager = need("matplotlib.font_manager", "Drawing charts", extra="render").fontManager
    installed = {font.name for font in manager.ttflist}
    settings = {
        "font.family": ["DejaVu Sans", *(name for name in _FALLBACKS if name in installed)],
        "text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": "got-ocr2",
        "axes.spines.top": False, "axes.spines.right": False,
    }  # fmt: skip
    out = io.BytesIO()
    caught: list[Any]
    with _LOCK, warnings.catch_warnings(record=True) as caught, matplotlib.rc_context(settings):
        warnings.simplefilter("always")
        figure: Any = figures.Figure(figsize=(width / 100, height / 100), dpi=100, layout="constrained")
        axes: Any = figure.subplots()
        _PAINTERS[look](axes, chart)
        if look != "pie":
            across = look == "barh"
            axes.set_xlabel(_wrapped(chart.y_title if across else chart.x_title, 80))
            axes.set_ylabel(_wrapped(chart.x_title if across else chart.y_title, 50))
            if any(one.name for one in chart.series):
                axes.legend(fontsize="small")
        axes.set_title(_wrapped(chart.title, 70))
        if chart.source:
            figure.text(0.01, 0.005, f"Source: {chart.source}"[:120], fontsize="x-small", color="0.4")
            figure.get_layout_engine().set(rect=(0, 0.03, 1, 0.97))
        # No date, so that the same chart gives the same bytes.
        figure.savefig(out, format=to, metadata={"Date": None} if to == "svg" else None)
    messages = [str(one.message) for one in caught or ()]
    lost = sorted({message.split(" ")[1] for message in messages if "missing from font" in message})
    letters = "".join(chr(int(code)) for code in lost[:10] if code.isdigit())
    problems = [Problem(1, None, f"no installed font has {letters}; boxes stand there")] if letters else []
    return out.getvalue(), problems


def _rows(chart: Chart) -> list[list[float]]:
    """A list a series, a number a category, NaN where there is none."""
    return [
        [amount.value if (amount := one.amounts.get(name)) else float("nan") for name in chart.categories]
        for one in chart.series
    ]


def _bars(axes: Any, chart: Chart) -> None:
    rows, wide = _rows(chart), 0.8 / len(chart.series)
    for k, (one, row) in enumerate(zip(chart.series, rows, strict=True)):
        places = [n + (k - (len(rows) - 1) / 2) * wide for n in range(len(row))]
        bars = axes.bar(places, row, wide, label=one.name)
        if len(rows) * len(row) <= 12:
            texts = [amount.text if (amount := one.amounts.get(name)) else "" for name in chart.categories]
            axes.bar_label(bars, texts, fontsize="small", padding=2)
    _name_ticks(axes, chart)


def _bars_across(axes: Any, chart: Chart) -> None:
    rows, wide = _rows(chart), 0.8 / len(chart.series)
    for k, (one, row) in enumerate(zip(chart.series, rows, strict=True)):
        axes.barh([n + (k - (len(rows) - 1) / 2) * wide for n in range(len(row))], row, wide, label=one.name)
    axes.set_yticks(range(len(chart.categories)), [_cut(name, 30) for name in chart.categories])
    axes.invert_yaxis()


def _stacked(axes: Any, chart: Chart) -> None:
    above, below = [0.0] * len(chart.categories), [0.0] * len(chart.categories)
    for one, row in zip(chart.series, _rows(chart), strict=True):
        row = [0.0 if value != value else value for value in row]
        base = [above[n] if value >= 0 else below[n] for n, value in enumerate(row)]
        axes.bar(range(len(row)), row, 0.7, bottom=base, label=one.name)
        for n, value in enumerate(row):
            (above if value >= 0 else below)[n] += value
    _name_ticks(axes, chart)


def _lines(axes: Any, chart: Chart) -> None:
    for one, row in zip(chart.series, _rows(chart), strict=True):
        axes.plot(range(len(row)), row, marker="o", markersize=4, label=one.name)
    axes.grid(axis="y", alpha=0.3)
    _name_ticks(axes, chart)


def _points(axes: Any, chart: Chart) -> None:
    for one in chart.series:
        points = [(number_in(name), amount.value) for name, amount in one.amounts.items() if amount]
        axes.scatter([x for x, _ in points], [y for _, y in points], s=22, label=one.name)
    axes.grid(alpha=0.3)


def _pie(axes: Any, chart: Chart) -> None:
    slices = [(name, amount) for name, amount in chart.series[0].amounts.items() if amount and amount.value]
    axes.pie(
        [amount.value for _, amount in slices], startangle=90, counterclock=False,
        labels=[f"{_cut(name, 30)}\n{amount.text}" for name, amount in slices],
        wedgeprops={"edgecolor": "white"},
    )  # fmt: skip
    axes.set_aspect("equal")


def _name_ticks(axes: Any, chart: Chart) -> None:
    names = [_cut(name, 24) for name in chart.categories]
    step = -(-len(names) // 40)
    crowded = sum(map(len, names)) > 80
    axes.set_xticks(range(0, len(names), step), names[::step])
    if crowded:
        axes.tick_params("x", labelrotation=45)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
    if any(value < 0 for row in _rows(chart) for value in row):
        axes.axhline(0, color="0.3", linewidth=0.8)


_PAINTERS: dict[str, Any] = {
    "bar": _bars, "barh": _bars_across, "stacked": _stacked, "line": _lines, "scatter": _points, "pie": _pie,
}  # fmt: skip


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, max_lines=3, placeholder=" …")
