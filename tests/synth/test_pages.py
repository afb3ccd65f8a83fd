"""Pages: the tree is written as GOT writes, its places are right, and what does not fit is not answered."""

from __future__ import annotations

import os
import pickle
import sys

import numpy as np
import pytest

from got_ocr2.errors import GotOcr2Error, InvalidOptionError, MissingDependencyError
from got_ocr2.synth.drawing.typst_fonts import font_folders, math_fonts, page_fonts
from got_ocr2.synth.drawing.typst_pdf import Typeset, union
from got_ocr2.synth.markup import math_notation as mx
from got_ocr2.synth.markup.document import (
    Abstract,
    Authors,
    Display,
    Document,
    Figure,
    Heading,
    Items,
    Note,
    Paragraph,
    References,
    Styled,
    Table,
    Title,
    block_name,
    document_text,
    escape,
    note_name,
)
from got_ocr2.synth.markup.tabular import Cell, Rule, Tabular
from got_ocr2.synth.markup.typst_writer import PageStyle, typst_source
from got_ocr2.synth.pages import engine as pages
from got_ocr2.synth.pages.engine import PageEngine

pytest.importorskip("typst")

COUNT = 12
X = mx.letter("x")
TABLE = Tabular("lr", frozenset(), ((Rule(0, 2),), (Rule(0, 2),)), ((Cell(("a",)), Cell(("1",))),))
PAGE = Document((
    Title(("Ships & Sails", "Part 2")),
    Authors((("Ann Lee ", mx.Math("{ }^{1}", '""^1', 0.4)), ("Oslo",))),
    Abstract(("Short.",)),
    Heading(1, "1 Winds"),
    Paragraph(("A wind of ", X, " knots", Note(3, ("By hand.",)), " is ", Styled("strong", "bold"), ".")),
    Display(mx.binary(X, "=", mx.number("1")), "2.1"),
    Heading(2, "1.1 Tides"),
    Items((("one",), ("two ", X))),
    Items((("first",),), numbered=True),
    Table(TABLE, ("Table 1: All.",)),
    Table(TABLE, ("Below.",), caption_above=False),
    Figure(1, 5.0, ("Figure 1: A map.",)),
    References((("[1] A. Lee.",), ("[2] B. Lee.",))),
))  # fmt: skip
TRUTH = r"""\title{
Ships \& Sails
Part 2
}

\author{
Ann Lee \( { }^{1} \)
Oslo
}

\begin{abstract}
Short.
\end{abstract}

\section*{1 Winds}
A wind of \( x \) knots \( { }^{3} \) is strong.

\[ x=1 \tag{2.1} \]

\subsection*{1.1 Tides}
\begin{itemize}
\item one
\item two \( x \)
\end{itemize}

\begin{enumerate}
\item first
\end{enumerate}

Table 1: All.
\begin{tabular}{lr}
\hline a & 1 \\
\hline
\end{tabular}

\begin{tabular}{lr}
\hline a & 1 \\
\hline
\end{tabular}
Below.

Figure 1: A map.

[1] A. Lee.
[2] B. Lee.

\footnotetext{
\( { }^{3} \) By hand.
}"""


@pytest.fixture(scope="module")
def samples():
    engine = PageEngine()
    return [engine.sample(6, index) for index in range(COUNT)]


def test_a_tree_is_written_as_got_writes():
    assert document_text(PAGE) == TRUTH


def test_signs_that_mean_something_are_escaped():
    assert escape("5% of $3 & #1 {a_b} ~^\\") == r"5\% of \$3 \& \#1 \{a\_b\} \~{}\^{}\textbackslash{}"


@pytest.mark.parametrize("columns", [1, 2])
def test_every_block_and_note_has_a_place_in_order(columns):
    style = PageStyle(columns=columns, height=900.0)
    with Typeset(typst_source(PAGE, style)) as page:
        assert len(page) == 1
        places = page.places(72)
    boxes = [union(places[block_name(index)]) for index in range(len(PAGE.blocks))]
    column = [int(columns > 1 and (box[0] + box[2]) / 2 > style.width / 2) for box in boxes]
    spanning = 3 if columns > 1 else 0
    order = [(column[index], box[1]) for index, box in enumerate(boxes) if index >= spanning]
    assert order == sorted(order)
    assert all(box[3] <= boxes[spanning][1] for box in boxes[:spanning])
    assert places[note_name(3)][0][1] > max(
        box[3] for side, box in zip(column, boxes, strict=True) if side == column[4]
    )


def test_a_formula_and_a_table_wider_than_the_column_are_drawn_smaller():
    wide = mx.chain([mx.letter("m")] * 60, "+")
    row = tuple(Cell(("word" * 6,)) for _ in range(8))
    table = Tabular("l" * 8, frozenset(), ((), ()), (row,))
    style = PageStyle(width=300.0, height=300.0, margin=(40.0, 40.0))
    with Typeset(typst_source(Document((Display(wide, "1"), Table(table))), style)) as page:
        places = page.places(72)
    for name in (block_name(0), block_name(1)):
        left, _, right, _ = union(places[name])
        assert left >= 39
        assert right <= 261


