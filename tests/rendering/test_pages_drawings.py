"""Scores, molecules and figures inside a page: drawn where the format has pictures, said where they cannot be."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET

import pytest
from PIL import Image

from got_ocr2.errors import RenderError
from got_ocr2.rendering import parse_page, render
from got_ocr2.rendering.pages.drawings import MOST_DRAWINGS, Drawn
from got_ocr2.rendering.pages.tree import Drawing
from got_ocr2.rendering.pages.walk import nodes

SCORE = "**kern\n*clefG2\n*M4/4\n=1\n4c\n4d\n4e\n4f\n==\n*-"
FIGURE = "\\begin{tikzpicture}\n\\draw (0,0) -- (2,1);\n\\end{tikzpicture}"
TEXT = f"A molecule:\n\n<smiles>CCO</smiles>\n\nA figure:\n\n{FIGURE}\n\nA score:\n\n{SCORE}\n"


def pictures(html):
    found = re.findall(r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]+)">', html)
    return [(alt, base64.b64decode(data).decode()) for alt, data in found]


def test_html_has_each_as_a_drawing_with_its_source():
    done = render(TEXT, "html", "page")
    found = pictures(done.text)
    assert [alt for alt, _ in found] == ["CCO", FIGURE, SCORE]
    assert [ET.fromstring(svg).tag.rpartition("}")[2] for _, svg in found] == ["svg"] * 3
    assert found[2][1].count('class="note"') == 4
    assert done.problems == ()
    assert "<pre>" not in done.text


def test_pictures_have_the_size_of_the_drawing():
    page = parse_page(TEXT)
    drawn = Drawn(page)
    for node in (node for node in nodes(page) if isinstance(node, Drawing)):
        data, points = drawn.png(node)
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.width == pytest.approx(points * 300 / 72, abs=2)
            assert picture.convert("L").getextrema()[0] < 100


def test_pdf_shows_all_three():
    pytest.importorskip("weasyprint")
    pdfium = pytest.importorskip("pypdfium2")
    with pdfium.PdfDocument(render(TEXT, "pdf", "page").data) as document:
        picture = document[0].render(scale=1).to_pil().convert("L")
        rows = [
            bool(picture.crop((0, y, picture.width, y + 1)).getextrema()[0] < 128)
            for y in range(picture.height)
        ]
    bands = sum(now and not before for before, now in zip([False, *rows], rows, strict=False))
    assert bands >= 6  # three lines of text, and at least a band of ink for each drawing


def test_what_cannot_be_drawn_stays_text_and_is_said_in_its_line():
    text = "Wrong:\r\n\r\n<smiles>CC(C</smiles>\r\n\r\nand\r\n\r\n<smiles>C(C)(C)(C)(C)C</smiles>\r\n"
    done = render(text, "html", "page")
    assert [problem.line for problem in done.problems] == [3, 7]
    assert "the molecule stays text: this is no SMILES string" in done.problems[0].reason
    assert "C has 5 bonds here" in done.problems[1].reason
    assert "<pre><code>CC(C</code></pre>" in done.text
    assert len(pictures(done.text)) == 1
    with pytest.raises(RenderError, match="line 3"):
        render(text, "html", "page", strict=True)
    assert render(text, "md", "page").problems == ()  # which shows sources


def test_no_more_are_drawn_than_a_page_can_hold():
    text = "\n\n".join(f"<smiles>{'C' * n}O</smiles>" for n in range(1, MOST_DRAWINGS + 3))
    done = render(text, "html", "page")
    assert len(pictures(done.text)) == MOST_DRAWINGS
    assert [problem.line for problem in done.problems] == [2 * MOST_DRAWINGS + 1, 2 * MOST_DRAWINGS + 3]


def test_hostile_drawings_are_inert():
    text = (
        "\\begin{tikzpicture}\n\\input{/etc/passwd}\n\\node at (0,0) {<script>alert(1)</script>};\n"
        "\\draw (0,0) -- (1,1);\n\\end{tikzpicture}\n\n"
        '**kern\t**text\n*clefG2\t*\n4c\t"><script>alert(2)</script>\n*-\t*-\n'
    )
    html = render(text, "html", "page").text
    assert not re.search(r"<(script|svg|a|iframe)\b", html[html.index("<main>") :])
    for _, svg in pictures(html):
        tags = {element.tag.rpartition("}")[2].lower() for element in ET.fromstring(svg).iter()}
        assert not tags & {"script", "foreignobject", "image", "a"}
        assert "root:x:0" not in svg
