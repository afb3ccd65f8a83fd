"""Lines of drawn pages are found, in order, however the page lies; pages without text have none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from layout_pages import page
from PIL import Image, ImageDraw, ImageFont

from got_ocr2.errors import InvalidOptionError
from got_ocr2.evaluation.line_places import LinePlaces, line_places
from got_ocr2.layout import LayoutOptions, find_lines
from got_ocr2.synth.degradation.degrade import degrade
from got_ocr2.synth.text.engine import TextEngine


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_columns_are_read_one_after_another(columns):
    found = find_lines(page(columns, lines=7))
    assert len(found.lines) == 7 * columns
    assert [int(line.box[0] // 460) for line in found.lines] == [c for c in range(columns) for _ in range(7)]
    for a, b in pairwise(found.lines):
        assert b.box[1] > a.box[1] or b.box[0] > a.box[2]
    assert [line.order for line in found.lines] == list(range(7 * columns))


@pytest.mark.parametrize("angle", [-14.0, -3.3, 6.0, 13.0])
def test_a_slant_is_found(angle):
    turned = page(lines=9).rotate(-angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    found = find_lines(turned)
    assert found.angle == pytest.approx(angle, abs=0.5)
    assert len(found.lines) == 9
    assert all(line.angle == pytest.approx(angle, abs=1.0) for line in found.lines)


@pytest.mark.parametrize("turn", [90, 270])
def test_a_page_on_its_side(turn):
    """The lines run down or up; which of both, `turn` says."""
    image = page(lines=9)
    on_side = image.rotate(-turn, expand=True)
    assert find_lines(on_side).turn in (90, 270)
    found = find_lines(on_side, LayoutOptions(turn=turn))
    upright = find_lines(image)
    assert len(found.lines) == len(upright.lines) == 9
    first, same = found.lines[0], upright.lines[0]
    x, y = same.quad[0]
    expected = (image.height - y, x) if turn == 90 else (y, image.width - x)
    # `rotate(-90)` turns clockwise: the left end of the page becomes its top.
    assert first.quad[0] == pytest.approx(expected, abs=3)


def test_light_on_dark():
    found = find_lines(page(lines=8, ink=235, paper=20))
    assert len(found.lines) == 8
    assert all(line.light_on_dark for line in found.lines)
    assert not any(line.light_on_dark for line in find_lines(page(lines=8)).lines)


def test_a_stretched_line_stays_one():
    image = Image.new("L", (900, 260), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    texts = ("several words that reach over all of the wide page without a break in them",) * 5
    for i, text in enumerate(texts):
        draw.text((20, 20 + 40 * i), text, 0, font)
    draw.rectangle((0, 98, 900, 135), 255)
    for x, word in ((20, "only"), (330, "four"), (560, "here"), (760, "stand")):
        draw.text((x, 100), word, 0, font)
    assert len(find_lines(image).lines) == 5


def test_cells_of_a_table_are_read_row_by_row():
    image = Image.new("L", (700, 300), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    for i in range(6):
        for j in range(3):
            draw.text((30 + 230 * j, 20 + 42 * i), f"cell{i}{j}", 0, font)
    boxes = [line.box for line in find_lines(image).lines]
    assert len(boxes) == 18
    assert [(round((y1 - 20) / 42), round((x1 - 30) / 230)) for x1, y1, _, _ in boxes] == [
        (i, j) for i in range(6) for j in range(3)
    ]


def test_a_single_letter():
    image = Image.new("L", (300, 200), 255)
    ImageDraw.Draw(image).text((100, 60), "A", 0, ImageFont.load_default(60))
    assert len(find_lines(image).lines) == 1


@pytest.mark.parametrize(
    ("image", "most"),
    [
        (Image.new("L", (300, 200), 255), 0),
        (Image.new("RGB", (300, 200)), 0),
        (Image.new("L", (1, 10_000), 255), 0),
        (Image.new("L", (10_000, 1)), 0),
        (Image.new("1", (1, 1)), 0),
        (Image.linear_gradient("L").resize((400, 300)), 0),
    ],
    ids=["white", "black", "high strip", "wide strip", "pixel", "gradient"],
)
def test_nothing_to_read(image, most):
    assert len(find_lines(image).lines) <= most


def test_twenty_thousand_specks_come_to_an_end():
    rng = np.random.default_rng(0)
    pixels = np.full((1600, 1200), 255, np.uint8)
    for x, y in zip(rng.integers(0, 1197, 20_000), rng.integers(0, 1597, 20_000), strict=True):
        pixels[y : y + 3, x : x + 2] = 0
    assert len(find_lines(Image.fromarray(pixels)).lines) <= 4000


def test_other_turns_are_refused():
    with pytest.raises(InvalidOptionError, match="45"):
        LayoutOptions(turn=45)


@pytest.mark.parametrize(
    ("strength", "recall", "precision", "order"), [(0.0, 0.97, 0.96, 0.96), (0.5, 0.9, 0.88, 0.93)]
)
def test_drawn_pages(strength, recall, precision, order):
    engine = TextEngine(layouts={"page": 1.0}, split="test")
    places = LinePlaces()
    for index in range(4):
        sample = engine.sample(11, index)
        if strength:
            sample = degrade(sample, np.random.default_rng(index), strength)
        true = [region.box for region in sample.regions if region.kind == "line"]
        places += line_places([line.box for line in find_lines(sample.image).lines], true)
    assert places.true > 100
    assert places.recall >= recall
    assert places.precision >= precision
    assert places.order >= order
