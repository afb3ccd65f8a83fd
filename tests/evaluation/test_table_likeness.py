"""Tables of three dialects as the same rows of cells, and TEDS between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr2.evaluation.metrics.tables import Cell, Table, find, parse, read_tables
from got_ocr2.evaluation.metrics.teds import teds

LATEX = r"""\begin{tabular}{|l|c|c|}
\hline \multirow{2}{*}{Name} & \multicolumn{2}{c|}{Score \& rank} \\
\cline{2-3} & A & \textbf{B} \\
\hline x & \begin{tabular}{l} one \\ two \end{tabular} & \(3\%\) \\
\hline
\end{tabular}"""
HTML = """<table><thead><tr><th rowspan=2>Name</th><th colspan="2">Score &amp; rank</th></tr>
<tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>x<td>one<br>two</td><td>3%</td></tr></tbody></table>"""
PIPES = "| a | **b** |\n|---|:-:|\n| 1 | 2 \\| 3 |\n| 4 | |"


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_latex_and_html_give_the_same_cells():
    assert (
        texts(parse(LATEX))
        == texts(parse(HTML))
        == [["Name", "Score & rank"], ["A", "B"], ["x", "one two", "3%"]]
    )
    for table in (parse(LATEX), parse(HTML)):
        assert table.rows[0][0].rows == 2
        assert table.rows[0][1].columns == 2
    assert teds(parse(LATEX), parse(HTML)) == 1


def test_markdown():
    table = parse(PIPES)
    assert texts(table) == [["a", "b"], ["1", "2 | 3"], ["4", ""]]
    assert [cell.heading for row in table.rows for cell in row] == [True, True, False, False, False, False]


def test_tables_are_found_in_a_page_in_order_inner_ones_not():
    page = f"Text | no table.\n\n{PIPES}\n\nmore {LATEX} and {HTML} end"
    assert [texts(t)[0] for t in read_tables(page)] == [
        ["a", "b"],
        ["Name", "Score & rank"],
        ["Name", "Score & rank"],
    ]
    assert page[slice(*find(page)[1])] == LATEX
    assert read_tables("a | b\nc | d") == []


def test_a_table_that_was_cut_off_is_read_to_its_end():
    assert texts(parse(r"\begin{tabular}{ll} a & b \\ c & d")) == [["a", "b"], ["c", "d"]]
    assert texts(parse("<table><tr><td>a</td><td>b")) == [["a", "b"]]
    assert parse("no table").rows == ()


def test_more_latex():
    source = r"""\begin{tabular*}{\textwidth}[t]{@{}l>{\bf}r@{}}
    \toprule \multicolumn{1}{c}{\textit{x}} & a {\& b} \\[2pt] \cmidrule(lr){1-2} {y & z} & \$5 \\* \bottomrule
    \end{tabular*}"""
    assert texts(parse(source))[0] == ["x", "a {& b}"]


def test_spans_of_a_loop_are_bounded():
    assert parse(r"\begin{tabular}{l} \multirow{99999999}{*}{x} \\ \end{tabular}").rows[0][0].rows == 1000
    assert parse('<table><tr><td colspan="99999999">x').rows[0][0].columns == 1000


def test_grid_fills_spans():
    grid = parse(LATEX).grid()
    assert grid[0, 0] is grid[1, 0]
    assert grid[0, 1] is grid[0, 2]
    assert (grid[1, 1].text, grid[1, 2].text, grid[2, 2].text) == ("A", "B", "3%")


def table(*rows):
    return Table(tuple(tuple(Cell(text) for text in row) for row in rows))


def test_teds_by_hand():
    truth = table(["a", "b"], ["c", "d"])  # 7 nodes
    assert teds(truth, truth) == 1
    assert teds(table(["a", "b"]), truth) == pytest.approx(1 - 3 / 7)  # a row and its two cells
    assert teds(table(["a", "b"], ["c", "dd"]), truth) == pytest.approx(1 - 0.5 / 7)
    assert teds(table(["x", "y"], ["z", "w"]), truth) == pytest.approx(1 - 4 / 7)
    assert teds(table(["x", "y"], ["z", "w"]), truth, structure_only=True) == 1
    wide = Table(((Cell("a", columns=2), Cell("b")), truth.rows[1]))
    assert teds(wide, truth) == pytest.approx(1 - 1 / 7)
    assert teds(Table(()), truth) == 0
    assert teds(Table(()), Table(())) == 1


@given(st.text("\\{}&|-\n abmultirow12begin[]<table>d", max_size=120))
def test_no_text_breaks_the_parser(text):
    for made in (rf"\begin{{tabular}}{{ll}}{text}", f"<table>{text}", f"{text}\n|--|--|\n{text}", text):
        parse(made).grid()
        read_tables(made)
