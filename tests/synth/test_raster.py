"""The rasteriser: right sizes, right colours, the same pixels from both bindings, clear refusals."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from got_ocr2.errors import InvalidOptionError, MissingDependencyError
from got_ocr2.synth.drawing.svg import svg_to_image
from got_ocr2.synth.fonts.catalog import fonts

pytest.importorskip("tikra")
resvg_py = pytest.importorskip("resvg_py")

SVG = '<svg xmlns="http://www.w3.org/2000/svg" {size}><circle cx="20" cy="10" r="8" fill="#c00"/></svg>'


@pytest.mark.parametrize(
    ("size", "natural"),
    [
        ('width="40" height="20"', (40, 20)),
        ('width="40px" height="20px" viewBox="0 0 40 20"', (40, 20)),
        ('viewBox="0 0 40 20"', (40, 20)),
        ('width="30pt" height="15pt" viewBox="0 0 40 20"', (40, 20)),
        ("width='1in' height='0.5in' viewBox='0 0 40 20'", (96, 48)),
    ],
)
def test_sizes(size, natural):
    svg = SVG.format(size=size)
    assert svg_to_image(svg).size == natural
    large = svg_to_image(svg, 100)
    assert large.size == (100, 50)
    assert large.mode == "RGB"
    assert large.getpixel((50, 25)) == (204, 0, 0)
    assert large.getpixel((2, 2)) == (255, 255, 255)


def test_the_background_shows_through():
    assert svg_to_image(SVG.format(size='viewBox="0 0 40 20"'), background=(10, 20, 30)).getpixel((0, 0)) == (
        10,
        20,
        30,
    )


def test_both_bindings_draw_the_same_pixels():
    svg = SVG.format(size='width="200" height="100" viewBox="0 0 40 20"')
    other = resvg_py.svg_to_bytes(svg_string=svg, background="white", skip_system_fonts=True)
    expected = np.asarray(Image.open(io.BytesIO(bytes(other))).convert("RGB"))
    assert np.abs(np.asarray(svg_to_image(svg), int) - expected).max() <= 1


def test_text_is_drawn_with_the_fonts_given():
    face = next(face for face in fonts("sans", italic=False) if not face.axes)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40">'
        f'<text x="5" y="30" font-size="30" font-family="{face.family}">Hag</text></svg>'
    )
    picture = svg_to_image(svg, font_files=[face.path])
    assert np.asarray(picture.convert("L")).min() < 60
    with pytest.raises(InvalidOptionError, match="no font files"):
        svg_to_image(svg)


@pytest.mark.parametrize(
    ("svg", "width", "words"),
    [
        ("<html/>", None, "no <svg>"),
        ("<svg></svg>", None, "viewBox of four"),
        ('<svg viewBox="0 0 0 5"></svg>', None, "0 x 5"),
        ('<svg viewBox="0 0 10 5"></svg>', 0, "0 x 1"),
        ('<svg viewBox="0 0 1 5"></svg>', 20_000, "20000 x 100000"),
    ],
)
def test_what_cannot_be_drawn_is_refused(svg, width, words):
    with pytest.raises(InvalidOptionError, match=words):
        svg_to_image(svg, width)


@pytest.mark.parametrize(("module", "body"), [("tikra", ""), ("resvg_py", "<text>x</text>")])
def test_a_missing_rasteriser_names_the_extra(module, body, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match="synth"):
        svg_to_image(f'<svg viewBox="0 0 10 5">{body}</svg>', font_files=["x.ttf"])
