"""Gaps on one level: running heads, capitals beside a gutter, words that stand under each other by chance."""

from __future__ import annotations

import numpy as np
import pytest

from got_ocr2.layout.baselines import Baseline
from got_ocr2.layout.gutters import _Gap, _Justified, bridged_rows
from got_ocr2.layout.letters import Letters
from got_ocr2.layout.row import Row

NONE = Letters(*(np.zeros(0) for _ in range(5)))
X_HEIGHT = 12.0


def row(x1: float, x2: float, foot: float, high: float = X_HEIGHT, letters: int = 20) -> Row:
    return Row(x1, x2, Baseline(foot), 1.4 * X_HEIGHT, 0.4 * X_HEIGHT, high, letters)


def lines(rows: list[Row]) -> list[list[int]]:
    """The numbers of the rows of each line."""
    found = bridged_rows(rows, NONE, NONE, np.zeros((900, 2000), np.uint8)).tolist()
    return [[i for i, line in enumerate(found) if line == one] for one in sorted(set(found), key=found.index)]


@pytest.mark.parametrize("letters", [1, 5])
def test_a_head_is_one_line_from_rim_to_rim(letters):
    """One number of one figure is no speck: its column is the page's."""
    head = [row(40, 140, 50), row(1900, 1910, 50, letters=letters)]
    text = [row(40, 1910, 200 + 40 * i) for i in range(5)]
    assert lines([*head, *text])[0] == [0, 1]


def test_a_head_over_ragged_lines_is_no_row_of_columns():
    head = [row(40, 140, 50), row(860, 900, 50)]
    text = [row(40, 800 + 10 * (i % 3), 120 + 40 * i) for i in range(5)]
    assert lines([*head, *text, row(40, 900, 320)])[0] == [0, 1]


def test_a_head_over_a_heading_of_two_words_is_no_row_of_columns():
    head = [row(40, 140, 50), row(860, 900, 50)]
    heading = [row(40, 780, 120), row(830, 900, 120)]
    text = [row(40, 790, 160 + 40 * i) for i in range(5)]
    assert lines([*head, *heading, *text])[0] == [0, 1]


def test_a_foot_closer_than_two_lines_is_read_across():
    columns = [row(x, x + 400, 100 + 20 * i) for i in range(10) for x in (40, 500)]
    foot = [row(40, 140, 312), row(880, 900, 312)]
    assert lines([*foot, *columns])[0] == [0, 1]


def test_figures_in_brackets_are_no_mark_of_the_next_column():
    """A mark is as wide as the letters behind it allow, not as its own brackets are high."""
    columns = [row(x, x + 160, 100 + 24 * i) for i in range(10) if i != 5 for x in (40, 225)]
    beside = [row(165, 205, 220, high=1.45 * X_HEIGHT, letters=3), row(225, 385, 220)]
    assert [0, 1] not in lines([*beside, *columns])


def test_capitals_do_not_close_a_gutter():
    """They are higher, so the gutter is narrower and its lines fewer by their measure."""
    rows = [
        row(x, x + 460, 100 + 30 * i, 1.4 * X_HEIGHT if not i else X_HEIGHT)
        for i in range(6)
        for x in (40, 541)
    ]
    assert len(lines(rows)) == len(rows)


@pytest.mark.parametrize(("pairs", "stretched"), [(2, True), (4, False)])
def test_two_words_of_a_justified_column_begin_at_one_place_by_chance(pairs, stretched):
    words = [row(x1, x2, 100 + 30 * i) for i in range(pairs) for x1, x2 in ((40, 300), (330, 500))]
    whole = [row(40, 500, 100 + 30 * i) for i in range(pairs, pairs + 4)]
    column = _Justified([*words, *whole], np.arange(len(words) + len(whole)))
    assert column.is_stretched(_Gap(300, 330, 100.0, X_HEIGHT)) is stretched
