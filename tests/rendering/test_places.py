"""Lines and words with places as hOCR, ALTO, PAGE-XML and TSV."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from placed_results import placed

from got_ocr2.errors import InvalidOptionError, RenderError
from got_ocr2.rendering.places import Slanted, write
from got_ocr2.rendering.places.layout import place
from got_ocr2.results import DocumentResult, PageError, PageResult, TextPart

SCHEMAS = Path(__file__).parent / "schemas"
LINES = (
    ("A fine & <short> day", (100, 50, 500, 90), 0.0, 0),
    ("runs down a little", (100, 120, 500, 186), 4.0, 0),
    ("שלום עולם abc", (600, 150, 900, 190), 0.0, 1),
)
TEXTS = ("hocr", "alto", "page-xml", "tsv")


@pytest.fixture(scope="module")
def schemas():
    return {
        name: etree.XMLSchema(etree.parse(str(SCHEMAS / file)))
        for name, file in (("alto", "alto-4-4.xsd"), ("page-xml", "page-2019-07-15.xsd"))
    }


def tags(data: bytes, name: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(data).iter() if e.tag.rpartition("}")[2] == name]


def test_hocr_has_lines_and_words_with_boxes_and_confidences():
    page = ET.fromstring(write(placed(*LINES, source='a "b" \\ c.png'), "hocr").data)
    found = {
        kind: [e for e in page.iter() if e.get("class") == kind]
        for kind in ("ocr_page", "ocr_line", "ocrx_word")
    }
    assert found["ocr_page"][0].get("title") == 'image "a \\"b\\" \\\\ c.png"; bbox 0 0 1000 700; ppageno 0'
    assert ["".join(line.itertext()) for line in found["ocr_line"]] == [line[0] for line in LINES]
    assert found["ocr_line"][0].get("title").startswith("bbox 100 50 500 90; baseline 0.0000 -8")
    assert float(re.search(r"baseline (\S+)", found["ocr_line"][1].get("title"))[1]) == pytest.approx(
        0.07, abs=1e-3
    )
    assert found["ocrx_word"][0].get("title") == "bbox 100 50 120 90; x_wconf 80"  # one letter of twenty
    ids = [e.get("id") for e in page.iter() if e.get("id")]
    assert len(ids) == len(set(ids))


def test_words_of_a_line_from_right_to_left_share_it_from_the_right():
    words = place(placed(*LINES))[0].blocks[1][0].words
    assert [w.text for w in words] == ["שלום", "עולם", "abc"]
    assert words[0].place.x > words[1].place.x > words[2].place.x


def test_a_words_own_box_is_used():
    page = placed(("one two", (100, 50, 500, 90)))
    words = tuple(
        dataclasses.replace(w, box=(10 + 200 * k, 52, 150 + 200 * k, 88)) for k, w in enumerate(page.words)
    )
    found = place(dataclasses.replace(page, words=words))[0].blocks[0][0].words
    assert [round(w.place.box[0]) for w in found] == [10, 210]
    assert [round(w.place.box[2]) for w in found] == [150, 350]


@pytest.mark.parametrize("to", ["alto", "page-xml"])
def test_valid(schemas, to):
    schemas[to].assertValid(etree.fromstring(write(placed(*LINES), to).data))
    schemas[to].assertValid(
        etree.fromstring(write(PageResult("", "empty", "stop", width=9, height=7), to).data)
    )


def test_alto_holds_several_pages_and_page_xml_one(schemas):
    document = DocumentResult("a.pdf", (placed(*LINES), placed(*LINES[:1], number=2)))
    data = write(document, "alto").data
    schemas["alto"].assertValid(etree.fromstring(data))
    assert [e.get("PHYSICAL_IMG_NR") for e in tags(data, "Page")] == ["1", "2"]
    with pytest.raises(RenderError, match="holds one page, got 2"):
        write(document, "page-xml")


def test_alto_and_page_xml_say_the_text():
    alto, page = write(placed(*LINES), "alto").data, write(placed(*LINES), "page-xml").data
    assert [e.get("CONTENT") for e in tags(alto, "String")] == [w for line in LINES for w in line[0].split()]
    assert len(tags(alto, "SP")) == len(tags(alto, "String")) - len(LINES)
    assert [e.find("{*}TextEquiv/{*}Unicode").text for e in tags(page, "TextLine")] == [
        line[0] for line in LINES
    ]
    # only the line that is not level has a polygon beside its box
    assert [len(e.findall("{*}Shape")) for e in tags(alto, "TextLine")] == [0, 1, 0]


def test_tsv_nests_as_tesseract_does():
    rows = [row.split("\t") for row in write(placed(*LINES), "tsv").text.splitlines()]
    assert all(len(row) == 12 for row in rows)
    assert [row[0] for row in rows[1:8]] == ["1", "2", "3", "4", "5", "5", "5"]
    assert rows[5] == ["5", "1", "1", "1", "1", "1", "100", "50", "20", "40", "80.000000", "A"]
    assert {row[10] for row in rows[1:] if row[0] != "5"} == {"-1"}


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_tsv_has_the_columns_of_tesseract(tmp_path):
    from PIL import Image

    Image.new("L", (200, 80), 255).save(tmp_path / "white.png")
    made = subprocess.run(
        ["tesseract", tmp_path / "white.png", "-", "tsv"], capture_output=True, text=True, check=True
    )
    assert made.stdout.splitlines()[0] == write(placed(*LINES), "tsv").text.splitlines()[0]


def test_lines_without_a_place_are_said():
    page = placed(("known", (1, 1, 90, 20)), ("lost", None), ("lost too", None))
    made = write(page, "hocr")
    assert [str(p) for p in made.problems] == [
        "line 2: 2 lines have no place on page 1 and were left out, the first one here"
    ]
    assert "lost" not in made.text
    with pytest.raises(RenderError, match="2 lines have no place"):
        write(page, "hocr", strict=True)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (placed(("a", None), ("b", None)), "None of the 2 lines"),
        (dataclasses.replace(placed(LINES[0]), lines=None), "read without lines"),
        (dataclasses.replace(placed(LINES[0]), page_numbers=(1, 2)), "read together"),
        (dataclasses.replace(placed(LINES[0]), width=0), "no size"),
        (PageResult("", "failed", "error", error=PageError("E", "m", 2)), "failed"),
    ],
)
def test_pages_that_cannot_be_placed(page, words):
    with pytest.raises(RenderError, match=words):
        write(page, "tsv")


def test_the_failed_page_of_a_document_is_left_out_and_said():
    failed = PageResult(
        "", "failed", "error", page_numbers=(1,), error=PageError("InputError", "It is torn.", 2)
    )
    made = write(DocumentResult("a.pdf", (failed, placed(*LINES, number=2))), "tsv")
    assert [str(p) for p in made.problems] == ["line 1: page 1 failed and was left out: It is torn"]
    assert {row.split("\t")[1] for row in made.text.splitlines()[1:]} == {"2"}


def test_formats_that_are_not_places():
    with pytest.raises(InvalidOptionError, match="got 'docx'"):
        write(placed(*LINES), "docx")
    with pytest.raises(InvalidOptionError, match="empty list"):
        write([], "hocr")


def test_options_that_a_format_does_not_have():
    page = placed(*LINES)
    for to, options, words in (
        ("hocr", {"unknown": 1}, "Writing a page as hocr has no option 'unknown'; it has none"),
        ("tsv", {"dpi": 100}, "Writing a page as tsv has no option 'dpi'; it has none"),
        (
            "searchable-pdf",
            {"unknown": 1},
            "no option 'unknown'; it has dpi, existing_text, password, source",
        ),
        ("alto", {"kind": "chart"}, "Only a page can be written as alto, got the kind 'chart'"),
    ):
        with pytest.raises(InvalidOptionError, match=words):
            page.render(to, **options)


@given(
    st.floats(5, 900), st.floats(3, 60), st.floats(-180, 180), st.floats(-50, 900), st.floats(-50, 900)
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_a_turned_rectangle_comes_back_from_its_box(length, height, angle, x, y):
    there = Slanted(x, y, length, height, angle)
    back = Slanted.inside(there.box, angle)
    tilt = abs((angle + 45) % 90 - 45)
    assert (back.x, back.y) == (pytest.approx(x), pytest.approx(y))
    assert back.length > 0
    assert back.height > 0
    if tilt < 35:
        assert (back.length, back.height) == (
            pytest.approx(length, rel=1e-6),
            pytest.approx(height, rel=1e-6),
        )
        start, end = there.share_of(there.part(0.25, 0.75).box)
        assert (start, end) == (
            pytest.approx(0.25, abs=0.06),
            pytest.approx(0.75, abs=0.06),
        ) or length < 5 * height


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=12).filter(lambda s: s.strip() == s and "\n" not in s),
            st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 4),
            st.floats(-180, 180),
            st.integers(0, 2),
        ),
        max_size=4,
    )
)
@settings(max_examples=150, deadline=None)
def test_any_text_and_any_boxes_make_valid_files(schemas, lines):
    page = placed(
        *[
            (t, (min(b[0], b[2]) - 1, min(b[1], b[3]) - 1, max(b[0], b[2]), max(b[1], b[3])), a, n)
            for t, b, a, n in lines
        ]
    )
    for to in TEXTS:
        data = write(page, to).data
        if to in schemas:
            schemas[to].assertValid(etree.fromstring(data))
        elif to == "hocr":
            ET.fromstring(data)
        else:
            assert all(len(row.split("\t")) == 12 for row in data.decode().strip("\n").split("\n"))


def test_markup_in_the_text_stays_text():
    page = placed(
        ("<script>alert(1)</script> ]]> &lol; \x00\x1b", (1, 1, 900, 40)), source='"><script>x</script>'
    )
    for to in ("hocr", "alto", "page-xml"):
        data = write(page, to).data
        assert b"<script" not in data
        ET.fromstring(data)


def test_words_that_are_missing_are_found_in_the_line():
    page = dataclasses.replace(placed(("one  two", (0, 0, 80, 10))), words=None)
    assert [(w.text, w.space) for w in place(page)[0].blocks[0][0].words] == [("one", True), ("two", False)]
    ideographs = PageResult(
        "漢字", "complete", "stop", width=100, height=50,
        lines=(TextPart("漢字", 0, 2, 1.0, (0, 0, 40, 20), 0.0, 0),),
        words=(TextPart("漢", 0, 1, 1.0), TextPart("字", 1, 2, 1.0)),
    )  # fmt: skip
    assert [(w.text, w.space) for w in place(ideographs)[0].blocks[0][0].words] == [
        ("漢", False),
        ("字", False),
    ]
