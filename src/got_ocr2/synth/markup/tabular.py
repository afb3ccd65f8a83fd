r"""Tables: one structure, written as LaTeX `tabular` for the truth and as Typst `#table` for the drawing.

A horizontal rule is `\hline` (or `\cline` where it covers some columns only) however heavy it is drawn, and a
vertical one is `|` in the column specification, as in Mathpix's format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Align = Literal["l", "c", "r"]
Write = Callable[[Any], str]

_TYPST_ALIGN = {"l": "left", "c": "center", "r": "right"}


@dataclass(frozen=True)
class Cell:
    """What stands in one cell, which may cover several columns and rows.

    Attributes:
        runs: its text (`document.Runs`), empty for an empty cell.
        columns: how many columns it covers.
        rows: how many rows it covers.
        align: of a cell over several columns; None takes its column's.
        bold: drawn in bold.
    """

    runs: tuple[Any, ...]
    columns: int = 1
    rows: int = 1
    align: Align | None = None
    bold: bool = False


@dataclass(frozen=True)
class Rule:
    """A horizontal rule from column `start` up to, not including, `end`."""

    start: int
    end: int
    heavy: bool = False


@dataclass(frozen=True)
class Tabular:
    """A table.

    Attributes:
        align: one letter a column: "l", "c" or "r".
        bars: places of vertical rules, 0 (left edge) to the number of columns (right edge).
        rules: the horizontal rules above each row and, last, below the table: one more entry than rows.
        grid: rows of cells; a place that a larger cell to the left or above covers holds None.
        header: how many rows at the top are coloured as the header.
    """

    align: str
    bars: frozenset[int]
    rules: tuple[tuple[Rule, ...], ...]
    grid: tuple[tuple[Cell | None, ...], ...]
    header: int = 1

    @property
    def columns(self) -> int:
        return len(self.align)

    def cells(self) -> Iterator[tuple[int, int, Cell]]:
        """Every cell with its row and its first column, in reading order."""
        for row, cells in enumerate(self.grid):
            for column, cell in enumerate(cells):
                if cell is not None:
                    yield row, column, cell

    def text(self, write: Write) -> str:
        """The `tabular` environment; `write` turns runs into the text of a cell."""
        return self.text_and_cells(write)[0]

    def text_and_cells(self, write: Write) -> tuple[str, dict[tuple[int, int], int]]:
        """The `tabular` environment, and where in it the text of the cell at each row and column begins."""
        text = f"\\begin{{tabular}}{{{self._specification()}}}\n"
        starts: dict[tuple[int, int], int] = {}
        for row in range(len(self.grid)):
            rules = self._rules_text(row)
            text += f"{rules} " if rules else ""
            for before, column, body, after in self._row_parts(row, write):
                if column:
                    text += "&" if text.endswith((" ", "\n")) else " &"
                    text += " " if before or body else ""
                starts[row, column] = len(text) + len(before)
                text += before + body + after
            text += " \\\\\n"
        if rules := self._rules_text(len(self.grid)):
            text += f"{rules}\n"
        return text + "\\end{tabular}", starts

    def typst(
        self, write: Write, style: TableStyle, mark: Callable[[int, int, str], str] | None = None
    ) -> str:
        """A Typst `#table`; `write` turns runs into markup, `mark` may wrap the markup of the cell at a place."""
        parts = [
            f"columns: {self.columns}",
            "stroke: none",
            f"inset: (x: {style.inset_x}em, y: {style.inset_y}em)",
            "align: (" + " ".join(f"{_TYPST_ALIGN[letter]} + horizon," for letter in self.align) + ")",
        ]
        if style.header_fill or style.stripe_fill:
            parts.append(f"fill: {self._fill(style)}")
        for row, rules in enumerate(self.rules):
            for rule in rules:
                weight = style.heavy if rule.heavy else style.light
                stroke = f"{weight}pt + rgb({_quoted(style.ink)})"
                parts.append(f"table.hline(y: {row}, start: {rule.start}, end: {rule.end}, stroke: {stroke})")
        for bar in sorted(self.bars):
            parts.append(f"table.vline(x: {bar}, stroke: {style.light}pt + rgb({_quoted(style.ink)}))")
        for row, column, cell in self.cells():
            body = write(cell.runs)
            if cell.bold:
                body = f"#strong[{body}]"
            if mark is not None and cell.runs:
                body = mark(row, column, body)
            place = f"x: {column}, y: {row}, colspan: {cell.columns}, rowspan: {cell.rows}"
            if cell.align is not None:
                place += f", align: {_TYPST_ALIGN[cell.align]} + horizon"
            parts.append(f"table.cell({place})[{body}]")
        return "#table(" + ", ".join(parts) + ")"

    def _specification(self) -> str:
        """Letters of the columns with `|` where vertical rules run."""
        spec = "|" if 0 in self.bars else ""
        for column, letter in enumerate(self.align):
            spec += letter + ("|" if column + 1 in self.bars else "")
        return spec

    def _rules_text(self, row: int) -> str:
        rules = self.rules[row]
        if any(rule.start == 0 and rule.end == self.columns for rule in rules):
            return "\\hline"
        return " ".join(f"\\cline{{{rule.start + 1}-{rule.end}}}" for rule in rules)

    def _row_parts(self, row: int, write: Write) -> Iterator[tuple[str, int, str, str]]:
        """What stands before, the column, the text, and what stands after, of each cell of a row."""
        column = 0
        while column < self.columns:
            cell = self.grid[row][column]
            owner = cell or self._owner(row, column)
            before = ""
            if owner.columns > 1:
                left = "|" if column == 0 and 0 in self.bars else ""
                right = "|" if column + owner.columns in self.bars else ""
                align = owner.align or self.align[column]
                before += f"\\multicolumn{{{owner.columns}}}{{{left}{align}{right}}}{{"
            if cell is not None and cell.rows > 1:
                before += f"\\multirow{{{cell.rows}}}{{*}}{{"
            body = "" if cell is None else write(cell.runs)
            yield before, column, body, "}" * (before.count("{") - before.count("}"))
            column += owner.columns

    def _owner(self, row: int, column: int) -> Cell:
        """The cell above that covers a place."""
        for above in range(row - 1, -1, -1):
            cell = self.grid[above][column]
            if cell is not None:
                return cell
        raise AssertionError(f"no cell covers row {row}, column {column}")

    def _fill(self, style: TableStyle) -> str:
        header, stripe = (
            f"rgb({_quoted(fill)})" if fill else "none" for fill in (style.header_fill, style.stripe_fill)
        )
        return f"(_, y) => if y < {self.header} {{ {header} }} else if calc.even(y) {{ {stripe} }} else {{ none }}"


@dataclass(frozen=True)
class TableStyle:
    """How tables are drawn, which their text does not tell.

    Attributes:
        inset_x: space beside a cell's text in em.
        inset_y: space above and below it in em.
        light: width of an ordinary rule in points.
        heavy: width of a heavy one.
        ink: colour of the rules, "#rrggbb".
        header_fill: colour behind the header, or None.
        stripe_fill: colour behind every other row, or None.
    """

    inset_x: float = 0.6
    inset_y: float = 0.4
    light: float = 0.5
    heavy: float = 1.0
    ink: str = "#000000"
    header_fill: str | None = None
    stripe_fill: str | None = None


def _quoted(text: str | None) -> str:
    return f'"{text}"'
