"""The numbers of a chart as CSV, a workbook, and JSON."""

from __future__ import annotations

import csv
import io

from ...extras import need
from ..pages.sheets import inert
from ..rendered import Rendered
from .chart import HEADS, Amount, Chart, parse_chart


def write_csv(text: str, *, strict: bool = False) -> Rendered:
    """A row a category, a column a series (RFC 4180, UTF-8); numbers as the chart writes them.

    Names that spreadsheet programs would take for formulas get an apostrophe in front.
    """
    chart = parse_chart(text, strict=strict)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([inert(cell) for cell in _head(chart)])
    for name in chart.categories:
        row = [one.amounts.get(name) for one in chart.series]
        writer.writerow([inert(name), *(inert(amount.text) if amount else "" for amount in row)])
    return Rendered.of(out.getvalue(), "csv", "chart", chart.problems)


def write_xlsx(text: str, *, strict: bool = False) -> Rendered:
    """A workbook: the numbers on its first sheet, as numbers; titles and source on the second.

    Raises:
        MissingDependencyError: openpyxl is not installed.
    """
    chart = parse_chart(text, strict=strict)
    book = need("openpyxl", "Writing XLSX", extra="render").Workbook()
    sheet = book.active
    sheet.title = "Values"
    for column, name in enumerate(_head(chart), 1):
        _text(sheet.cell(1, column), name)
    for row, name in enumerate(chart.categories, 2):
        _text(sheet.cell(row, 1), name)
        for column, one in enumerate(chart.series, 2):
            amount = one.amounts.get(name)
            if amount is not None:
                _number(sheet.cell(row, column), amount)
    about = book.create_sheet("About")
    for row, name in enumerate(HEADS, 1):
        _text(about.cell(row, 1), name)
        _text(about.cell(row, 2), getattr(chart, name))
    out = io.BytesIO()
    book.save(out)
    return Rendered.of(out.getvalue(), "xlsx", "chart", chart.problems)


def write_json(text: str, *, strict: bool = False) -> Rendered:
    """The mended dictionary as a line of JSON: title, source, x_title, y_title and values."""
    chart = parse_chart(text, strict=strict)
    return Rendered.of(chart.answer() + "\n", "json", "chart", chart.problems)


def _head(chart: Chart) -> list[str]:
    return [chart.x_title, *(one.name or chart.y_title or "Value" for one in chart.series)]


def _text(cell: object, text: str) -> None:
    cell.value = text  # pyright: ignore[reportAttributeAccessIssue]
    cell.data_type = "s"  # pyright: ignore[reportAttributeAccessIssue]  # never a formula


def _number(cell: object, amount: Amount) -> None:
    percent = amount.text.endswith("%")
    places = len(amount.text.rstrip("%").rpartition(".")[2]) if "." in amount.text else 0
    cell.value = amount.value / 100 if percent else amount.value  # pyright: ignore[reportAttributeAccessIssue]
    shown = "0" + ("." + "0" * places if 0 < places < 8 else "")
    cell.number_format = f"{shown}%" if percent else "General"  # pyright: ignore[reportAttributeAccessIssue]
