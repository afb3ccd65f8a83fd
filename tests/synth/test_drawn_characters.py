"""Characters of an answer and their places on the page: the order of drawing is known, and nothing is guessed."""

from __future__ import annotations

import numpy as np
import pytest

from got_ocr2.synth.formulas.engine import FormulaEngine
from got_ocr2.synth.markup.drawn_characters import pair, plain_text, text_marks
from got_ocr2.synth.pages.engine import PageEngine
from got_ocr2.synth.tables.engine import TableEngine

pytest.importorskip("typst")


def shown(text: str) -> str:
    """The marked characters of an answer, after checking where they are said to stand."""
    marks = text_marks(text, 5)
    for offset, char in marks:
        at = text[offset - 5]
        assert at == "\\" or plain_text(at) == plain_text(char)
    return "".join(char for _, char in marks)


@pytest.mark.parametrize(("text", "expected"), [
    ("a \\& b", "a&b"),
    ("\\section*{2 To be}\nor not", "2Tobeornot"),
    ("\\begin{itemize}\n\\item one\n\\item 5\\%\n\\end{itemize}", "one5%"),
    ("\\title{\nA\nB\n}", "AB"),
    ("so \\( x_{i}^{2} \\) is", "sox2iis"),
    ("\\[ \\frac{a}{b}=\\sqrt[3]{c} \\tag{4.1} \\]", "ab=√3c4.1"),
    ("\\[ \\alpha\\leq\\sum_{k=1}^{n}\\hat{y} \\]", "α≤∑nk=1y"),
    ("\\[ f^{\\prime \\prime}\\left[\\mathbf{A}\\right) \\]", "f′[A)"),
    ("\\[ \\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix} \\]", "(acbd"),
    ("\\[ \\begin{cases} a, & \\text{if }b \\\\ c & d \\end{cases} \\]", "{a,ifbcd"),
    ("\\[ \\operatorname{tr}\\max_{x}\\underbrace{p}_{\\text{low}} \\]", "trmaxx⏟plow"),
    ("\\[ x\\stackrel{d}{=}\\|y\\|\\xrightarrow{n}\\{z\\} \\]", "x=d‖y‖→n{z}"),
    ("\\hline \\multicolumn{2}{|c|}{to} & \\multirow{2}{*}{go} \\\\\n\\cline{1-2} 3", "togo3"),
])  # fmt: skip
def test_marks_follow_the_drawing(text, expected):
    assert shown(text) == expected


def test_what_has_no_partner_is_left_out():
    marks = text_marks("hyphenation of words")
    pairs = pair(marks, plain_text("hyphen-ationofwords"))
    assert [offset for offset, _ in pairs] == [offset for offset, _ in marks]
    assert [index for _, index in pairs][6:8] == [7, 8]
    assert pair(text_marks("one two"), "onXXtwo") == [(0, 0), (1, 1), (4, 4), (5, 5), (6, 6)]
    assert pair(text_marks("abc"), "") == []


@pytest.mark.parametrize("engine", [FormulaEngine(renderer="typst"), TableEngine(), PageEngine()])
def test_nearly_every_character_has_its_place(engine):
    for index in range(6):
        sample = engine.sample(61, index)
        offsets, boxes = sample.glyphs.offsets, sample.glyphs.boxes
        assert len(set(offsets.tolist())) == len(offsets) == len(boxes)
        assert offsets.dtype == np.int32
        assert boxes.dtype == np.float32
        assert len(offsets) >= 0.95 * len(text_marks(sample.text))
        assert (boxes[:, 2:] >= boxes[:, :2]).all()
        assert (boxes >= -1).all()
        assert (boxes[:, 2:] <= np.array(sample.image.size) + 1).all()


@pytest.mark.parametrize("engine", [FormulaEngine(renderer="typst"), TableEngine(), PageEngine()])
def test_there_is_ink_where_a_character_is_said_to_be(engine):
    sample = engine.sample(62, 1)
    grey = np.asarray(sample.image.convert("L"), int)
    paper = np.bincount(grey.ravel()).argmax()
    for left, top, right, bottom in sample.glyphs.boxes:
        piece = grey[int(top) : int(np.ceil(bottom)) + 1, int(left) : int(np.ceil(right)) + 1]
        assert abs(piece - paper).max() > 30


def test_characters_of_a_cell_lie_in_it():
    sample = TableEngine().sample(63, 0)
    cells = [region for region in sample.regions if region.kind == "line"]
    places = dict(zip(sample.glyphs.offsets.tolist(), sample.glyphs.boxes, strict=True))
    at = 0
    checked = 0
    for cell in cells:
        at = sample.text.index(cell.text, at)
        for offset in range(at, at + len(cell.text)):
            if offset in places:
                x, y = (places[offset][:2] + places[offset][2:]) / 2
                assert cell.box[0] - 2 <= x <= cell.box[2] + 2
                assert cell.box[1] - 2 <= y <= cell.box[3] + 2
                checked += 1
        at += len(cell.text)
    assert checked > 20
