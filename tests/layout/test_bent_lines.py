"""Lines of a page that lies open, or was photographed, bend; they are found whole and cut out straight."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from layout_pages import WORDS
from PIL import Image, ImageDraw, ImageFont

from got_ocr2.layout import LayoutOptions, PageLayout, find_lines, line_pieces, word_boxes
from got_ocr2.layout.drawing import drawn
from got_ocr2.ocr import OCR

SIZE = 26


def sag(x: np.ndarray) -> np.ndarray:
    """How far down the page sinks at `x`: towards the binding on its left, by a line's height within a word or two."""
    return SIZE * (1 - np.clip((x - 30) / 190, 0, 1) ** 0.5)


def bent(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image)
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.float32)
    moved = cv2.remap(pixels, x, y - sag(x).astype(np.float32), cv2.INTER_CUBIC, borderValue=(255,))
    return Image.fromarray(moved.astype(np.uint8))


@pytest.fixture(scope="module")
def straight() -> Image.Image:
    image = Image.new("L", (1080, 420), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(SIZE)
    for line in range(8):
        text = " ".join((WORDS * 3)[5 * line % 16 :][:14])
        while draw.textlength(text, font) > 1000:
            text = text.rpartition(" ")[0]
        draw.text((40, 30 + 40 * line), text, 0, font)
    return image


@pytest.fixture(scope="module", params=[0, 90, 270])
def found(request: pytest.FixtureRequest, straight: Image.Image) -> tuple[Image.Image, PageLayout]:
    image = bent(straight).rotate(request.param, expand=True)
    return image, find_lines(image, LayoutOptions(turn=-request.param % 360))


def test_as_many_lines_as_on_the_flat_page(found: tuple[Image.Image, PageLayout], straight: Image.Image):
    assert len(found[1].lines) == len(find_lines(straight).lines) == 8
    assert all(line.bend for line in found[1].lines)
    assert all(max(line.bend) - min(line.bend) > 0.2 * SIZE for line in found[1].lines)


def test_cut_out_straight(found: tuple[Image.Image, PageLayout], straight: Image.Image):
    """The pieces show what the flat page's show."""
    image, layout = found
    for line, flat in zip(layout.lines, find_lines(straight).lines, strict=True):
        (piece,), (aim,) = (line_pieces(*one, longest=99) for one in ((image, line), (straight, flat)))
        assert piece.image.height == pytest.approx(aim.image.height, abs=4)
        ink = [
            255 - np.asarray(one.image.convert("L").resize((600, 40))).astype(float) for one in (piece, aim)
        ]
        alike = (ink[0] * ink[1]).sum() / np.sqrt((ink[0] ** 2).sum() * (ink[1] ** 2).sum())
        assert alike > 0.75


def test_boxes_hold_the_letters_where_they_are(straight: Image.Image):
    image = bent(straight)
    ink = np.asarray(image) < 128
    held = np.zeros_like(ink)
    for line in find_lines(image).lines:
        (piece,) = line_pieces(image, line, longest=99)
        words = word_boxes(piece, "mm " * 3)
        assert words[0][3] > words[-1][3] + 0.3 * SIZE  # the first word has sunk
        x1, y1, x2, y2 = line.box
        held[int(y1) - 1 : int(y2) + 2, int(x1) - 1 : int(x2) + 2] = True
        assert min(word[1] for word in words) >= y1 - 0.2 * SIZE
        assert max(word[3] for word in words) <= y2 + 0.2 * SIZE
    assert ink[held].sum() >= 0.999 * ink.sum()


def test_straight_lines_have_no_bend(straight: Image.Image):
    for image in (straight, straight.rotate(3, Image.Resampling.BICUBIC, expand=True, fillcolor=255)):
        assert all(line.bend == () for line in find_lines(image).lines)


def test_the_drawing_follows_the_bend(straight: Image.Image):
    image = bent(straight)
    layout = find_lines(image)
    marked = (np.asarray(drawn(image, layout)) != np.asarray(image.convert("RGB"))).any(2)
    line = layout.lines[3]
    (x1, y1), (x2, y2) = line.quad[:2]
    middle = line.bend[len(line.bend) // 2]
    rows = np.flatnonzero(marked[:, round((x1 + x2) / 2)])
    assert min(abs(rows - ((y1 + y2) / 2 + middle))) <= 2


def test_a_bent_page_is_read_like_a_flat_one(straight: Image.Image):
    ocr = OCR.from_pretrained()
    flat, opened = ocr.read_many([straight, bent(straight)])
    assert "".join(flat.text.split()) == "".join(opened.text.split())
    assert len(flat.text.splitlines()) == len(opened.text.splitlines()) == 8
