"""What the parser makes of each construct."""

from __future__ import annotations

import pytest

from got_ocr2.rendering import parse_page
from got_ocr2.rendering.pages.tree import (
    Abstract,
    Authors,
    Break,
    Cell,
    Code,
    Display,
    Drawing,
    Figure,
    Footnote,
    Heading,
    Item,
    Items,
    Link,
    Math,
    Note,
    Paragraph,
    Reference,
    References,
    Row,
    Statement,
    Styled,
    Table,
    Text,
    Title,
)


def says(*runs):
    return tuple(Text(run) if isinstance(run, str) else run for run in runs)


def p(*runs):
    return Paragraph(says(*runs))


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("\\title{\nA\nB\n}\n\n\\author{\nC \\( { }^{1} \\)\n}",
         [Title(says("A", Break(), "B")), Authors(says("C ", Math("{ }^{1}")))]),
        ("\\begin{abstract}\nShort.\n\\end{abstract}", [Abstract((p("Short."),))]),
        ("\\section*{1 A}\ntext\n\\subsubsection{B}", [Heading(1, says("1 A")), p("text"), Heading(3, says("B"))]),
        ("# A\n### B ##\nc", [Heading(1, says("A")), Heading(3, says("B")), p("c")]),
        ("where \\[ x \\tag{3} \\] holds", [p("where"), Display("x", "3"), p("holds")]),
        ("$$\na\n=b\n$$", [Display("a =b")]),
        ("\\begin{align}a&=b \\\\ c&=d \\label{e}\\end{align}",
         [Display("\\begin{aligned} a&=b \\\\ c&=d \\end{aligned}")]),
        ("\\begin{itemize}\n\\item a\n\\begin{enumerate}\n\\item b\n\\end{enumerate}\n\\item[x] c\n\\end{itemize}",
         [Items((Item((p("a"), Items((Item((p("b"),)),), True))), Item((p("c"),), says("x"))))]),
        ("- a\n  - b\n- c\n\n3. d\n4. e",
         [Items((Item((p("a"), Items((Item((p("b"),)),)))), Item((p("c"),)))),
          Items((Item((p("d"),)), Item((p("e"),))), True, 3)]),
        ("[1] A. B.\n[2] C.", [References((Reference("1", says("A. B.")), Reference("2", says("C."))))]),
        ("\\begin{theorem}[N]\nx\n\\end{theorem}", [Statement("theorem", (p("x"),), says("N"))]),
        ("\\footnotetext{\nn\n}", [Footnote((p("n"),))]),
        ("a\\footnote{n} b", [p("a", Note(says("n")), " b")]),
        ("\\begin{figure}\n\\includegraphics{a.png}\n\\caption{C}\n\\end{figure}", None),
        ("34.5\\% of \\$3 \\& \\_x\\# \\{\\} \\textbackslash{}n \\~{} \\^{}", [p("34.5% of $3 & _x# {} \\n ~ ^")]),
        ("\\'etude \\\"{o} \\c{c} \\ss{} ``so''", [p("étude ö ç ß “so”")]),
        ("\\textbf{a \\emph{b}} **c** `d` x_y 2*3*4",
         [p(Styled("bold", says("a ", Styled("italic", says("b")))), " ", Styled("bold", says("c")), " ",
            Styled("code", says("d")), " x_y 2*3*4")]),
        ("[a](https://b.c) \\href{mailto:d@e.f}{g}",
         [p(Link("https://b.c", says("a")), " ", Link("mailto:d@e.f", says("g")))]),
        ("costs $5 and $6, x is $x$.", [p("costs $5 and $6, x is ", Math("x"), ".")]),
        ("```\na {\n```", [Code("a {")]),
        ("<smiles>CCO</smiles>\n\n**kern\n4c\n*-",
         [Drawing("molecule", "CCO"), Drawing("music", "**kern\n4c\n*-")]),
        ("a\nb\n\nc", [p("a", Break(), "b"), p("c")]),
        ("\\documentclass{article}\n\\title{T}\n\\begin{document}\n\\maketitle\nx\n\\end{document}",
         [Title(says("T")), p("x")]),
    ],
)  # fmt: skip
def test_constructs(text, blocks):
    page = parse_page(text)
    assert page.problems == ()
    if blocks is None:
        (figure,) = page.blocks
        assert isinstance(figure, Figure)
        assert figure.caption == says("C")
    else:
        assert list(page.blocks) == blocks


def test_a_tabular_with_merged_cells():
    (table,) = parse_page(
        "\\begin{tabular}{|l|rp{3cm}|}\n\\hline \\multirow{2}{*}{A} & \\multicolumn{2}{c|}{B} \\\\\n\\cline{2-3} & C & "
        "D \\\\\n\\hline a \\& b & \\( x \\) & "
        "\\begin{tabular}{l} e \\\\ f \\end{tabular} \\\\\n\\hline\n\\end{tabular}"
    ).blocks
    assert table == Table(
        "|l|rl|",
        (
            Row((Cell(says("A"), 0, rows=2), Cell(says("B"), 1, 2, spec="c|")), ((0, 2),)),
            Row((Cell(says("C"), 1), Cell(says("D"), 2)), ((1, 2),)),
            Row(
                (Cell(says("a & b"), 0), Cell(says(Math("x")), 1), Cell(says("e", Break(), "f"), 2)),
                ((0, 2),),
            ),
        ),
        ((0, 2),),
        heads=2,
    )


def test_pipes_and_html_are_the_same_table():
    pipes = parse_page("| a | b |\n|:--|--:|\n| 1 | 2 |").blocks
    html = parse_page(
        "<table><tr><th>a</th><th align='right'>b</th></tr>\n<tr><td>1</td><td>2</td></tr></table>"
    ).blocks
    assert pipes == html
    assert pipes[0].heads == 1
    (merged,) = parse_page(
        "<table><tr><td rowspan=2>a &amp; b</td><td>c</td></tr><tr><td>d</td></tr></table>"
    ).blocks
    assert [[(c.column, c.rows) for c in row.cells] for row in merged.rows] == [[(0, 2), (1, 1)], [(1, 1)]]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a\n\\( x", 2, "never closed"),
        ("\\begin{tabular}{l}\na \\\\", 1, "never closed"),
        ("x\n\n\\frobnicate{y}", 3, "frobnicate is not known"),
        ("\\begin{tabular}{l}\na & b \\\\\n\\end{tabular}", 2, "made wider"),
        ("\\begin{foo}\nx\n\\end{foo}", 1, "foo is not known"),
        ("\\textbf{a", 1, "lacks its {argument}"),
        ("[x](javascript:a)", 1, "text only"),
        ("x\n\n\\end{itemize}", 3, "has no \\begin"),
    ],
)
def test_problems_say_where_and_why(text, line, reason):
    problems = parse_page(text).problems
    assert any(problem.line == line and reason in problem.reason for problem in problems), problems


def test_places_are_kept():
    text = "\\section*{A}\nb \\( c \\) d"
    heading, paragraph = parse_page(text).blocks
    assert text[slice(*heading.span)] == "\\section*{A}"
    assert [text[slice(*run.span)] for run in paragraph.runs] == ["b ", "\\( c \\)", " d"]


def test_plain_text_means_itself():
    (first, second) = parse_page("# no *heading*\n- x \\( y\n\n$5 {", plain=True).blocks
    assert first == p("# no *heading*", Break(), "- x \\( y")
    assert second == p("$5 {")
