"""olmOCR-bench's facts: small statements about a page's text that are right or wrong.

arXiv 2502.18443, section "olmOCR-Bench", and its scorer. Types: `present` and `absent` (a string is, or is
not, in the text, up to `max_diffs` edits), `order` (one string before another), `table` (a cell and its
neighbours), `math` (a formula), `baseline` (the text is not blank, not a loop, and in the expected scripts).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ...errors import InputError
from ...extras import need
from .formatted import formulas
from .formulas import normalise
from .tables import Cell, Table, read_tables

TYPES = ("present", "absent", "order", "table", "math", "baseline")

_MOST_REPEATS = 30
_LONGEST_LOOP = 5
_UNEXPECTED = re.compile(
    "[\u3040-\u30ff\u4e00-\u9fff\U0001f1e0-\U0001f1ff\U0001f300-\U0001f64f\U0001f680-\U0001f6ff]"
)
_SAME = str.maketrans(
    {**dict.fromkeys("‘’‚", "'"), **dict.fromkeys("“”„", '"'), "＿": "_", "µ": "μ"}
    | dict.fromkeys("–—‑‒−", "-")
)


@dataclass(frozen=True)
class Fact:
    """One statement.

    Attributes:
        id: its name.
        pdf: file below `pdfs/`.
        page: page of the PDF, from 1.
        type: one of `TYPES`.
        max_diffs: edits allowed.
        details: the fields of its type, as published: `text`, `case_sensitive`, `first_n`, `last_n`;
            `before`, `after`; `cell`, `up`, `down`, `left`, `right`, `top_heading`, `left_heading`; `math`;
            `max_length`.
    """

    id: str
    pdf: str
    page: int
    type: str
    max_diffs: int = 0
    details: dict[str, Any] = field(default_factory=dict)

    def holds(self, text: str) -> bool:
        """Whether the statement is true of what was read.

        Raises:
            MissingDependencyError: rapidfuzz or fuzzysearch is not installed.
        """
        return _JUDGES[self.type](self, text)


def fact_from(line: dict[str, Any], where: str) -> Fact:
    """A fact from a line of the benchmark.

    Raises:
        InputError: an unknown type, or a field that its type needs is missing.
    """
    kind = line.get("type")
    if kind not in TYPES:
        raise InputError(f"{where} is a fact of type {kind!r}; those known here are {', '.join(TYPES)}.")
    needed = {"present": ("text",), "absent": ("text",), "order": ("before", "after"), "table": ("cell",)}
    for name in ("id", "pdf", "page", *needed.get(kind, ("math",) if kind == "math" else ())):
        if name not in line:
            raise InputError(f"{where} is a fact of type {kind!r} without {name!r}.")
    details = {k: v for k, v in line.items() if k not in ("id", "pdf", "page", "type", "max_diffs")}
    return Fact(line["id"], line["pdf"], int(line["page"]), kind, int(line.get("max_diffs") or 0), details)


def plain(text: str) -> str:
    """The text as the benchmark compares it: no emphasis, one kind of quote and dash, one line."""
    text = re.sub(r"<br\s*/?>", " ", text)
    text = re.sub(r"</?[bi]>", "", text)
    text = re.sub(r"(\*\*|__)(.*?)\1", r"\2", text)
    text = re.sub(r"(\*|_)(.*?)\1", r"\2", text)
    return unicodedata.normalize("NFC", re.sub(r"\s+", " ", text)).translate(_SAME)


def _present(fact: Fact, text: str) -> bool:
    wanted, page = plain(fact.details["text"]), plain(text)
    # `case_sensitive` is true unless the fact says otherwise.
    if fact.details.get("case_sensitive") is False:
        wanted, page = wanted.lower(), page.lower()
    first, last = fact.details.get("first_n"), fact.details.get("last_n")
    if first and last:
        page = page[:first] + page[-last:]
    elif first:
        page = page[:first]
    elif last:
        page = page[-last:]
    if len(page) < len(wanted) - fact.max_diffs:
        return False  # `partial_ratio` would look for the page in the string instead
    ratio = need("rapidfuzz.fuzz", "Judging facts", extra="eval").partial_ratio(wanted, page) / 100
    return ratio >= 1 - fact.max_diffs / max(1, len(wanted))


def _absent(fact: Fact, text: str) -> bool:
    return not _present(fact, text)


def _order(fact: Fact, text: str) -> bool:
    page = plain(text)
    near = need("fuzzysearch", "Judging the order of facts", extra="eval").find_near_matches
    before = near(plain(fact.details["before"]), page, max_l_dist=fact.max_diffs)
    after = near(plain(fact.details["after"]), page, max_l_dist=fact.max_diffs)
    return bool(before and after) and min(m.start for m in before) < max(m.start for m in after)


def _table(fact: Fact, text: str) -> bool:
    return any(_in_table(fact, table) for table in read_tables(text))


def _in_table(fact: Fact, table: Table) -> bool:
    """Whether a cell like the fact's stands in the table with the neighbours the fact names."""
    grid = table.grid()
    height = 1 + max((r for r, _ in grid), default=-1)
    width = 1 + max((c for _, c in grid), default=-1)

    def beside(row: int, column: int, cell: Cell) -> dict[str, list[Cell]]:
        def there(places: Iterable[tuple[int, int]]) -> list[Cell]:
            return [grid[p] for p in places if p in grid and grid[p] is not cell]

        above = there((r, column) for r in range(row - 1, -1, -1))
        before = there((row, c) for c in range(column - 1, -1, -1))
        return {
            "up": above[:1],
            "down": there((r, column) for r in range(row + 1, height))[:1],
            "left": before[:1],
            "right": there((row, c) for c in range(column + 1, width))[:1],
            "top_heading": _headings(above),
            "left_heading": _headings(before),
        }

    for (row, column), cell in grid.items():
        if not _alike(fact, fact.details["cell"], cell.text):
            continue
        neighbours = beside(row, column, cell)
        asked = {side: fact.details[side] for side in neighbours if fact.details.get(side)}
        if all(any(_alike(fact, asked[s], n.text) for n in neighbours[s]) for s in asked):
            return True
    return False


