"""The order of blocks: rows of a table that are set far apart, and what stands at the left and the right of a page."""

from __future__ import annotations

import numpy as np
import pytest

from got_ocr2.layout.order import reading_order

TABLE = [
    (x, 100 + 34 * row, x + width, 112 + 34 * row)
    for row in range(5)
    for x, width in ((40, 150), (380, 15), (450, 40))
]
TOTALS = [(570, 290, 680, 302), (580, 310, 680, 322)]
PAYMENT = [(40, 345, 440, 357)]


def read(boxes: list[tuple[int, int, int, int]], heights: np.ndarray | float = 8.0) -> list[tuple[int, ...]]:
    """The boxes as they are read, given in another order."""
    shuffled = np.random.default_rng(2).permutation(len(boxes))
    given = np.array(boxes, float)[shuffled]
    order, _ = reading_order(given, np.broadcast_to(heights, len(boxes))[shuffled])
    return [boxes[i] for i in shuffled[order]]


def test_a_column_of_lines_that_are_blocks_each_is_one_of_the_table():
    # By letters of this height the first cells of rows are too far apart to be one block.
    heights = np.array([7.0 if x == 40 else 8.0 for x, *_ in TABLE])
    assert read(TABLE, heights) == TABLE


def test_what_is_higher_comes_first_below_a_table():
    boxes = [*TABLE, *TOTALS, *PAYMENT]
    assert read(boxes) == boxes


@pytest.mark.parametrize("gap", [0, 60])
def test_columns_stay_columns_below_a_heading(gap):
    heading = [(40, 20, 640, 40)]
    left = [(40, 60 + 20 * i, 320, 76 + 20 * i) for i in range(6)]
    low = [(40, 60 + 20 * i + gap, 320, 76 + 20 * i + gap) for i in range(9, 15)]
    right = [(360, 60 + 20 * i, 640, 76 + 20 * i) for i in range(8)]
    boxes = [*heading, *left, *low, *right]
    assert read(boxes) == boxes


COLUMNS = [(x, 60 + 20 * i, x + 280, 76 + 20 * i) for x in (40, 360) for i in range(6)]


@pytest.mark.parametrize("foot", [(40, 180, 640, 192), (120, 180, 560, 192)])
def test_a_line_under_two_columns_is_no_line_of_the_first(foot):
    assert read([*COLUMNS, foot]) == [*COLUMNS, foot]


@pytest.mark.parametrize("head", [(40, 40, 640, 56), (480, 40, 510, 56)])
def test_a_line_over_two_columns_is_no_line_of_either(head):
    assert read([head, *COLUMNS]) == [head, *COLUMNS]


def test_a_line_over_cells_of_a_table_stays_in_its_row():
    """Only what is alone on its level is over what stands below it."""
    cells = [(x, 60 + 20 * i, x + 50, 76 + 20 * i) for i in range(5) for x in (40, 120, 200)]
    wide = [(40, 160, 90, 176), (120, 160, 250, 176)]
    assert read([*cells, *wide]) == [*cells, *wide]
