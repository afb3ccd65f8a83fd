"""The tables of a page as CSV and as sheets of a workbook.

A cell that begins as a formula does in spreadsheet programs (`=`, `+`, `-`, `@`) gets an apostrophe in front in CSV,
unless it is a number; in XLSX it is stored as text.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from ...errors import RenderError
from ...extras import need
from ..rendered import Rendered
from .tree import Page, Table
from .walk import nodes, plain_text, written

_NUMBER = re.compile(r"[-+−]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,3})?", re.ASCII)
_ACTS = ("=", "+", "-", "@", "\t", "\r", "|", "%")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def write_csv(text: str, *, strict: bool = False, plain: bool = False) -> Rendered:
    """The tables of a page as one CSV file (RFC 4180, UTF-8), an empty line between two tables.

    A merged cell stands in its first place; the places that it covers are empty.

    The arguments are those of `walk.written`.

    Raises:
        RenderError: the page has no table, or `strict` and a problem.
    """
    return written(text, "csv", csv_document, strict=strict, plain=plain)


def csv_document(page: Page) -> str:
    """The whole file."""
    out = io.StringIO()
    write = csv.writer(out)
    for number, table in enumerate(_tables(page)):
        if number:
            write.writerow([])
        for row in table.rows:
            line = [""] * len(table.aligns)
            for cell in row.cells:
                line[cell.column] = inert(plain_text(cell.runs, " ").strip())
            write.writerow(line)
    return out.getvalue()


def inert(text: str) -> str:
    """A cell of CSV that no spreadsheet program takes for a formula."""
    text = _CONTROL.sub(" ", text)
    return f"'{text}" if text.lstrip().startswith(_ACTS) and not is_number(text) else text


def is_number(text: str) -> bool:
    """Whether a cell is a number as people write it: `-1,234.5`, `.5`, `1e-3`."""
    return _NUMBER.fullmatch(text) is not None


def write_xlsx(text: str, *, strict: bool = False, plain: bool = False) -> Rendered:
    """The tables of a page as a workbook, a sheet a table: merged cells, alignment and rules as on the page.

    Numbers are stored as numbers, everything else as text, never as formulas.

    The arguments are those of `walk.written`.

    Raises:
        MissingDependencyError: openpyxl is missing.
        RenderError: the page has no table, or `strict` and a problem.
    """
    return written(text, "xlsx", xlsx_document, strict=strict, plain=plain)


def xlsx_document(page: Page) -> bytes:
    """The whole file."""
    openpyxl = need("openpyxl", "Writing XLSX", extra="render")
    tables = _tables(page)
    book: Any = openpyxl.Workbook()
    book.remove(book.active)
    for number, table in enumerate(tables, 1):
        _fill(book.create_sheet(f"Table {number}"), table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _tables(page: Page) -> list[Table]:
    found = [node for node in nodes(page) if isinstance(node, Table)]
    if not found:
        raise RenderError("The page has no table.")
    return found


def _fill(page: Any, table: Table) -> None:
    from openpyxl.styles import Alignment, Border, Font, Side

    for number, row in enumerate(table.rows):
        for cell in row.cells:
            place = page.cell(number + 1, cell.column + 1)
            text = _CONTROL.sub(" ", plain_text(cell.runs).strip())
            if is_number(text) and len(text.replace(",", "")) <= 15:
                place.value = float(text.replace(",", "").replace("−", "-"))
                if place.value.is_integer() and "." not in text and "e" not in text.lower():
                    place.value = int(place.value)
            elif text:
                place.value = text[:32_767]  # Excel's limit
                place.data_type = "s"
            place.alignment = Alignment(
                horizontal=table.align(cell), vertical="center", wrap_text="\n" in text
            )
            if number < table.heads:
                place.font = Font(bold=True)
            if cell.columns > 1 or cell.rows > 1:
                page.merge_cells(
                    start_row=number + 1,
                    start_column=cell.column + 1,
                    end_row=number + cell.rows,
                    end_column=cell.column + cell.columns,
                )
    line = Side(style="thin")
    for number, rules in enumerate([*(row.rules for row in table.rows), table.closing]):
        for first, last in rules:
            for column in range(first, min(last + 1, len(table.aligns))):
                row_number = number + 1 if number < len(table.rows) else number
                place = page.cell(row_number, column + 1)
                old = place.border
                top = line if number < len(table.rows) else old.top
                bottom = old.bottom if number < len(table.rows) else line
                place.border = Border(left=old.left, right=old.right, top=top, bottom=bottom)
