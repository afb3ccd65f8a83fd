"""A chart as data: series of numbers over categories, with titles."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal as OneOf
from typing import get_args

from ...errors import InvalidOptionError, RenderError
from ..problems import Problem, refuse
from .literal import Literal, read_dict

Look = OneOf["auto", "bar", "barh", "stacked", "line", "pie", "scatter"]
HEADS = ("title", "source", "x_title", "y_title")
_MOST = 20_000  # numbers
_LONGEST_NAME = 300  # characters
_VALUE = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,2})?")
_DIGITS = re.compile(r"\d")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+")
_IN_ORDER = re.compile(
    r"(?:1[5-9]|20)\d\d(?:\s*[-/–]\s*\d{1,4})?|(?:FY\s*)?'?\d\d|Q[1-4](?:[ -]\d{2,4})?|\d{4}[ -]?Q[1-4]|"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?(?:[ -]\d{2,4})?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True)
class Amount:
    """A number as it was written, such as "1,234.5%", and what it is: 1234.5."""

    text: str
    value: float


@dataclass(frozen=True)
class Series:
    """Numbers under a name, empty for the only series of a chart; categories in the order of the text."""

    name: str
    amounts: dict[str, Amount | None]


@dataclass(frozen=True)
class Chart:
    """A chart; `title`, `source`, `x_title` and `y_title` are empty where it has none."""

    title: str
    source: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    problems: tuple[Problem, ...]

    @property
    def categories(self) -> tuple[str, ...]:
        """Of all series, each once."""
        return tuple(dict.fromkeys(name for one in self.series for name in one.amounts))

    def answer(self) -> str:
        """The dictionary again, as JSON."""
        maps = [
            {name: "None" if amount is None else amount.text for name, amount in one.amounts.items()}
            for one in self.series
        ]
        only = len(maps) == 1 and not self.series[0].name
        values = maps[0] if only else {one.name: row for one, row in zip(self.series, maps, strict=True)}
        heads = {name: getattr(self, name) or "None" for name in HEADS}
        return json.dumps({**heads, "values": values}, ensure_ascii=False)


def parse_chart(text: str, *, strict: bool = False) -> Chart:
    """Reads what the model wrote for a chart.

    Args:
        text: `{"title", "source", "x_title", "y_title", "values"}` as JSON or Python write it; `values` maps categories
            to numbers, or names of series to such maps or to lists. A dictionary without `values` is taken for them.
        strict: raise on a problem.

    Raises:
        RenderError: there is no number in it, or more than 20,000; what `literal.read_dict` raises; or `strict` and a
            problem.
    """
    read = read_dict(text)
    problems = list(read.problems)
    if strict:
        refuse("chart", problems)
    content = dict(read.value)
    heads = {name: _name(content.pop(name, None)) for name in HEADS}
    heads = {name: "" if text == "None" else text for name, text in heads.items()}
    values = next(
        (content.pop(key) for key in ("values", "data") if isinstance(content.get(key), (dict, list))), None
    )

    def say(reason: str) -> None:
        problems.append(Problem(1, None, reason))

    if values is None:
        values, content = content, {}
    for key in content:
        say(f"{key[:40]!r} has no place in a chart; it was left out")
    series = _told_apart(_series(values, say), say)
    if not any(amount for one in series for amount in one.amounts.values()):
        raise RenderError("This chart has no numbers.")
    if (count := sum(len(one.amounts) for one in series)) > _MOST:
        raise RenderError(f"A chart has at most {_MOST:,} numbers, got {count:,}.")
    if strict:
        refuse("chart", problems)
    return Chart(**heads, series=tuple(series), problems=tuple(problems))


def look_of(chart: Chart, look: str = "auto") -> str:
    """How to draw a chart. Its dictionary does not say, so "auto" guesses.

    A pie where one series adds up to 100 %; points where names are numbers that are no years and run unevenly; a line
    where they are dates in a row; bars otherwise.

    Raises:
        InvalidOptionError: there is no such look, or these numbers cannot be drawn so.
    """
    if look not in get_args(Look):
        raise InvalidOptionError(f"A chart's look is one of {', '.join(get_args(Look))}, got {look!r}.")
    names = chart.categories
    numbers = [number_in(name) for name in names]
    amounts = [amount for one in chart.series for amount in one.amounts.values() if amount is not None]
    if look == "scatter" and None in numbers:
        raise InvalidOptionError("A scatter chart needs categories that are numbers.")
    if look == "pie" and (len(chart.series) > 1 or any(amount.value < 0 for amount in amounts)):
        raise InvalidOptionError("A pie chart shows one series without negative numbers.")
    if look != "auto":
        return look
    shares = len(chart.series) == 1 < len(amounts) and all(
        a.text.endswith("%") and a.value >= 0 for a in amounts
    )
    if shares and abs(sum(a.value for a in amounts) - 100) < 1.5:
        return "pie"
    if len(names) > 2 and all(map(_IN_ORDER.fullmatch, names)):
        return "line"
    known = [number for number in numbers if number is not None]
    if len(known) == len(names) > 2:
        own = [set(one.amounts) for one in chart.series]
        return "scatter" if any(one != own[0] for one in own) or not _even(sorted(known)) else "line"
    return "bar"


def number_in(text: str) -> float | None:
    """The number in a cell, its unit, currency and commas left out; None where there is none, or several."""
    found = [match.group() for match in _VALUE.finditer(text) if _DIGITS.search(match.group())]
    if len(found) != 1:
        return None
    value = float(found[0].replace(",", "").replace("−", "-"))
    return value if abs(value) < 1e30 else None


def _even(numbers: list[float]) -> bool:
    steps = [b - a for a, b in pairwise(numbers)]
    return max(steps) - min(steps) < 1e-6 * max(map(abs, numbers))


def _name(value: Literal) -> str:
    text = "" if value is None or isinstance(value, (dict, list)) else value
    text = _UNSEEN.sub(" ", text).strip()
    return text[:_LONGEST_NAME]


def _told_apart(series: list[Series], say: Callable[[str], None]) -> list[Series]:
    """Series of one name get a number behind it: a dictionary has room for one of each."""
    names: set[str] = set()
    found: list[Series] = []
    for one in series:
        name, count = one.name, 1
        while name in names:
            count += 1
            name = f"{one.name} ({count})".strip()
        if count > 1:
            say(f"two series are called {one.name[:40]!r}; one is now {name[:40]!r}")
        names.add(name)
        found.append(replace(one, name=name))
    return found


def _series(values: Literal, say: Callable[[str], None]) -> list[Series]:
    if isinstance(values, list):
        values = {"": values}
    assert isinstance(values, dict)
    single: dict[str, Literal] = {}
    found: list[Series] = []
    for key, value in values.items():
        if isinstance(value, list):
            value = {str(number): one for number, one in enumerate(value, 1)}
        if isinstance(value, dict):
            found.append(Series(_name(key), _amounts(value, say)))
        else:
            single[key] = value
    if single:
        found.insert(0, Series("", _amounts(single, say)))
    return [one for one in found if one.amounts]


def _amounts(row: dict[str, Literal], say: Callable[[str], None]) -> dict[str, Amount | None]:
    amounts: dict[str, Amount | None] = {}
    for key, written in row.items():
        name = _name(key) or key[:_LONGEST_NAME].strip() or "-"
        if isinstance(written, (dict, list)):
            say(f"{name[:40]!r} holds more than a number; it was left out")
            continue
        text = _name(written)
        value = number_in(text)
        if value is None and text and text.lower() not in {"nan", "n/a", "-", "–", "none"}:
            say(f"{text[:40]!r} at {name[:40]!r} is no number; it was left out")
        amounts[name] = None if value is None else Amount(text, value)
    return amounts
