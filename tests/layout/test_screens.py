"""What screens and forms show: dark buttons and heads of tables, pale words, on paper no such thing."""

from __future__ import annotations

import numpy as np
import pytest
from layout_pages import page
from PIL import Image, ImageDraw, ImageFont

from got_ocr2.layout import find_lines
from got_ocr2.layout.screens import panels_of

FONT = ImageFont.load_default(18)


def form(paper: int = 255) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (640, 300), paper)
    draw = ImageDraw.Draw(image)
    for row in range(4):
        draw.text((30, 20 + 40 * row), "Sphinx of black quartz, judge my vow", 0, FONT)
    return image, draw


@pytest.mark.parametrize("surface", [0, 60, 110])
def test_letters_on_a_button_are_a_line_of_their_own(surface):
    image, draw = form()
    draw.rounded_rectangle((30, 200, 150, 240), 6, fill=surface)
    draw.text((58, 210), "Submit", 255, FONT)
    draw.text((175, 210), "Cancel", 0, FONT)
    (left, right) = (line for line in find_lines(image).lines if line.box[1] > 190)
    assert left.light_on_dark
    assert not right.light_on_dark
    assert 55 < left.box[0] < left.box[2] < 130
    assert 170 < right.box[0] < right.box[2] < 245


def test_the_dark_head_of_a_table_is_its_first_row():
    image, draw = form()
    draw.rectangle((30, 190, 600, 218), fill=70)
    for place, word in zip((40, 260, 480), ("Item", "Quantity", "Price"), strict=True):
        draw.text((place, 193), word, 250, FONT)
        for row in range(2):
            draw.text((place, 228 + 34 * row), f"{word}{row}", 0, FONT)
    lines = [line for line in find_lines(image).lines if line.box[1] > 180]
    assert [line.light_on_dark for line in lines] == sorted(
        (line.light_on_dark for line in lines), reverse=True
    )
    head = [line.box for line in lines if line.light_on_dark]
    assert head[0][0] == pytest.approx(42, abs=3)
    assert head[-1][2] == pytest.approx(520, abs=3)
    assert all(190 < box[1] < box[3] < 218 for box in head)


def test_fat_letters_that_touch_are_no_button():
    """Their feet and heads make a rim, with nicks between the letters."""
    image, draw = form()
    for x in range(30, 130, 20):
        for y1, y2, width in ((200, 206, 19), (206, 213, 12), (213, 219, 19)):
            draw.rectangle((x + 10 - width / 2, y1, x + 9 + width / 2, y2), fill=0)
    assert len(panels_of(np.asarray(image))) == 0


@pytest.mark.parametrize("grey", [150, 175, 195])
def test_pale_words_beside_black_ones_are_found_whole(grey):
    image, draw = form()
    draw.text((30, 200), "Updated yesterday at noon", grey, FONT)
    last = find_lines(image).lines[-1]
    x1, y1, x2, y2 = draw.textbbox((30, 200), "Updated yesterday at noon", FONT)
    assert last.box == pytest.approx((x1, y1, x2, y2), abs=4)


def test_what_shines_through_paper_is_no_line():
    image, draw = form()
    draw.text((30, 200), "Updated yesterday at noon", 200, FONT)
    grain = np.random.default_rng(0).normal(0, 4, (300, 640))
    noisy = Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))
    assert len(find_lines(noisy).lines) == 4


def test_large_letters_are_no_panels():
    image = page(lines=6, size=60)
    bold = Image.fromarray(np.minimum(np.asarray(image), np.roll(np.asarray(image), 4, 1)))
    assert not any(line.light_on_dark for line in find_lines(bold).lines)
