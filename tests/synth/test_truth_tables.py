"""Tables read back: an independent parser finds a whole grid, and the very characters that were drawn, cell by cell."""

from __future__ import annotations

import pytest
from mathpix_reading import Cell, normal, read, record_drawn_text

from got_ocr2.synth.tables import engine as tables
from got_ocr2.synth.tables.engine import TableEngine

pytest.importorskip("typst")


def check_grid(rows: list[list[Cell]], specification: str) -> None:
    """Every row covers every column once, and a cell over several rows has empty places below it."""
    columns = sum(letter in "lcr" for letter in specification)
    taken: dict[tuple[int, int], Cell] = {}
    for number, row in enumerate(rows):
        assert sum(cell.columns for cell in row) == columns
        column = 0
        for cell in row:
            if (number, column) in taken:
                assert cell.text == ""
                assert cell.columns == taken[number, column].columns
            for below in range(1, cell.rows):
                taken[number + below, column] = cell
            column += cell.columns
    assert all(row < len(rows) for row, _ in taken)


def check(monkeypatch, count: int, seed: int) -> None:
    drawn = record_drawn_text(monkeypatch, tables)
    engine = TableEngine()
    for index in range(count):
        drawn.clear()
        sample = engine.sample(seed, index)
        reading = read(sample.text)
        assert len(reading.tables) == 1
        check_grid(reading.tables[0], sample.text.split("\n")[0].removeprefix("\\begin{tabular}"))
        assert normal("".join(drawn)) == normal(reading.text), (index, sample.text)
        cells = [cell.text for row in reading.tables[0] for cell in row if cell.text]
        regions = [read(region.text).text.strip() for region in sample.regions if region.kind == "line"]
        assert cells == regions


def test_what_is_drawn_is_what_is_answered(monkeypatch):
    check(monkeypatch, 25, 41)


@pytest.mark.slow
def test_what_is_drawn_is_what_is_answered_a_thousand_times(monkeypatch):
    check(monkeypatch, 1000, 42)
