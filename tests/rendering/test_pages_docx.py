"""Word documents: footnotes are Word's own, figures are pictures, and nothing of the page is lost."""

from __future__ import annotations

import io
import zipfile

import pytest
from lxml import etree
from page_texts import FORMATTED, truths

from got_ocr2.rendering import parse_page, render
from got_ocr2.rendering.pages.tree import Footnote
from got_ocr2.rendering.pages.walk import nodes

docx = pytest.importorskip("docx")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def parts(text):
    """The document, its text, and the text of each of its footnotes by its number."""
    data = render(text, "docx", "page").data
    docx.Document(io.BytesIO(data))  # python-docx opens it again
    archive = zipfile.ZipFile(io.BytesIO(data))
    body = etree.fromstring(archive.read("word/document.xml"))
    names = archive.namelist()
    assert len(names) == len(set(names))
    notes = {}
    if "word/footnotes.xml" in names:
        root = etree.fromstring(archive.read("word/footnotes.xml"))
        notes = {int(n.get(f"{W}id")): "".join(n.itertext()) for n in root if n.get(f"{W}type") is None}
    calls = [int(c.get(f"{W}id")) for c in body.iter(f"{W}footnoteReference")]
    assert calls == sorted(notes)
    return body, "".join(body.itertext()), list(notes.values())


def test_footnotes_are_called_where_their_mark_stands():
    text = (
        "A page\\( { }^{7} \\) of two notes\\( { }^{8} \\).\n\n"
        "\\footnotetext{\n\\( { }^{7} \\) Seven \\textbf{bold}.\n\n\\( { }^{8} \\) Eight.\n}"
    )
    body, said, notes = parts(text)
    assert notes == ["\u2002Seven bold.", "\u2002Eight."]
    assert said == "A page of two notes."
    assert [c.get(f"{W}val") for c in body.iter(f"{W}numStart")] == ["7"]


def test_marks_that_do_not_count_on_are_kept():
    text = (
        "First\\( { }^{1} \\).\n\n\\footnotetext{\n\\( { }^{1} \\) Of one page.\n}\n\n"
        "Second\\( { }^{1} \\) and\\( { }^{*} \\).\n\n"
        "\\footnotetext{\n\\( { }^{1} \\) Of another.\n}\n\n\\footnotetext{\n\\( { }^{*} \\) Star.\n}"
    )
    body, said, notes = parts(text)
    assert notes == ["1 Of one page.", "1 Of another.", "* Star."]
    assert said == "First1.Second1 and*."
    assert all(c.get(f"{W}customMarkFollows") == "1" for c in body.iter(f"{W}footnoteReference"))


def test_footnotes_that_nothing_calls_stay_at_the_foot():
    _, said, notes = parts("Text.\n\n\\footnotetext{\n\\( { }^{3} \\) Lost.\n}\n\n\\footnotetext{\nBare.\n}")
    assert (said, notes) == ("Text.3 Lost.Bare.", [])


def test_affiliations_of_authors_call_no_footnote_of_the_text():
    text = "\\author{\nA. Smith\\( { }^{1} \\)\n}\n\nText\\( { }^{1} \\).\n\n\\footnotetext{\n\\( { }^{1} \\) Note.\n}"
    _, said, notes = parts(text)
    assert (said, notes) == ("A. Smith1Text.", ["\u2002Note."])


def test_notes_in_the_text_and_in_cells_and_within_notes():
    text = (
        "One\\footnote{First \\footnote{inner} \\( x \\).}.\n\n"
        "\\begin{tabular}{l}\na\\footnote{Second, see \\href{https://example.org}{there}.} \\\\\n\\end{tabular}"
    )
    _, said, notes = parts(text)
    assert said == "One.a"
    assert notes == ["\u2002First  (inner) x.", "\u2002Second, see there."]


def test_every_frozen_footnote_is_one_of_words():
    count = 0
    for text in truths(*FORMATTED):
        expected = sum(isinstance(node, Footnote) for node in nodes(parse_page(text)))
        if expected and count < 6:
            assert len(parts(text)[2]) == expected
            count += expected
    assert count >= 6


def test_figures_are_pictures_with_their_source_as_description():
    text = "Acid:\n\n<smiles>CC(=O)O</smiles>\n\n\\begin{tikzpicture}\n\\draw (0,0) -- (2,1);\n\\end{tikzpicture}"
    body, said, _ = parts(text)
    assert said == "Acid:"
    described = [e.get("descr") for e in body.iter() if e.tag.endswith("}docPr")]
    assert described == ["CC(=O)O", "\\begin{tikzpicture}\n\\draw (0,0) -- (2,1);\n\\end{tikzpicture}"]
