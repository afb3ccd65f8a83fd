"""Lines keep what is theirs, whatever stands beside them: braces, pictures, specks, the rim of the page."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr2.layout import find_lines, finder
from got_ocr2.layout.baselines import Baseline
from got_ocr2.layout.letters import Letters
from got_ocr2.layout.order import reading_order
from got_ocr2.layout.row import Row
from got_ocr2.layout.rows import rows_of

FONT = ImageFont.load_default(22)


def canvas(width=900, height=420):
    image = Image.new("L", (width, height), 255)
    return image, ImageDraw.Draw(image)


def covered(image, box):
    """The lines whose middles lie in a box."""
    x1, y1, x2, y2 = box
    middles = [
        (line, (line.box[0] + line.box[2]) / 2, (line.box[1] + line.box[3]) / 2)
        for line in find_lines(image).lines
    ]
    return [line for line, x, y in middles if x1 <= x <= x2 and y1 <= y <= y2]


def test_braces_do_not_take_their_lines_away():
    image, draw = canvas()
    draw.text((40, 30), "FORTY-FIRST CONGRESS,", 0, FONT)
    draw.text((60, 58), "third Session.", 0, FONT)
    draw.text((430, 40), "SENATE.", 0, FONT)
    draw.text((660, 30), "Ex. Doc.", 0, FONT)
    draw.text((660, 58), "No. 25.", 0, FONT)
    for x, way in ((330, 1), (640, -1)):
        draw.line(
            [
                (x, 28),
                (x + 6 * way, 40),
                (x + 6 * way, 52),
                (x + 10 * way, 56),
                (x + 6 * way, 60),
                (x + 6 * way, 72),
                (x, 84),
            ],
            0,
            2,
        )
    for i in range(6):
        draw.text(
            (40, 140 + 40 * i), "the text of the page, which goes on for some lines below its head", 0, FONT
        )
    head = covered(image, (0, 0, 900, 100))
    for x, y in ((100, 45), (100, 72), (460, 55), (700, 45), (700, 72)):
        assert any(line.box[0] < x < line.box[2] and line.box[1] < y < line.box[3] for line in head), (x, y)


def test_a_picture_beside_a_column_takes_no_line_of_it():
    image, draw = canvas(1000, 520)
    for i in range(12):
        draw.text((420, 20 + 40 * i), "some words that stand beside a picture", 0, FONT)
    rng = np.random.default_rng(0)
    for _ in range(120):
        x, y = rng.uniform(60, 320), rng.uniform(30, 480)
        dx, dy = rng.uniform(-30, 30, 2)
        draw.line([(x, y), (x + dx, y + dy)], 0, 2)
    column = covered(image, (420, 0, 1000, 520))
    assert len(column) == 12
    assert all(line.box[0] > 400 for line in column)


def test_a_picture_at_the_end_of_one_line_is_no_part_of_it():
    image, draw = canvas(1100, 480)
    for i in range(11):
        draw.text((40, 20 + 40 * i), "a column of text that is not wide", 0, FONT)
    draw.ellipse((760, 180, 840, 290), outline=0, width=3)
    draw.ellipse((850, 190, 900, 290), outline=0, width=3)
    lines = covered(image, (0, 0, 450, 480))
    assert len(lines) == 11
    assert all(line.box[2] < 500 for line in lines)


def test_a_word_after_a_comma_and_a_wide_gap_stays_in_its_line():
    image, draw = canvas()
    for i in range(5):
        draw.text((40, 30 + 44 * i), "several words that reach beyond the gap of one", 0, FONT)
    draw.rectangle((0, 114, 900, 148), 255)
    draw.text((40, 118), "laurel, clove, curry,", 0, FONT)
    draw.text((72 + draw.textlength("laurel, clove, curry,", FONT), 118), "zoo", 0, FONT)
    assert len(find_lines(image).lines) == 5


def test_the_last_line_close_to_the_rim_is_found():
    image, draw = canvas(700, 126)
    for i, text in enumerate(
        ("Linn Electronics, Inc.", "18720 Oxnard Street, Tarzana", "(818) 708-8131 TELEX 298949")
    ):
        draw.text((14, 4 + 42 * i), text, 0, ImageFont.load_default(31))
    assert len(find_lines(image).lines) == 3


def test_letters_in_pieces_do_not_lower_their_line():
    image, draw = canvas(900, 200)
    for i in range(3):
        draw.text((40, 20 + 50 * i), "brengen naar een zomer", 0, ImageFont.load_default(34))
    whole = find_lines(image).lines[1]
    for x in (96, 205):  # a crack through letters of the second line, which leaves feet by themselves
        draw.line([(x - 12, 92), (x + 16, 92)], 255, 3)
    broken = find_lines(image).lines[1]
    assert broken.box[1] == pytest.approx(whole.box[1], abs=4)


def test_a_line_as_high_as_others_is_no_rest():
    line = Row(14, 620, Baseline(60.0), 26.0, 9.0, 18.0, 30)
    last = Row(14, 640, Baseline(117.0), 26.0, 9.0, 18.0, 30)
    rest = Row(14, 640, Baseline(124.0), 14.0, 6.0, 12.0, 30)
    assert finder._without_rests([line, last], [False, True]) == [line, last]
    assert finder._without_rests([line, rest], [False, True]) == [line]


def test_a_running_head_is_read_across():
    head = [(20, 10, 130, 26), (680, 12, 890, 28)]
    left = [(80, 100 + 22 * i, 420, 116 + 22 * i) for i in range(6)]
    right = [(480, 104 + 24 * i, 820, 120 + 24 * i) for i in range(5)]
    foot = [(20, 420, 80, 436), (780, 418, 890, 434)]
    boxes = [*head, *left, *right, *foot]
    shuffled = np.random.default_rng(1).permutation(len(boxes))
    order, blocks = reading_order(np.array(boxes, float)[shuffled], np.full(len(boxes), 9.0))
    assert [boxes[i] for i in shuffled[order]] == boxes
    assert blocks[order[0]] == blocks[order[1]] != blocks[order[2]]


def test_feet_of_a_line_above_are_no_line():
    line = Row(19, 1681, Baseline(56.0), 28.0, 12.0, 23.0, 50)
    feet = Row(18, 212, Baseline(12.0), 6.0, 2.0, 5.0, 7)
    assert finder._without_scraps([feet, line], 68) == [line]
    assert finder._without_scraps([feet], 68) == [feet]
    small = Row(18, 212, Baseline(100.0), 6.0, 2.0, 5.0, 7)  # small print of a page, far from its rims
    assert finder._without_scraps([small, line], 400) == [small, line]


def test_fat_letters_are_print():
    """They fill their boxes as pictures do, but all letters of their page do so."""

    def row_of(y, ink):
        x, width, height = (
            np.linspace(40.0, 446.0, 30),
            np.full(30, 11.0),
            np.where(np.arange(30) % 3, 12.0, 17.0),
        )
        return Letters(x, y - height, x + width, np.full(30, y), ink * width * height)

    def found(*rows):
        whole = Letters(
            *(np.concatenate(columns) for columns in zip(*(astuple(row) for row in rows), strict=True))
        )
        whole = whole[np.argsort(whole.x1, kind="stable")]
        return len(rows_of(whole, whole, 12.0, np.zeros((200, 500), np.uint8)))

    assert found(row_of(60.0, 0.86), row_of(100.0, 0.84)) == 2
    assert found(row_of(60.0, 0.86), row_of(100.0, 0.5), row_of(140.0, 0.5)) == 2


@pytest.mark.parametrize("thick", [1, 4])
def test_dashes_at_the_ends_are_the_lines_own(thick):
    """One begins the item of a list, two stand around a number; a thin one is the rest of a rule."""
    image, draw = canvas()
    draw.text((90, 30), "an item of a list and its dash", 0, FONT)
    draw.rectangle((56, 43, 69, 42 + thick), 0)
    draw.text((440, 100), "27", 0, FONT)
    for x in (410, 482):
        draw.rectangle((x, 113, x + 12, 112 + thick), 0)
    draw.text((90, 170), "and a line without", 0, FONT)
    item, number, last = (line.box for line in find_lines(image).lines)
    own = thick > 2
    assert item[0] == pytest.approx(56 if own else 91, abs=2)
    assert (number[0], number[2]) == pytest.approx((410, 495) if own else (441, 466), abs=4)
    assert last[0] == pytest.approx(91, abs=2)
