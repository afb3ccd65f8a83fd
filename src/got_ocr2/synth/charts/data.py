"""What a chart says: random tables of numbers with their titles, and the answer that holds them.

The answer is one line of JSON, `{"title", "source", "x_title", "y_title", "values"}`; what the chart does not have
is "None". `values` maps a category to its number, or a series to such a map where there are several. Numbers are
strings, written as the chart prints them; where it prints none they are rounded to what a reader can measure.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..corpora.catalog import TextPool

ChartKind = Literal["bar", "barh", "stacked", "line", "pie", "scatter"]
CHART_KINDS: tuple[ChartKind, ...] = ("bar", "barh", "stacked", "line", "pie", "scatter")

_COUNTRIES = (
    *(
        "Albania",
        "Angola",
        "Brazil",
        "Bulgaria",
        "Canada",
        "Chad",
        "Chile",
        "China",
        "Cuba",
        "Denmark",
        "Egypt",
    ),
    *("Estonia", "Fiji", "Finland", "France", "Gabon", "Ghana", "Greece", "Haiti", "India", "Iran", "Italy"),
    *(
        "Japan",
        "Kenya",
        "Laos",
        "Libya",
        "Mali",
        "Malta",
        "Mexico",
        "Nepal",
        "Niger",
        "Norway",
        "Oman",
        "Peru",
    ),
    *("Poland", "Qatar", "Samoa", "Spain", "Sudan", "Sweden", "Togo", "Turkey", "Uganda", "Yemen", "Zambia"),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AXES = ("Year", "Country", "Month", "Group", "Region", "Age", "Category", "Product", "Type", "City")
_AMOUNTS = (
    "Amount",
    "Share (%)",
    "Number",
    "Value",
    "Sales",
    "Population",
    "Score",
    "Rate",
    "Price",
    "Total",
    "Cost",
)


@dataclass(frozen=True)
class ChartData:
    """One chart's content.

    Attributes:
        kind: how it is drawn; "bar" is grouped where there are several series.
        title, source, x_title, y_title: empty where absent.
        categories: names along the axis, or of the slices; empty for "scatter".
        series: their names; one empty name if there is a single series without a legend.
        values: numbers, a tuple for each series in the order of the categories or points.
        xs: for "scatter" the points' other coordinate, a tuple for each series; otherwise empty.
        decimals: of all numbers when written.
        suffix: after each number, "" or "%".
        thousands: whether thousands are parted by commas.
        printed: whether the chart writes its numbers beside what it draws.
    """

    kind: ChartKind
    title: str
    source: str
    x_title: str
    y_title: str
    categories: tuple[str, ...]
    series: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    xs: tuple[tuple[float, ...], ...]
    decimals: int
    suffix: str
    thousands: bool
    printed: bool

    def written(self, value: float) -> str:
        """A number as the chart writes it."""
        text = f"{value:,.{self.decimals}f}" if self.thousands else f"{value:.{self.decimals}f}"
        return text + self.suffix

    def tick(self, value: float) -> str:
        """A number at the numeric axis, in the manner of the others but without trailing zeros."""
        commas = "," if self.thousands else ""
        return f"{round(value, 8):{commas}.10g}{self.suffix}"

    def answer(self) -> str:
        """The truth as one line of JSON."""
        maps: list[dict[str, str]] = []
        for k, row in enumerate(self.values):
            keys = [f"{x:g}" for x in self.xs[k]] if self.xs else self.categories
            maps.append({key: self.written(value) for key, value in zip(keys, row, strict=True)})
        values = maps[0] if self.series == ("",) else dict(zip(self.series, maps, strict=True))
        heads = {name: getattr(self, name) or "None" for name in ("title", "source", "x_title", "y_title")}
        return json.dumps({**heads, "values": values}, ensure_ascii=False)


def random_chart(
    rng: np.random.Generator, pool: TextPool, kinds: tuple[ChartKind, ...] = CHART_KINDS
) -> ChartData:
    """Makes up a chart with words from a pool."""
    kind = kinds[int(rng.integers(len(kinds)))]
    series_count = 1 if kind == "pie" else int(rng.choice([1, 1, 2, 3]))
    if kind == "stacked":
        series_count = int(rng.integers(2, 5))
    if kind == "line":
        series_count = int(rng.integers(1, 5))
    most = {"pie": 8, "stacked": 8, "line": 12, "barh": 9, "bar": 10, "scatter": 14}[kind]
    count = int(rng.integers(2 if kind in ("bar", "barh") else 3, most // (1 if series_count < 3 else 2) + 1))
    printed = kind == "pie" or (kind != "scatter" and bool(rng.random() < 0.6))
    if kind == "line" and series_count > 2:
        printed = False  # so many numbers find no room between the lines
    decimals, suffix, thousands, rows = _numbers(rng, kind, series_count, count, printed)
    xs: tuple[tuple[float, ...], ...] = ()
    if kind == "scatter":
        reach = int(rng.choice([20, 50, 100]))
        steps = [np.sort(rng.permutation(reach)[:count]) for _ in range(series_count)]
        xs = tuple(tuple(float(x) for x in row) for row in steps)
        xs, rows = _apart(xs, rows)
    named = series_count > 1 or (kind != "pie" and rng.random() < 0.15)
    with_axes = kind != "pie"
    return ChartData(
        kind=kind,
        title=_title(rng, pool) if rng.random() < 0.9 else "",
        source=_words(rng, pool, 1, 4) if rng.random() < 0.4 else "",
        x_title=_axis(rng, pool, _AXES) if with_axes and rng.random() < 0.6 else "",
        y_title=_axis(rng, pool, _AMOUNTS) if with_axes and rng.random() < 0.6 else "",
        categories=() if kind == "scatter" else _categories(rng, pool, kind, count),
        series=_distinct(rng, pool, series_count) if named else ("",),
        values=tuple(tuple(row) for row in rows),
        xs=xs,
        decimals=decimals,
        suffix=suffix,
        thousands=thousands,
        printed=printed,
    )


def nice_ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round numbers, evenly spaced, that span `low` to `high`: steps of 1, 2 or 5 times a power of ten."""
    step = (high - low) / about
    power = 10.0 ** math.floor(math.log10(step))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def _numbers(
    rng: np.random.Generator, kind: ChartKind, series: int, count: int, printed: bool
) -> tuple[int, str, bool, list[list[float]]]:
    """Decimals, suffix, thousands and the numbers themselves."""
    if kind == "pie":
        shares = rng.dirichlet(np.full(count, 3.0)) * 100
        if rng.random() < 0.6:
            decimals = int(rng.integers(0, 3))
            return decimals, "%", False, [[round(float(v), decimals) for v in _at_least(shares, 2.5)]]
        total = float(rng.choice([50, 300, 5000]))
        return (
            0,
            "",
            bool(rng.random() < 0.5),
            [[float(round(v * total / 100)) for v in _at_least(shares, 2.5)]],
        )
    size = float(rng.choice([1, 10, 100, 100, 1000, 10_000, 1e6], p=[0.05, 0.2, 0.25, 0.2, 0.15, 0.1, 0.05]))
    size *= float(rng.uniform(0.3, 1))
    rows = [_row(rng, kind, count) * size for _ in range(series)]
    # Without printed numbers a reader can tell about a hundredth of the axis.
    places = -math.floor(math.log10(size)) + (int(rng.integers(0 if size > 20 else 1, 3)) if printed else 1)
    decimals = int(np.clip(places, 0, 2)) if printed else max(0, places)
    suffix = "%" if size <= 100 and rng.random() < 0.15 else ""
    return (
        decimals,
        suffix,
        bool(size > 1000 and rng.random() < 0.6),
        [[round(float(v), places if not printed else decimals) + 0.0 for v in row] for row in rows],
    )


