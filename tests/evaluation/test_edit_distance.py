"""The bit-parallel edit distance against the plain table of the textbook."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr2.evaluation.metrics.edit_distance import levenshtein, normalised_distance


def textbook(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@given(st.text("abcä", max_size=80), st.text("abcdä", max_size=80))
def test_it_is_the_textbook_distance(a, b):
    assert levenshtein(a, b) == levenshtein(b, a) == textbook(a, b)


@given(
    st.lists(st.sampled_from(["note", "\t", 4, None]), max_size=12), st.lists(st.integers(0, 5), max_size=12)
)
def test_any_tokens_will_do(a, b):
    assert levenshtein(a, b) == textbook(a, b)


def test_common_ends_are_not_counted_twice():
    assert levenshtein("aaa", "aaaa") == 1
    assert levenshtein("abcab", "ab") == 3


@pytest.mark.parametrize(
    ("a", "b", "share"), [("", "", 0), ("", "ab", 1), ("kitten", "sitting", 3 / 7), ("x", "x", 0)]
)
def test_normalised(a, b, share):
    assert normalised_distance(a, b) == pytest.approx(share)


def test_long_pages_are_exact_too():
    a = "the quick brown fox " * 400
    b = a.replace("quick", "quiet", 1)[:-5] + "hound"
    assert levenshtein(a, b) == 2 + textbook(" fox ", "hound")
