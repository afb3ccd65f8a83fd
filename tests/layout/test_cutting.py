"""Cut lines are straight and dark on light; long ones are cut between words and joined without a seam."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from layout_pages import WORDS, page
from PIL import Image, ImageDraw, ImageFont

from got_ocr2.layout import Piece, find_lines, joined, line_at, line_pieces, word_boxes
from got_ocr2.layout.cutting import LONGEST
from got_ocr2.layout.cutting import _cuts as cuts_of

QUAD = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def long_line(text: str) -> Image.Image:
    font = ImageFont.load_default(24)
    image = Image.new("L", (60 + round(font.getlength(text)), 70), 255)
    ImageDraw.Draw(image).text((30, 18), text, 0, font)
    return image


def test_a_long_line_is_cut_between_words():
    image = long_line(" ".join(WORDS * 3))
    (line,) = find_lines(image).lines
    pieces = line_pieces(image, line)
    assert len(pieces) > 2
    assert not any(piece.joins_word for piece in pieces)
    for piece in pieces:
        assert piece.image.width <= LONGEST * piece.image.height + 1
        pixels = np.asarray(piece.image.convert("L"))
        assert pixels[:, [0, -1]].min() > 128  # no letter is cut through
    for before, after in pairwise(pieces):
        assert after.quad[0] == pytest.approx(before.quad[1])  # nothing is lost, and nothing read twice


@pytest.mark.parametrize("seed", range(8))
def test_small_letters_are_not_taken_for_words(seed):
    """Letters 1 pixel apart, seldom 2, words a little more: cuts lie between words, though a letter's gap is nearer."""
    draw, x, spaces = np.random.default_rng(seed), 4, []
    strip = np.full((16, 900, 3), 255, np.uint8)
    while x < 860:
        for _ in range(draw.integers(2, 9)):
            strip[3:13, x : x + 5] = 0
            x += 6 + int(draw.random() < 0.08)
        end = int(np.flatnonzero(strip[8, :, 0] == 0)[-1]) + 1
        x = end + 4 + int(draw.integers(2))
        spaces.append((end, x))
    cuts = cuts_of(strip[:, : spaces[-1][0] + 4], 16 * 18)
    assert len(cuts) > 3
    for place, inside in cuts[1:-1]:
        assert not inside
        assert any(start <= place <= end for start, end in spaces)


def test_a_line_without_gaps_is_cut_at_its_weakest_columns():
    strip = np.full((32, 1400, 3), 255, np.uint8)
    strip[10:22] = 0
    strip[10:20, [430, 900]] = 255
    assert cuts_of(strip, 576) == [(0, False), (430, True), (900, True), (1400, False)]


@pytest.mark.parametrize("angle", [-8.0, 5.0])
def test_cut_straight(angle):
    image = page(lines=6).rotate(-angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    for line in find_lines(image).lines:
        (piece,) = line_pieces(image, line)
        rows = np.asarray(piece.image.convert("L")).min(1)
        assert piece.image.width > 5 * piece.image.height
        assert rows[[0, -1]].min() > 128  # ascenders and descenders have room


def test_cut_dark_on_light():
    image = page(lines=4, ink=230, paper=25)
    for line in find_lines(image).lines:
        for piece in line_pieces(image, line):
            assert np.median(np.asarray(piece.image)) > 128


def test_texts_are_joined():
    blank = Image.new("RGB", (4, 4))
    whole, rest = Piece(blank, QUAD), Piece(blank, QUAD, joins_word=True)
    assert joined(["a quick", "brown fox "], [whole, whole]) == "a quick brown fox"
    assert joined(["a qui", "ck fox"], [whole, rest]) == "a quick fox"
    assert joined(["", "fox", ""], [whole, whole, whole]) == "fox"


def test_words_have_boxes():
    image = long_line("sphinx of black quartz")
    (line,) = find_lines(image).lines
    (piece,) = line_pieces(image, line)
    boxes = word_boxes(piece, "sphinx of black quartz")
    font, x = ImageFont.load_default(24), 30.0
    for word, (x1, _, x2, _) in zip(WORDS[:4], boxes, strict=True):
        assert (x1 + x2) / 2 == pytest.approx(x + font.getlength(word) / 2, abs=6)
        x += font.getlength(word + " ")


@pytest.mark.parametrize("widen", [0.75, 1.4])
def test_letters_are_made_narrower_and_wider_where_they_stand(widen):
    image = page(lines=3)
    for line in find_lines(image).lines:
        (plain,) = line_pieces(image, line, longest=40)
        (other,) = line_pieces(image, line, longest=40, widen=widen)
        assert other.image.height == plain.image.height
        assert other.image.width == pytest.approx(widen * plain.image.width, abs=1)
        assert np.array(other.quad) == pytest.approx(np.array(plain.quad))
        ink = [
            np.asarray(piece.image.convert("L").resize(plain.image.size)) < 128 for piece in (plain, other)
        ]
        assert (ink[0] & ink[1]).sum() > 0.7 * ink[0].sum()
    longest = line_pieces(image, line, longest=8, widen=widen)
    assert all(piece.image.width <= 8 * piece.image.height + 1 for piece in longest)
    assert len(longest) == pytest.approx(widen * len(line_pieces(image, line, longest=8)), abs=1.1)


def test_a_blank_stretch_of_a_line_is_no_part_of_its_pieces():
    """A running head from rim to rim: the words on both sides whole, each with the room that other pieces have."""
    image = Image.new("RGB", (1400, 60), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    draw.text((20, 15), "Sphinx of quartz", "black", font)
    draw.text((1240, 15), "page 41", "black", font)
    left, right = line_pieces(image, line_at(image, (20, 15, 1322, 43)))
    assert left.quad[1][0] < 220
    assert 1220 < right.quad[0][0] < 1240
    assert not right.joins_word