def _apart(
    xs: tuple[tuple[float, ...], ...], rows: list[list[float]]
) -> tuple[tuple[tuple[float, ...], ...], list[list[float]]]:
    """The points without those that a neighbour's marker would hide, two at least of each series."""
    wide = max(x for row in xs for x in row) or 1
    high = max(abs(y) for row in rows for y in row) or 1
    seen: list[tuple[float, float]] = []
    kept: list[list[tuple[float, float]]] = []
    for row_x, row_y in zip(xs, rows, strict=True):
        kept.append([])
        for x, y in zip(row_x, row_y, strict=True):
            if all(math.hypot((x - a) / wide, (y - b) / high) > 0.05 for a, b in seen) or len(kept[-1]) < 2:
                kept[-1].append((x, y))
                seen.append((x, y))
    return tuple(tuple(x for x, _ in row) for row in kept), [[y for _, y in row] for row in kept]


def _row(rng: np.random.Generator, kind: ChartKind, count: int) -> np.ndarray:
    """float (count,): a series within -1 to 1, mostly positive."""
    if kind == "line":
        walk = np.cumsum(rng.normal(0, 1, count))
        low, high = np.sort(rng.uniform(0.05, 1, 2)) if rng.random() < 0.85 else (-rng.uniform(0.1, 1), 1)
        return low + (high - low) * (walk - walk.min()) / (walk.max() - walk.min())
    row = rng.uniform(0.08, 1, count)
    if kind in ("bar", "barh") and rng.random() < 0.08:
        row *= rng.choice([-1, 1], count)
    return row


