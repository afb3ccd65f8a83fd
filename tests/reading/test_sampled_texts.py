"""Texts drawn by temperature, top_p and seed."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from got_ocr2 import OCR
from got_ocr2.errors import InvalidOptionError


@pytest.fixture(scope="module")
def ocr(real_vocab_model, real_vocab_processor):
    made = OCR(real_vocab_model, real_vocab_processor)
    yield made
    made.close()


@pytest.fixture(scope="module")
def page():
    page = Image.new("RGB", (200, 120), "white")
    draw = ImageDraw.Draw(page)
    for y in (30, 80):
        draw.text((20, y), "Some words on a line", fill="black")
    return page


@pytest.mark.parametrize("lines", [False, True])
def test_equal_seeds_draw_equal_texts(ocr, page, lines):
    def read(**options):
        return ocr.read(page, lines=lines, max_new_tokens=4, on_loop="ignore", **options)

    def drawn(seed, **options):
        return read(temperature=2.0, seed=seed, **options).mean_logprob

    assert drawn(1) == drawn(1)
    assert len({drawn(1), drawn(2), drawn(3)}) == 3
    assert read(temperature=0.0, seed=1).mean_logprob == read().mean_logprob
    # Among the most probable tokens alone there is nothing to draw.
    assert drawn(1, top_p=1e-9) == pytest.approx(read().mean_logprob)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -0.1}, r"temperature must be a number >= 0, got -0\.1"),
        ({"temperature": True}, "temperature must be a number >= 0, got True"),
        ({"top_p": 0}, "top_p must be above 0 and at most 1, got 0"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
    ],
)
def test_what_cannot_be_drawn(ocr, page, options, message):
    with pytest.raises(InvalidOptionError, match=message):
        ocr.read(page, **options)
