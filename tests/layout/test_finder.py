"""Lines of drawn pages are found, in order, however the page lies; pages without text have none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from layout_pages import page
from PIL import Image, ImageDraw, ImageFont

from got_ocr2.errors import InvalidOptionError
from got_ocr2.evaluation.line_places import LinePlaces, line_places
from got_ocr2.layout import LayoutOptions, find_lines, finder
from got_ocr2.layout.baselines import Baseline
from got_ocr2.layout.letters import Letters, parted
from got_ocr2.layout.order import reading_order
from got_ocr2.layout.row import Row
from got_ocr2.layout.rows import rows_of
from got_ocr2.synth.composing.negatives import NegativeEngine
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


JUSTIFIED = (
    "unruffled: free from emotional agitation or nervous tension but that it spread no further among people, let "
    "us straitly threaten them, that they speak henceforth to no man in this name. If the superscript is "
    "contained in a word, it returns an object that has no value. When it starts, aptitude shows a list of "
    "packages sorted by state and instructions for changing the content of several others"
)


def test_narrow_columns_that_were_justified_are_not_parted():
    """Of some lines only two words are left, a word at each rim of the column."""
    font, width = ImageFont.load_default(22), 200
    image = Image.new("L", (640, 900), 255)
    draw = ImageDraw.Draw(image)
    for left in (40, 340):
        rest, y = JUSTIFIED.split(), 30
        while rest:
            count = next(
                n for n in range(len(rest), 0, -1) if draw.textlength(" ".join(rest[:n]), font) <= width
            )
            words, rest = rest[:count], rest[count:]
            slack = width - sum(draw.textlength(word, font) for word in words)
            x = float(left)
            for word in words:
                draw.text((x, y), word, 0, font)
                x += draw.textlength(word, font) + slack / max(1, count - 1)
            y += 33
    rows = (y - 30) // 33
    found = find_lines(image)
    assert [line.box[0] > 300 for line in found.lines] == [False] * rows + [True] * rows


def test_lines_that_letters_link_are_parted():
    """Strokes as those of brackets and slashes in print that was set solid."""
    image, font = Image.new("L", (560, 220), 255), ImageFont.load_default(26)
    draw = ImageDraw.Draw(image)
    for row in range(6):
        draw.text((30, 20 + 27 * row), "nine dozen liquor jugs of quartz", 0, font)
    for row in range(5):
        for x in (95, 180, 300):
            draw.line((x + 7 * row, 26 + 27 * row, x + 7 * row - 4, 70 + 27 * row), 0, 3)
    lines = find_lines(image).lines
    assert len(lines) == 6
    assert all(line.box[2] - line.box[0] > 300 for line in lines)


def test_a_few_words_whose_letters_hang_below_stay_level():
    """Boxes of `es. If typed is set` in a small face: `f`, `y` and `ped` hang below, one after the other."""
    places = (
        (240, 5, 6),
        (246, 3, 7),
        (250, 11, 6),
        (270, 3, 8),
        (313, 6, 6),
        (324, 4, 6),
        (329, 5, 6),
        (335, 3, 7),
    )
    hanging = (273, 6, 13), (282, 9, 10), (291, 17, 13)
    boxes = [(x, 23 - tall, x + wide, 23) for x, wide, tall in places]
    boxes += [(x, 26 - tall, x + wide, 26) for x, wide, tall in hanging]
    letters = boxes_of(*boxes)
    (row,) = rows_of(letters, letters, 7.5, np.zeros((1, 1), np.uint8))
    assert row.line.slope == pytest.approx(0, abs=0.01)
    assert row.foot == pytest.approx(23, abs=0.5)


def boxes_of(*boxes):
    x1, y1, x2, y2 = np.array(sorted(boxes), float).T
    return Letters(x1, y1, x2, y2, 0.5 * (x2 - x1) * (y2 - y1))


def high_pieces(letters):
    return [
        (x1, x2) for x1, x2, tall in zip(letters.x1, letters.x2, letters.height, strict=True) if tall > 10
    ]


def test_letters_that_touch_far_to_the_left_tell_that_a_piece_links_two_lines():
    upper = (40, 0, 46, 7), (48, 0, 54, 7), (94, 0, 100, 7)
    link, right = (60, 0, 90, 17), (94, 10, 100, 17)
    assert high_pieces(parted(boxes_of(*upper, link, right), 7.0)) == [(60, 90)]
    assert not high_pieces(parted(boxes_of(*upper, link, right, (0, 10, 56, 17)), 7.0))


def test_a_piece_that_was_parted_tells_of_the_next():
    left = (44, 0, 50, 7), (52, 0, 58, 7), (44, 10, 50, 17), (52, 10, 58, 17)
    between, right = (86, 0, 90, 7), ((126, 0, 132, 7), (126, 10, 132, 17))
    second = (92, 0, 122, 17)
    assert high_pieces(parted(boxes_of(between, second, *right), 7.0)) == [(92, 122)]
    assert not high_pieces(parted(boxes_of(*left, (60, 0, 90, 17), between, second, *right), 7.0))


@pytest.mark.parametrize("columns", [2, 3])
def test_what_stands_over_and_under_columns_is_read_before_and_after_them(columns):
    print_ = page(columns)
    image = Image.new("L", (print_.width, print_.height + 160), 255)
    image.paste(print_, (0, 80))
    draw, font, middle = ImageDraw.Draw(image), ImageFont.load_default(26), image.width // 2
    draw.text((middle, 60), "It is", 0, font, anchor="ms")
    draw.text((middle - 5, image.height - 40), "124", 0, font, anchor="ms")
    order = [(line.box[0] + line.box[2]) / 2 for line in find_lines(image).lines]
    assert len(order) == 8 * columns + 2
    assert order[0] == pytest.approx(middle, abs=4)
    assert order[-1] == pytest.approx(middle - 5, abs=4)


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


MENU = [  # a menu: names, and their keys; groups with some room between
    (5, 8, 206, 24), (5, 37, 200, 53), (317, 36, 385, 52), (4, 85, 122, 100), (337, 85, 385, 100), (4, 114, 97, 129),
    (264, 114, 385, 129), (5, 143, 386, 159),
]  # fmt: skip
BILL = [  # three columns between lines that only some of them have
    (275, 557, 695, 591), (276, 608, 525, 640), (592, 613, 612, 640), (677, 614, 698, 642), (272, 634, 525, 666),
    (591, 638, 612, 666), (676, 639, 698, 667), (273, 658, 524, 690), (591, 663, 611, 691), (677, 664, 697, 692),
    (422, 710, 546, 738), (635, 714, 696, 743), (421, 736, 504, 763), (654, 740, 697, 767), (269, 883, 674, 919),
]  # fmt: skip
LIST = [  # a list with a sign at the far end of one line
    (18, 57, 70, 70), (16, 73, 143, 86), (377, 73, 383, 86), (16, 89, 383, 102), (16, 105, 47, 118),
]  # fmt: skip


@pytest.mark.parametrize("boxes", [MENU, BILL, LIST])
def test_cells_follow_each_other_across(boxes):
    height = 19.0 if boxes is BILL else 8.0
    shuffled = np.random.default_rng(4).permutation(len(boxes))
    order, _ = reading_order(np.array(boxes, float)[shuffled], np.full(len(boxes), height))
    assert [tuple(boxes[i]) for i in shuffled[order]] == boxes


def test_a_note_beside_a_paragraph_is_no_cell_of_it():
    text = [(100, 20 * i, 600, 20 * i + 16) for i in range(9)]
    boxes = np.array([*text, (20, 60, 80, 76), (20, 80, 80, 96)], float)
    _, blocks = reading_order(boxes, np.full(len(boxes), 8.0))
    assert len(set(blocks[:9])) == 1
    assert blocks[9] == blocks[10] != blocks[0]


def test_a_whole_line_at_the_rim_is_kept_where_only_a_rest_would_stay():
    rest = Row(510, 703, Baseline(8.0), 8.0, 1.0, 5.0, 14)
    line = Row(8, 756, Baseline(20.0), 12.0, 4.0, 10.0, 61)
    assert finder._without_rests([rest, line], [False, True]) == [rest, line]
    assert finder._without_rests([line, rest], [False, True]) == [line]
    assert finder._without_rests([line, rest], [True, True]) == [line, rest]


def test_lines_beyond_the_most_are_counted(monkeypatch):
    monkeypatch.setattr(finder, "MOST_LINES", 5)
    found = find_lines(page(lines=9))
    assert (len(found.lines), found.left_out) == (5, 4)
    assert find_lines(page(lines=4)).left_out == 0


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


def test_a_photo_whose_pieces_make_no_line():
    """Some may be letters by their sizes, but no run of them looks like print."""
    photo = NegativeEngine(backgrounds=["photo"])
    assert not any(find_lines(photo.sample(9, index).image).lines for index in (11, 17, 33, 51))


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
