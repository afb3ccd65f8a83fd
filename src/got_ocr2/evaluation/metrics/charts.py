"""Charts compared as sets of numbers: SCRM of StructChart (arXiv 2309.11268) as OneChart's ChartSE scores it.

A chart is a set of triples (entity, series, number). A written triple is right when its names differ from
those of a true one by few edits (or one contains the other) and its number by a small share. The agreement of
two charts is |right| / |union|, and the average precision (AP) of a set is the share of charts whose
agreement reaches a threshold, averaged over the thresholds .50, .55, ... .95. The paper's table 5 gives it at
three tolerances.

Three of ChartSE's accidents are not repeated: its thresholds are rounded numbers that an agreement of exactly
0.6 fails, it pairs the n-th triples of both charts to decide how their names are ordered, and it leaves out
charts whose answer cannot be parsed (here they score 0, which is its "AP times the share of parsed answers").
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

from .edit_distance import levenshtein

_STEPS = 20  # thresholds are 10/20, 11/20 ... 19/20, exact
_NO_SERIES = "value"


class Triple(NamedTuple):
    """One number of a chart.

    Attributes:
        entity, series: where it stands, lower case; the series is "value" in a chart that names none.
        number: the number, or the text that stands in its place.
    """

    entity: str
    series: str
    number: float | str

    @property
    def names(self) -> str:
        """Both names as one string; which of them is the entity is a matter of taste and does not count."""
        return "".join(sorted((self.entity, self.series)))


@dataclass(frozen=True)
class Tolerance:
    """How far a triple may be off.

    Attributes:
        edits: edits of the names.
        share: difference of the number, as a share of the true one.
    """

    edits: int
    share: float


TOLERANCES = {"strict": Tolerance(0, 0.0), "slight": Tolerance(2, 0.05), "high": Tolerance(5, 0.10)}


def parse_chart(text: str) -> dict[str, Any] | None:
    """The dict a model wrote for a chart, as JSON or as a Python literal; None where it is neither.

    Closing braces that a cut answer lacks are added, as ChartSE does.
    """
    source = text.strip()
    source += "}" * max(0, source.count("{") - source.count("}"))
    for read in (json.loads, _python_literal):
        try:
            chart = read(source)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        if isinstance(chart, dict):
            return chart
    return None


def triples(chart: dict[str, Any]) -> set[Triple]:
    """The numbers of a chart's `values` (or `data`), or of the dict itself where it has neither."""
    values = chart.get("values", chart.get("data", chart))
    found: set[Triple] = set()
    if not isinstance(values, dict):
        return found
    for entity, value in values.items():
        inner = value if isinstance(value, dict) else {_NO_SERIES: value}
        for series, number in inner.items():
            found.add(Triple(str(entity).strip().lower(), str(series).strip().lower(), _number(number)))
    return found


def agreement(prediction: set[Triple], truth: set[Triple], tolerance: Tolerance) -> tuple[int, int]:
    """How many written triples are right, and the size of the union in which near misses count once."""
    if all(t.series == _NO_SERIES for t in truth):
        # A chart with one series needs no name for it; what the model calls it is not counted.
        prediction = {t._replace(series=_NO_SERIES) for t in prediction}
    known = {(t.names, t.number) for t in truth}
    right = {p for p in prediction if any(_close(p, t, tolerance) for t in truth)}
    exact = sum((p.names, p.number) in known for p in prediction)
    near = sum((p.names, p.number) not in known for p in right)
    return len(right), len(prediction) + len(truth) - exact - near


def chart_precision(prediction: str, truth: str, tolerance: Tolerance) -> float:
    """The share of the ten thresholds that this chart's agreement reaches; its mean over charts is the AP.

    A prediction that cannot be parsed scores 0; so does one that has no number where the truth has some.
    """
    found, right = parse_chart(prediction), parse_chart(truth)
    if found is None or right is None:
        return 0.0
    intersection, union = agreement(triples(found), triples(right), tolerance)
    if union == 0:
        return 1.0
    return sum(_STEPS * intersection >= step * union for step in range(_STEPS // 2, _STEPS)) / (_STEPS // 2)


def _python_literal(source: str) -> Any:
    with warnings.catch_warnings():
        # Python comments on what a model writes, such as odd escapes.
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.literal_eval(source)


def _number(value: Any) -> float | str:
    """The number in a cell, units and signs of currency dropped; the text where there is none."""
    digits = re.sub(r"[^\d.-]", "", str(value))
    try:
        return float(digits)
    except ValueError:
        return digits


def _close(a: Triple, b: Triple, tolerance: Tolerance) -> bool:
    left, right = a.names, b.names
    if isinstance(a.number, str) or isinstance(b.number, str):
        return levenshtein(f"{left}{a.number}", f"{right}{b.number}") <= tolerance.edits
    # The small number keeps a true 0 from dividing, as in ChartSE.
    if abs(a.number - b.number) / (abs(b.number) + 1e-6) > tolerance.share:
        return False
    return left in right or right in left or levenshtein(left, right) <= tolerance.edits
