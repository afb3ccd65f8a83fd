"""TikZ: right figures pass untouched, broken ones are mended and said, and nothing of a figure reaches outside it."""

from __future__ import annotations

import io
import json
import shutil
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from got_ocr2.errors import InvalidOptionError, RenderError
from got_ocr2.rendering import render
from got_ocr2.rendering.geometry.check import check
from got_ocr2.synth.registry import create_engine

SET = Path(__file__).parents[2] / "testsets" / "geometry" / "data.jsonl"
RECORDS = [json.loads(line) for line in SET.read_text(encoding="utf-8").splitlines()]
TRUTHS = [record["text"] for record in RECORDS]
LINE = "\\begin{tikzpicture}\n\\draw (0,0) -- (2,1);\n\\end{tikzpicture}\n"
needs_tex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")


def ink(data):
    """Which pixels are dark, without the empty margin."""
    with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as picture:
        dark = np.asarray(picture.convert("L")) < 240
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    return dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("truth", TRUTHS)
def test_frozen_truths_pass_untouched_and_are_drawn_whole(truth):
    assert render(truth, "tikz", strict=True).text.strip() == truth.strip()
    drawn = render(truth, "svg", strict=True)
    ET.fromstring(drawn.data)
    assert ink(render(truth, "png", dpi=100).data).sum() > 50


@pytest.mark.slow
def test_five_hundred_drawn_figures_pass_untouched():
    engine = create_engine("geometry")
    for index in range(500):
        truth = engine.sample(11, index).text
        assert render(truth, "tikz", "geometry", strict=True).text.strip() == truth.strip()
        ET.fromstring(render(truth, "svg", "geometry", strict=True).data)