def _headings(line: list[Cell]) -> list[Cell]:
    """Of the cells on the way to the edge, nearest first: the marked headings, and the last filled one."""
    filled = [cell for cell in line if cell.text]
    return [cell for cell in filled if cell.heading] + filled[-1:]


def _alike(fact: Fact, wanted: str, found: str) -> bool:
    wanted = plain(wanted)
    ratio = need("rapidfuzz.fuzz", "Judging facts", extra="eval").ratio(wanted, plain(found)) / 100
    return ratio >= max(0.5, 1 - fact.max_diffs / max(1, len(wanted)))


def _math(fact: Fact, text: str) -> bool:
    """The formula is one of the page's or part of one, as tokens."""
    wanted = "\x00".join(("", *normalise(fact.details["math"]), ""))
    return any(wanted in "\x00".join(("", *normalise(found), "")) for found in formulas(text))


def _baseline(fact: Fact, text: str) -> bool:
    letters = sum(c.isalnum() for c in text)
    if (most := fact.details.get("max_length")) is not None:
        return letters <= most  # a page that is blank
    if letters == 0 or ends_in_loop(text, fact.details.get("max_repeats") or _MOST_REPEATS):
        return False
    # `check_disallowed_characters` is true unless the fact says otherwise.
    return fact.details.get("check_disallowed_characters") is False or not _UNEXPECTED.search(text)


def ends_in_loop(text: str, most: int) -> bool:
    """Whether the text ends with more than `most` repeats of the same one to five characters."""
    for size in range(1, _LONGEST_LOOP + 1):
        tail = text[-size:]
        if len(tail) == size and text.endswith(tail * (most + 1)):
            return True
    return False


_JUDGES: dict[str, Callable[[Fact, str], bool]] = {
    "present": _present,
    "absent": _absent,
    "order": _order,
    "table": _table,
    "math": _math,
    "baseline": _baseline,
}
