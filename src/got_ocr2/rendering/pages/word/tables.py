"""Tables of a page as Word tables: merged cells, alignment, rules as borders."""

from __future__ import annotations

from typing import Any

from ..tree import Cell, Math, Table
from ..walk import plain_text
from .elements import element
from .runs import RunWriter

LINE = 432.0  # points of a line of text


def write_table(table: Table, into: Any, runs: RunWriter) -> None:
    """Adds a table and the empty paragraph that Word wants after it.

    Args:
        table: of the page.
        into: a container of python-docx, such as the body.
        runs: writes what the cells say.
    """
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    if table.caption is not None:
        runs.write(table.caption, into.add_paragraph())
    width = len(table.aligns)
    if not width or not table.rows:
        return
    grid = into.add_table(len(table.rows), width, Pt(LINE))
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    grid.autofit = False
    for column, size in zip(grid.columns, _widths(table), strict=True):
        column.width = Pt(size)
        for place in column.cells:
            place.width = Pt(size)
    places = [list(row.cells) for row in grid.rows]
    for number, row in enumerate(table.rows):
        for cell in row.cells:
            last = places[min(number + cell.rows, len(places)) - 1][
                min(cell.column + cell.columns, width) - 1
            ]
            place = places[number][cell.column]
            if cell.rows > 1 or cell.columns > 1:
                place = place.merge(last)
            paragraph = place.paragraphs[0]
            paragraph.paragraph_format.space_after = Pt(0)
            paragraph.alignment = WD_ALIGN_PARAGRAPH[table.align(cell).upper()]
            runs.write(cell.runs, paragraph, bold=number < table.heads)
    _rule(table, [_places(row) for row in grid.rows])
    into.add_paragraph().paragraph_format.space_after = Pt(0)


def _rule(table: Table, places: list[list[Any]]) -> None:
    """The rules of the table as borders of its cells."""
    from docx.oxml.ns import qn

    def border(place: Any, sides: list[str]) -> None:
        properties = place.get_or_add_tcPr()
        found = properties.find(qn("w:tcBorders"))
        if found is None:
            found = element("w:tcBorders")
            properties.append(found)
        for side in sides:
            if found.find(qn(f"w:{side}")) is None:
                found.append(element(f"w:{side}", val="single", sz="4", space="0", color="auto"))

    edges: set[int] = set()
    column = 0
    for sign in table.spec:
        if sign == "|":
            edges.add(column)
        else:
            column += 1
    full = [*(row.rules for row in table.rows), table.closing]
    spans = _spans(table)
    for number in range(len(table.rows)):
        for column in range(len(table.aligns)):
            first, last, cell = spans.get((number, column), (column, column, None))
            left, right = first in edges, last + 1 in edges
            if cell is not None and cell.spec is not None:
                left, right = cell.spec.startswith("|") or left, cell.spec.endswith("|")
            sides = [
                side
                for side, ruled in (
                    ("top", any(start <= column <= stop for start, stop in full[number])),
                    ("left", left),
                    ("bottom", any(start <= column <= stop for start, stop in full[number + 1])),
                    ("right", right),
                )
                if ruled
            ]
            if sides:
                border(places[number][column], sides)


def _places(row: Any) -> list[Any]:
    """The cell element at each column of a row; those that a cell from above covers have one of their own."""
    return [place for place in row._tr.tc_lst for _ in range(place.grid_span)]


def _spans(table: Table) -> dict[tuple[int, int], tuple[int, int, Cell]]:
    """Row and column of every covered place -> first and last column of the cell that covers it, and the cell."""
    return {
        (number + down, cell.column + over): (cell.column, cell.column + cell.columns - 1, cell)
        for number, row in enumerate(table.rows)
        for cell in row.cells
        for down in range(cell.rows)
        for over in range(cell.columns)
    }


def _widths(table: Table) -> list[float]:
    """Points for each column: what its longest line needs, or a fair share of the page."""
    sizes = [2.0] * len(table.aligns)
    for row in table.rows:
        for cell in row.cells:
            longest = max(map(len, plain_text(cell.runs).split("\n")))
            if any(isinstance(run, Math) for run in cell.runs):
                longest = longest * 2 // 3  # commands are longer than what they show
            share = longest / cell.columns
            for column in range(cell.column, cell.column + cell.columns):
                sizes[column] = max(sizes[column], share)
    points = [6.2 * size + 16 for size in sizes]
    scale = min(1.0, LINE / sum(points))
    return [max(point * scale, 12.0) for point in points]
