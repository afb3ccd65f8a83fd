"""olmOCR-bench's facts, judged."""

import pytest

from got_ocr2.evaluation.metrics.facts import Fact, ends_in_loop, plain


def holds(kind, page, /, max_diffs=0, **details):
    return Fact("id", "a.pdf", 1, kind, max_diffs, details).holds(page)


def test_present_and_absent():
    page = "The **quick** brown\nfox — it’s here. PAGE 7"
    assert holds("present", page, text="quick brown fox - it's")
    assert not holds("present", page, text="page 7")
    assert holds("present", page, text="page 7", case_sensitive=False)
    assert holds("present", page, text="quikc brown", max_diffs=2)
    assert not holds("present", page, text="quikc brown")
    assert not holds("present", page, text="PAGE 7", first_n=20)
    assert holds("present", page, text="PAGE 7", last_n=6)
    assert holds("present", page, text="PAGE", first_n=3, last_n=6)
    assert holds("absent", page, text="page 7")
    assert not holds("absent", page, text="PAGE 7")


def test_a_text_shorter_than_what_is_looked_for_does_not_contain_it():
    assert not holds("present", " ", text="a b")
    assert holds("absent", "\n", text="a b")


def test_order():
    page = "alpha beta gamma beta"
    assert holds("order", page, before="alpha", after="gamma")
    assert holds("order", page, before="gamma", after="beta"), "any of the places will do"
    assert not holds("order", page, before="gamma", after="alpha")
    assert holds("order", page, before="alpna", after="gamma", max_diffs=1)
    assert not holds("order", page, before="alpha", after="omega")


TABLE = r"""\begin{tabular}{lll} \multicolumn{3}{c}{2020} \\ Item & Cost & Net \\ Tea & 1.50 & 1.20 \\ Milk & 2.00 & \\
Sum & 3.50 & 3.00 \end{tabular}"""


@pytest.mark.parametrize(
    ("fact", "true"),
    [
        ({"cell": "2.00", "up": "1.50", "down": "3.50", "left": "Milk"}, True),
        ({"cell": "2.00", "up": "3.50"}, False),
        ({"cell": "1.50", "right": "1.20", "left_heading": "Tea"}, True),
        ({"cell": "3.00", "top_heading": "2020", "left_heading": "Sum"}, True),
        ({"cell": "3.00", "top_heading": "Item"}, False),
        ({"cell": "Coffee"}, False),
    ],
)
def test_table(fact, true):
    for page in (TABLE, f"words\n{TABLE}\nwords"):
        assert holds("table", page, **fact) == true


def test_marked_headings_count_wherever_they_stand():
    html = "<table><tr><td>x</td></tr><tr><th>Head</th></tr><tr><td>1</td></tr></table>"
    assert holds("table", html, cell="1", top_heading="Head")
    assert holds("table", html, cell="1", top_heading="x")
    assert not holds("table", "no table 1 x", cell="1")


def test_math():
    page = r"So \(a^2+b^2=c^{2}\) and $$\frac12$$."
    assert holds("math", page, math=r"a ^ {2} + b^2")
    assert holds("math", page, math=r"\dfrac{1}{2}")
    assert not holds("math", page, math=r"\frac{1}{3}")
    assert not holds("math", "a^2+b^2", math="a^2"), "not marked as a formula"


def test_baseline():
    assert holds("baseline", "Some text.")
    assert not holds("baseline", "  \n--")
    assert not holds("baseline", "text " + "ab" * 40)
    assert not holds("baseline", "text 漢")
    assert holds("baseline", "text 漢", check_disallowed_characters=False)
    assert holds("baseline", "a", max_length=3)
    assert not holds("baseline", "abcd", max_length=3)


def test_loops():
    assert ends_in_loop("x" + "abcde" * 31, 30)
    assert not ends_in_loop("x" + "abcde" * 30, 30)
    assert not ends_in_loop("aa", 30)


def test_plain():
    assert plain("a__b__ **c**<br/>d  <b>e</b>\n“f” – g") == 'ab c d e "f" - g'