def _at_least(shares: np.ndarray, least: float) -> np.ndarray:
    """Shares of a hundred, none smaller than `least`."""
    raised = np.maximum(shares, least)
    return raised * 100 / raised.sum()


def _categories(rng: np.random.Generator, pool: TextPool, kind: ChartKind, count: int) -> tuple[str, ...]:
    what = rng.choice(["years", "months", "quarters", "countries", "words", "ages", "letters"])
    if kind == "line" and what in ("countries", "letters"):
        what = "years"
    if what == "years":
        first, step = int(rng.integers(1950, 2022 - count)), int(rng.choice([1, 1, 1, 2, 5]))
        return tuple(str(first + step * k) for k in range(count))
    if what == "months" and count <= 12:
        first = int(rng.integers(0, 13 - count))
        return _MONTHS[first : first + count]
    if what == "quarters" and count <= 8:
        return tuple(f"Q{k % 4 + 1} {2015 + k // 4}" if count > 4 else f"Q{k + 1}" for k in range(count))
    if what == "ages":
        step = int(rng.choice([5, 10]))
        return tuple(f"{step * k}-{step * (k + 1) - 1}" for k in range(1, count + 1))
    if what == "letters":
        return tuple("ABCDEFGHIJKLMNOP"[:count])
    if what == "countries":
        return tuple(str(name) for name in rng.permutation(_COUNTRIES)[:count])
    return _distinct(rng, pool, count)


def _distinct(rng: np.random.Generator, pool: TextPool, count: int) -> tuple[str, ...]:
    """Different short names."""
    names: list[str] = []
    for _ in range(20 * count):
        name = _words(rng, pool, 1, 2)[:16].strip()
        if len(names) == count:
            break
        if len(name) > 2 and name not in names:
            names.append(name)
    return tuple(names + [f"Group {k + 1}" for k in range(count - len(names))])


def _title(rng: np.random.Generator, pool: TextPool) -> str:
    title = _words(rng, pool, 2, 8)
    if rng.random() < 0.3:
        title += f", {rng.integers(1960, 2025)}"
    return title.title() if rng.random() < 0.3 else title


def _axis(rng: np.random.Generator, pool: TextPool, common: tuple[str, ...]) -> str:
    return str(rng.choice(common)) if rng.random() < 0.6 else _words(rng, pool, 1, 3)


def _words(rng: np.random.Generator, pool: TextPool, fewest: int, most: int) -> str:
    """Some words without punctuation, the first with a capital."""
    text = pool.words(rng, int(rng.integers(fewest, most + 1)))
    clean = " ".join(word for word in re.sub(r"[^\w\s'-]|_", " ", text).split() if word[0].isalnum())
    return clean[:1].upper() + clean[1:] if clean else "Data"
