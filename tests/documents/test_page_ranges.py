from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2.documents import PageRanges
from got_ocr2.errors import InvalidOptionError


@pytest.mark.parametrize(
    ("asked", "count", "numbers"),
    [
        ("1-4,7", 9, (1, 2, 3, 4, 7)),
        ("7, 1 ", 9, (7, 1)),
        ("3-", 5, (3, 4, 5)),
        ("5-", 5, (5,)),
        ("2,1-3,2", 3, (2, 1, 3)),
        (4, 4, (4,)),
        ([3, 1], 3, (3, 1)),
        (range(2, 4), 3, (2, 3)),
    ],
)
def test_pages_are_read_in_the_order_asked_each_once(asked, count, numbers):
    assert PageRanges.parse(asked).select(count, "book.pdf") == numbers


@pytest.mark.parametrize("asked", ["", "a", "1-b", "-3", "1--2", "1,,2", "1.5", "²", "1-2-3"])
def test_nonsense_is_refused_with_an_example(asked):
    with pytest.raises(InvalidOptionError, match=r'like "1-4,7,9-", got'):
        PageRanges.parse(asked)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("0", "counted from 1, got '0'"),
        ("1,0-2", "counted from 1, got '0-2'"),
        ("4-2", "runs forwards, got '4-2'"),
        (0, "from 1, got 0"),
        (-1, "from 1, got -1"),
        (True, "from 1, got True"),
        ([1, 2.0], "from 1, got 2.0"),
        ([], "At least one page"),
    ],
)
def test_impossible_pages_are_refused(asked, message):
    with pytest.raises(InvalidOptionError, match=message):
        PageRanges.parse(asked)


@pytest.mark.parametrize("asked", ["4", "1-4", "4-", "1-999999999999"])
def test_a_page_beyond_the_end_is_refused_by_name(asked):
    with pytest.raises(InvalidOptionError, match=r"was asked for, but book\.pdf ends at page 3"):
        PageRanges.parse(asked).select(3, "book.pdf")


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1))
def test_text_and_numbers_select_the_same_pages(numbers):
    text = ",".join(map(str, numbers))
    expected = tuple(dict.fromkeys(numbers))
    assert PageRanges.parse(text).select(30, "x") == PageRanges.parse(numbers).select(30, "x") == expected
