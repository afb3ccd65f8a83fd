"""Truth -> tree -> file -> tree: nothing is lost on the way."""

from __future__ import annotations

import csv
import io
import shutil

import pytest
from page_texts import FORMATTED, truths

from got_ocr2.rendering import parse_page, render
from got_ocr2.rendering.pages.as_json import document as to_json
from got_ocr2.rendering.pages.as_json import page_from_json
from got_ocr2.rendering.pages.latex import document as to_latex
from got_ocr2.rendering.pages.mathml import mathml
from got_ocr2.rendering.pages.parsing.inline import parse_runs
from got_ocr2.rendering.pages.parsing.source import Source
from got_ocr2.rendering.pages.tree import Display, Math, Table
from got_ocr2.rendering.pages.walk import nodes, plain_text

PLAIN = ("text-lines", "text-pages", "text-paragraphs", "text-scenes", "text-words", "region")


def whole(text: str, *, plain: bool = False) -> None:
    page = parse_page(text, plain=plain)
    assert page.problems == ()
    again = parse_page(to_latex(page))
    assert again.blocks == page.blocks
    assert page_from_json(to_json(page)).blocks == page.blocks
    for node in nodes(page):
        if isinstance(node, Math | Display):
            assert mathml(node.tex, isinstance(node, Display)) is not None, node.tex
    tables = [node for node in nodes(page) if isinstance(node, Table)]
    if tables:
        rows = list(csv.reader(io.StringIO(render(text, "csv", "page").text)))
        said = [[c.removeprefix("'") for c in row if c] for row in rows if row]
        assert said == [
            [s for cell in row.cells if (s := plain_text(cell.runs, " ").strip())]
            for t in tables
            for row in t.rows
        ]


@pytest.mark.parametrize("name", FORMATTED)
def test_frozen_pages(name):
    for text in truths(name):
        whole(text)


@pytest.mark.parametrize("name", PLAIN)
def test_frozen_plain_texts(name):
    for text in truths(name):
        page = parse_page(text, plain=True)
        assert page.problems == ()
        assert parse_page(to_latex(page)).blocks == page.blocks
        words = render(text, "txt", "page", plain=True).text.split()
        assert words == text.split()


def samples(kind, count):
    from got_ocr2.synth.registry import create_engine  # the data engines are an extra

    engine = create_engine(kind)
    return (engine.sample(11, index) for index in range(count))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["page", "formula"])
def test_five_hundred_drawn(kind):
    for sample in samples(kind, 500):
        whole(sample.text)


@pytest.mark.parametrize("count", [3, pytest.param(500, marks=pytest.mark.slow)])
def test_drawn_tables_have_the_cells_that_were_drawn(count):
    for sample in samples("table", count):
        whole(sample.text)
        rows = list(csv.reader(io.StringIO(render(sample.text, "csv", "page").text)))
        drawn = [said(region.text) for region in sample.regions if region.kind == "line"]
        assert sorted(cell.removeprefix("'") for row in rows for cell in row if cell) == sorted(drawn)


def said(text):
    """What a cell's markup says; by itself it might be taken for a list."""
    return plain_text(parse_runs(Source(text), 0, len(text)), " ").strip()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "line"])
def test_five_hundred_drawn_plain_texts(kind):
    for sample in samples(kind, 500):
        page = parse_page(sample.text, plain=True)
        assert page.problems == ()
        assert parse_page(to_latex(page)).blocks == page.blocks
        assert render(sample.text, "txt", "page", plain=True).text.split() == sample.text.split()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_compiles_frozen_pages():
    for text in [text for name in ("page", "table") for text in truths(name)][:12]:
        assert render(text, "pdf", "page", engine="latex").problems == ()