@needs_tex
@pytest.mark.parametrize(
    "which", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
def test_tikra_draws_what_pdflatex_draws(which):
    ours, tex = (
        ink(render(TRUTHS[which], "png", engine=engine, dpi=60).data) for engine in ("tikra", "pdflatex")
    )
    assert ours.shape == pytest.approx(tex.shape, rel=0.06)
    size = (ours.shape[1], ours.shape[0])
    again = np.asarray(Image.fromarray(tex).resize(size)) > 0
    near = np.zeros_like(again)
    for dy in range(-3, 4):
        for dx in range(-3, 4):
            near |= np.roll(again, (dy, dx), (0, 1))
    assert (ours & near).sum() > 0.9 * ours.sum()  # labels are set in another face


@pytest.mark.parametrize(
    ("text", "tikz", "said"),
    [
        ("\\begin{tikzpicture}\n\\draw (0,0)--(1,1)\n\\node at (0,0) {$A$}\n\\draw (1,1) circle (2);\n"
         "\\end{tikzpicture}",
         "\\begin{tikzpicture}\n\\draw (0,0)--(1,1);\n\\node at (0,0) {$A$};\n\\draw (1,1) circle (2);\n"
         "\\end{tikzpicture}\n",
         ["line 2: a semicolon is missing at the end; it was added",
          "line 3: a semicolon is missing at the end; it was added"]),
        ("\\draw (0，0) -- (1,1)。", "\\begin{tikzpicture}\n\\draw (0,0) -- (1,1).;\n\\end{tikzpicture}\n", None),
        ("\\begin{tikzpicture}\n\\draw (0,0)\n  -- (1,1);\n\\foreach \\x in {1,2} {\n\\draw (\\x,0) -- (\\x,1);\n}\n",
         "\\begin{tikzpicture}\n\\draw (0,0)\n  -- (1,1);\n\\foreach \\x in {1,2} {\n\\draw (\\x,0) -- (\\x,1);\n}\n"
         "\\end{tikzpicture}\n", ["line 7: \\end{tikzpicture} is missing; it was added"]),
        ("\\begin{tikzpicture}\n\\node at (0,0) {点，甲};\n\\end{tikzpicture}\nThat is all.",
         "\\begin{tikzpicture}\n\\node at (0,0) {点，甲};\n\\end{tikzpicture}\n",
         ["line 4: text after the figure was left out"]),
        ("\\documentclass{standalone}\n\\usetikzlibrary{calc}\n\\begin{document}\n" + LINE + "\\end{document}\n",
         LINE, []),
    ],
)  # fmt: skip
def test_what_is_mended_is_said(text, tikz, said):
    figure = check(text)
    assert figure.tikz == tikz
    if said is not None:
        assert [str(problem) for problem in figure.problems] == said
    assert check(figure.tikz).problems == ()
    assert check(figure.tikz).tikz == figure.tikz


def test_what_tikra_does_not_know_is_said():
    text = "\\begin{tikzpicture}\n\\draw [purpl] (0,0) -- (1,1);\n\\end{tikzpicture}"
    drawn = render(text, "svg")
    assert [problem.reason for problem in drawn.problems] == ["tikra: option 'purpl' not supported: ignored"]
    with pytest.raises(RenderError, match="The figure is not as it should be"):
        render(text, "svg", strict=True)
    with pytest.raises(RenderError, match="The figure is empty"):
        render("\\begin{tikzpicture}\n\\draw (0,0) -- (A);\n\\end{tikzpicture}", "svg")
    with pytest.raises(RenderError, match="no drawing command"):
        render("hello", "svg", "geometry")
    with pytest.raises(InvalidOptionError, match="engine is one of tikra, pdflatex, got 'tex'"):
        render(text, "svg", engine="tex")
    with pytest.raises(InvalidOptionError, match="20 to 1200 pixels an inch, got 5"):
        render(text, "png", dpi=5)


HOSTILE = ["\\immediate\\write18{touch TARGET}", "\\input{TARGET}", "\\openout5=TARGET", "\\csname inp\\endcsname",
           "\\special{x}", "\\catcode`A=0", "\\node at (0,0) {\\includegraphics{TARGET}};", "^^5cinput{TARGET}",
           "\\draw (0,0) node {\\pdffiledump{TARGET}};"]  # fmt: skip


@pytest.mark.parametrize("command", HOSTILE)
def test_commands_that_reach_outside_are_left_out(command, tmp_path):
    target = tmp_path / "target"
    text = LINE.replace("\\draw", command.replace("TARGET", str(target)) + "\n\\draw")
    figure = check(text)
    assert figure.tikz == LINE
    assert "reaches outside the figure" in figure.problems[0].reason
    render(text, "svg")
    assert not target.exists()


@needs_tex
def test_pdflatex_is_confined(tmp_path, monkeypatch):
    """What the check leaves out is let through here: TeX itself must refuse it."""
    from got_ocr2.rendering.geometry import check as checking
    from got_ocr2.rendering.geometry.latex import pdf_of

    secret, target = tmp_path / "secret.tex", tmp_path / "target"
    secret.write_text("\\node at (0,0) {secret};")
    for body in (f"\\input{{{secret}}}", f"\\immediate\\openout5={target}\\immediate\\write5{{x}}"):
        figure = checking.Figure(LINE.replace("\\draw", body + "\\draw"), (), ())
        with pytest.raises(RenderError, match="pdflatex cannot draw this figure"):
            pdf_of(figure)
    shell = f"\\immediate\\write18{{touch {target}}}\\draw"
    assert pdf_of(checking.Figure(LINE.replace("\\draw", shell), (), ())).startswith(b"%PDF")
    assert not target.exists()
    monkeypatch.setattr("got_ocr2.rendering.geometry.latex._SECONDS", 1)
    endless = checking.Figure(LINE.replace("\\draw", "\\def\\a{\\a}\\a\\draw"), (), ())
    with pytest.raises(RenderError, match="pdflatex took longer than 1 seconds"):
        pdf_of(endless)


def test_hostile_input_is_inert_and_bounded():
    start = time.process_time()
    svg = render(
        LINE.replace("\\draw", "\\node at (0,0) {<script>alert(1)</script> ]]> --> \\& &lt;};\n\\draw"), "svg"
    ).text
    root = ET.fromstring(svg)
    assert not [node for node in root.iter() if node.tag.endswith(("script", "image", "foreignObject", "}a"))]
    with pytest.raises(RenderError, match="at most 100,000 characters, got 10,000,"):
        check(LINE + "{" * 10_000_000)
    with pytest.raises(RenderError, match="at most 60 deep in one another, got 90000"):
        check("\\draw " + "{" * 90_000)
    loops = "\\foreach \\x in {1,...,1000} \\foreach \\y in {1,...,1000} \\draw (\\x,0) -- (0,\\y);"
    with pytest.raises(RenderError, match="too large"):
        render(loops, "svg", "geometry")
    with pytest.raises(RenderError, match="cannot be drawn at 1200 pixels an inch"):
        render("\\draw (0,0) -- (9000,9000);", "png", "geometry", dpi=1200)
    render("\\draw (0,0)" + " -- (1,1)" * 10_000 + ";", "svg", "geometry")
    render("\\draw (0,0)\n" * 8000, "tikz", "geometry")
    assert time.process_time() - start < 60


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(
    ["\\draw (0,0) -- (1,1)", ";", "\n", "\\node at (0,0) {$A$}", "{", "}", "\\foreach \\x in {1,2}", "，", "[", "]",
     "\\begin{tikzpicture}", "\\end{tikzpicture}", "%", " -- (2,2)", "\\foo", "\\input{x}", "$"]), max_size=25,
))  # fmt: skip
def test_any_text_is_checked_and_drawn_or_refused(parts):
    text = "\\draw (0,0) -- (1,0)" + "".join(parts)
    figure = check(text)
    assert check(figure.tikz).tikz == figure.tikz
    assert "\\input" not in figure.tikz
    try:
        ET.fromstring(render(text, "svg", "geometry").data)
    except RenderError as e:
        assert str(e).startswith("The figure")  # noqa: PT017
