"""The measure of found lines counts what it says."""

from __future__ import annotations

from got_ocr2.evaluation.line_places import LinePlaces, line_places, matched_lines

ROWS = [(0.0, 20.0 * i, 100.0, 20.0 * i + 10) for i in range(4)]


def test_all_found():
    places = line_places(ROWS, ROWS)
    assert places == LinePlaces(4, 4, 4, 3, 3)
    assert (places.recall, places.precision, places.order) == (1, 1, 1)


def test_half_lines_are_not_found():
    assert matched_lines([(0, 0, 49, 10)], ROWS[:1]) == {}
    assert matched_lines([(0, 0, 51, 10)], ROWS[:1]) == {0: 0}


def test_a_line_found_twice_counts_once():
    places = line_places([ROWS[0], ROWS[0], ROWS[1]], ROWS)
    assert (places.matched, places.found, places.recall) == (2, 3, 0.5)


def test_wrong_order():
    found = [ROWS[0], ROWS[2], ROWS[1], ROWS[3]]
    assert line_places(found, ROWS).in_order == 0
    # A line that is no line of the page does not disturb the order of the others.
    assert line_places([ROWS[0], (300, 0, 400, 10), *ROWS[1:]], ROWS).in_order == 3


def test_nothing():
    assert line_places([], []) == LinePlaces()
    assert LinePlaces().recall == 1
    assert line_places([], ROWS).recall == 0
