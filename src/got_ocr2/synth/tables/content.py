"""Random tables: what stands in them and how they are ruled."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from ..formulas.grammar import FormulaGrammar
from ..markup import math_notation as mx
from ..markup.document import Runs, runs_width
from ..markup.tabular import Align, Cell, Rule, TableStyle, Tabular

Ruling = Literal["grid", "booktabs", "rows", "header", "box", "bare"]

_RULINGS: dict[Ruling, float] = {"grid": 3, "booktabs": 4, "rows": 1.5, "header": 2, "box": 1.5, "bare": 0.4}
_COLUMN_KINDS = (
    ("words", 3), ("integer", 3), ("decimal", 5), ("percent", 2), ("deviation", 1.5), ("formula", 1),
    ("code", 1), ("money", 1), ("year", 1), ("mark", 0.7), ("scientific", 0.8),
)  # fmt: skip
_ALIGN: dict[str, str] = {"words": "llc", "code": "lcc", "formula": "lcc", "mark": "c"}
_UNITS = ("ms", "s", "%", "kg", "km", "mm", "USD", "GB", "dB", "eV", "K", "MHz", "m/s", "n")
_MARKS = ("yes", "no", "+", "–", "A", "B", "C", "n/a", "high", "low")
_ABSENT = ("", "", "", "–", "-", "n/a", "?")
_TOTALS = ("Total", "Mean", "Average", "Sum", "All", "Overall")
_MATH_SHARE = 0.12


class TableContent:
    """Makes tables; the same `rng` states give the same tables.

    Args:
        rng: source of randomness.
        words: gives so many words of running text.
        grammar: gives formulas for cells.
    """

    def __init__(self, rng: random.Random, words: Callable[[int], str], grammar: FormulaGrammar) -> None:
        self._rng = rng
        self._words = words
        self._grammar = grammar

    def table(self, max_width: float, max_rows: int = 14) -> Tabular:
        """A table about `max_width` em wide at most, of 2 to `max_rows` rows with its header."""
        rng = self._rng
        ruling = rng.choices(tuple(_RULINGS), tuple(_RULINGS.values()))[0]
        kinds = self._kinds(max_width)
        body = rng.randint(1, max(1, min(rng.choice((5, 8, 12, 20)), max_rows - 2)))
        labels = rng.random() < 0.7
        if labels:
            kinds[0] = "words"
        formats = [self._format(kind) for kind in kinds]
        grid: list[list[Cell | None]] = [
            [Cell(self._cell(kind, form)) for kind, form in zip(kinds, formats, strict=True)]
            for _ in range(body)
        ]
        header = (
            self._header(kinds, grouped=len(kinds) >= 3 and rng.random() < 0.3) if rng.random() < 0.93 else []
        )
        top, inner, section = len(header), dict[int, int](), 0
        rows = header + grid
        if labels and body >= 4 and len(kinds) >= 3 and rng.random() < 0.25:
            inner = self._group_rows(rows, top)
        elif body >= 4 and len(kinds) >= 3 and ruling != "bare" and rng.random() < 0.12:
            section = top + rng.randint(1, body - 2)
            self._section_row(rows, section)
        totals = labels and body >= 3 and not inner and not section and rng.random() < 0.2
        if totals:
            rows[-1][0] = Cell((rng.choice(_TOTALS),), bold=True)
        align = "".join(rng.choice(_ALIGN.get(kind, "rrc")) for kind in kinds)
        if rng.random() < 0.3:
            align = align[0] + "c" * (len(align) - 1)
        rules = self._rules(ruling, rows, top, inner, {section, section + 1} if section else set())
        if totals and ruling != "bare":
            rules[-2] = (Rule(0, len(kinds)),)
        cells = tuple(tuple(row) for row in rows)
        return Tabular(align, self._bars(ruling, len(kinds)), tuple(rules), cells, header=top)

    def style(self) -> TableStyle:
        """A look for tables."""
        rng = self._rng
        light = rng.choice((0.4, 0.5, 0.6, 0.8, 1.0))
        style = TableStyle(
            rng.uniform(0.4, 1.1), rng.uniform(0.25, 0.65), light, max(light, rng.choice((0.8, 1.0, 1.3)))
        )
        if rng.random() < 0.15:
            style = replace(style, ink=rng.choice(("#444444", "#808080", "#1f3a6e", "#5b1f1f")))
        if rng.random() < 0.2:
            style = replace(style, header_fill=rng.choice(("#e8e8e8", "#dce6f1", "#f2e6d8", "#e3f0e0")))
        if rng.random() < 0.1:
            style = replace(style, stripe_fill=rng.choice(("#f3f3f3", "#eef3fa")))
        return style

    # Columns and cells

    def _kinds(self, max_width: float) -> list[str]:
        """Kinds of columns, as many as fit."""
        wanted = self._rng.choice((2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8))
        kinds: list[str] = []
        room = max_width
        for _ in range(wanted):
            kind = self._rng.choices(
                [name for name, _ in _COLUMN_KINDS], [weight for _, weight in _COLUMN_KINDS]
            )[0]
            room -= 8.0 if kind in ("words", "formula", "deviation", "scientific") else 5.5
            if room < 0 and len(kinds) >= 2:
                break
            kinds.append(kind)
        return kinds

    def _format(self, kind: str) -> tuple[int, float]:
        """Digits after the point, or words a cell; and the size of the numbers: what a column has in common."""
        digits = self._rng.choice((1, 2, 2, 3, 4)) if kind != "words" else self._rng.choice((1, 1, 2, 2, 3))
        return digits, self._rng.choice((1.0, 10.0, 100.0, 100.0, 1000.0, 100000.0))

    def _cell(self, kind: str, form: tuple[int, float]) -> Runs:
        rng, (digits, scale) = self._rng, form
        if kind != "words" and rng.random() < 0.04:
            absent = rng.choice(_ABSENT)
            return (absent,) if absent else ()
        if kind == "words":
            return (self._words(rng.randint(1, digits)),)
        if kind == "integer":
            value = rng.randint(0, int(scale * 10))
            return (f"{value:,}" if scale >= 1000 and digits > 2 else str(value),)
        if kind == "decimal":
            sign = "-" if rng.random() < 0.06 else ""
            return (f"{sign}{rng.uniform(0, min(scale, 1000)):.{digits}f}",)
        if kind == "percent":
            return (f"{rng.uniform(0, 100):.{min(digits, 2)}f}%",)
        if kind == "deviation":
            mean = mx.number(f"{rng.uniform(0, 100):.{digits}f}")
            return (mx.binary(mean, "pm", mx.number(f"{rng.uniform(0, 5):.{digits}f}")),)
        if kind == "scientific":
            power = (
                mx.join(mx.symbol("-"), mx.number(str(rng.randint(1, 12))))
                if digits > 1
                else mx.number(str(rng.randint(2, 12)))
            )
            ten = mx.scripts(mx.number("10"), sup=power)
            return (mx.binary(mx.number(f"{rng.uniform(1, 10):.{digits}f}"), "times", ten),)
        if kind == "formula":
            return (self._grammar.inline(6.0),)
        if kind == "code":
            return (
                "".join(rng.choice("ABCDEFGHKMNPRSTXZ") for _ in range(digits)) + f"-{rng.randint(1, 999)}",
            )
        if kind == "money":
            return (f"${rng.uniform(0, scale * 10):,.2f}",)
        if kind == "year":
            return (str(rng.randint(1900, 2029)),)
        return (rng.choice(_MARKS),)

    # Header

    def _title(self, kind: str) -> Runs:
        rng = self._rng
        if kind != "words" and rng.random() < _MATH_SHARE:
            return (self._grammar.inline(4.0),)
        words = self._words(1 if kind != "words" or rng.random() < 0.6 else 2)
        words = words[:1].upper() + words[1:]
        if kind not in ("words", "code", "mark", "formula") and rng.random() < 0.2:
            words += f" ({rng.choice(_UNITS)})"
        return (words,)

    def _header(self, kinds: list[str], grouped: bool) -> list[list[Cell | None]]:
        bold = self._rng.random() < 0.4
        if not grouped:
            return [[Cell(self._title(kind), bold=bold) for kind in kinds]]
        above: list[Cell | None] = []
        below: list[Cell | None] = []
        column = 0
        while column < len(kinds):
            span = min(self._rng.choice((1, 2, 2, 3)) if column else 1, len(kinds) - column)
            if span == 1:
                above.append(Cell(self._title(kinds[column]), rows=2, bold=bold))
                below.append(None)
            else:
                above += [
                    Cell(self._title("words"), columns=span, align="c", bold=bold),
                    *[None] * (span - 1),
                ]
                below += [Cell(self._title(kind), bold=bold) for kind in kinds[column : column + span]]
            column += span
        return [above, below] if any(below) else [[replace(cell, rows=1) for cell in above if cell]]

    # Larger cells

    def _group_rows(self, rows: list[list[Cell | None]], top: int) -> dict[int, int]:
        """Lets cells of the first column stand for several rows; returns, row by row, where inner rules begin."""
        inner: dict[int, int] = {}
        row = top
        while row < len(rows):
            span = min(self._rng.randint(2, 4), len(rows) - row)
            first = rows[row][0]
            assert first is not None
            rows[row][0] = replace(first, rows=span)
            for below in range(row + 1, row + span):
                rows[below][0] = None
                inner[below] = 1
            row += span
        return inner

    def _section_row(self, rows: list[list[Cell | None]], row: int) -> None:
        columns = len(rows[row])
        align: Align = self._rng.choice(("l", "c"))
        bold = self._rng.random() < 0.5
        rows[row] = [
            Cell((self._words(2),), columns=columns, align=align, bold=bold),
            *[None] * (columns - 1),
        ]

    # Rules

    def _bars(self, ruling: Ruling, columns: int) -> frozenset[int]:
        if ruling == "grid":
            return frozenset(range(columns + 1))
        if ruling == "header":
            inside = range(1, columns) if self._rng.random() < 0.6 else (1,)
            return frozenset(inside)
        return frozenset((0, columns)) if ruling == "box" else frozenset()

    def _rules(
        self,
        ruling: Ruling,
        rows: list[list[Cell | None]],
        top: int,
        inner: dict[int, int],
        apart: set[int],
    ) -> list[tuple[Rule, ...]]:
        """The rules above each row and below the last; `apart` names rows that always have one above."""
        columns, last = len(rows[0]), len(rows)
        whole, heavy = (Rule(0, columns),), (Rule(0, columns, heavy=True),)
        rules: list[tuple[Rule, ...]] = [()] * (last + 1)
        if ruling == "bare":
            return rules
        edges = heavy if ruling == "booktabs" else whole
        if ruling != "header":
            rules[0] = rules[last] = edges
        if top:
            rules[top] = whole
        if top == 2:
            rules[1] = _under_groups(rows[0])
        for row in range(top + 1, last):
            if ruling in ("grid", "rows"):
                rules[row] = (Rule(inner[row], columns),) if row in inner else whole
            elif row in apart or (inner and row not in inner):
                rules[row] = whole
        return rules


def _under_groups(header: list[Cell | None]) -> tuple[Rule, ...]:
    """Rules under the cells of the upper header row that cover several columns."""
    return tuple(
        Rule(column, column + cell.columns)
        for column, cell in enumerate(header)
        if cell is not None and cell.columns > 1
    )


def table_width(table: Tabular, style: TableStyle) -> float:
    """Rough width in em, from the longest cell of each column."""
    widest = [0.0] * table.columns
    for _, column, cell in table.cells():
        if cell.columns == 1:
            widest[column] = max(widest[column], runs_width(cell.runs))
    return sum(widest) + 2 * style.inset_x * table.columns