def test_same_seed_and_index_give_the_same_bytes(samples):
    again = pickle.loads(pickle.dumps(PageEngine()))
    for index in (1, 9):
        sample = again.sample(6, index)
        assert sample.text == samples[index].text
        assert sample.image.tobytes() == samples[index].image.tobytes()
    assert len({sample.text for sample in samples}) == COUNT


def test_regions_are_parts_of_the_answer_and_hold_ink(samples):
    for sample in samples:
        assert sample.regions
        width, height = sample.image.size
        for region in sample.regions:
            assert region.text in sample.text
            left, top, right, bottom = region.box
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            assert np.ptp(np.asarray(sample.image.convert("L").crop(tuple(map(round, region.box))), int)) > 60


def test_nothing_runs_off_the_page(samples):
    for sample in samples:
        grey = np.asarray(sample.image.convert("L"), int)
        assert (
            np.ptp(
                np.concatenate(
                    [grey[:, :4].ravel(), grey[:, -4:].ravel(), grey[:4].ravel(), grey[-4:].ravel()]
                )
            )
            < 20
        )


def test_sizes_looks_and_columns_vary(samples):
    assert all(900 <= max(sample.image.size) <= 1151 for sample in samples)
    assert len({sample.meta["font"] for sample in samples}) > 4
    assert {sample.meta["columns"] for sample in samples} >= {1, 2}


def test_a_full_page_is_cut_between_words_and_the_rest_is_not_answered():
    words = " ".join(f"w{number}" for number in range(3000))
    document = Document((Heading(1, "Long"), Paragraph((words,)), Paragraph(("Never seen.",))))
    style = PageStyle(width=400.0, height=300.0)
    drawn = pages._draw(document, style, 72.0)
    assert drawn.image.size == (400, 300)
    assert len(drawn.document.blocks) == 2
    last = drawn.document.blocks[1]
    assert isinstance(last, Paragraph)
    text = last.runs[0]
    assert isinstance(text, str)
    assert words.startswith(text + " ")
    assert len(text) > 450
    assert union(drawn.places[block_name(1)])[3] <= 300 - 55


def test_a_heading_is_never_the_last_thing_on_a_full_page():
    blocks = [
        block for number in range(40) for block in (Heading(1, f"Part {number}"), Paragraph(("word " * 30,)))
    ]
    for height in range(260, 420, 31):
        drawn = pages._draw(Document(tuple(blocks)), PageStyle(width=400.0, height=float(height)), 20.0)
        assert isinstance(drawn.document.blocks[-1], Paragraph)


def test_a_block_in_two_columns_is_no_region():
    document = Document((Paragraph(("word " * 40,)), Paragraph(("word " * 260,))))
    style = PageStyle(width=400.0, height=300.0, columns=2)
    regions = pages._regions(pages._draw(document, style, 72.0))
    assert [region.text for region in regions] == ["word " * 40]


def test_test_fonts_are_held_out():
    assert not {font.family for font in page_fonts("train")} & {font.family for font in page_fonts("test")}
    sample = PageEngine(split="test").sample(0, 0)
    assert sample.meta["font"] in {font.family for font in page_fonts("test")}


def test_pages_are_written_in_latin_letters_only():
    with pytest.raises(InvalidOptionError, match="zh"):
        PageEngine(language="zh")


def test_faces_for_programmers_draw_every_character_of_their_own():
    family = next(
        (font.family for font in page_fonts("train") if font.family in ("JetBrains Mono", "Fira Code")), None
    )
    if family is None:
        pytest.skip("no face with such ligatures is installed")
    style = PageStyle(font=family, head_font=family)
    with Typeset(typst_source(Document((Paragraph(("a != b -> c // d",)),)), style), font_folders()) as page:
        characters, boxes = page.characters(72)
    assert "".join(characters) == "a!=b->c//d"
    assert (boxes[1:, 0] > boxes[:-1, 0]).all()


def test_faces_of_mathematics_are_held_out_where_others_are_installed():
    train, test = math_fonts("train"), math_fonts("test")
    assert train[0] == "New Computer Modern Math"
    held_out = set(test) - {train[0]}  # the embedded one serves where no face is installed for the split
    assert not held_out & set(train)
    assert held_out or test == train[:1]


def test_a_forked_process_gets_an_error_rather_than_waiting_for_ever(monkeypatch):
    Typeset("Hello").__exit__(None, None, None)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(GotOcr2Error, match="spawn"):
        Typeset("Hello")


def test_without_typst_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingDependencyError, match="synth"):
        Typeset("Hello")
