"""A line of which box and angle are known is cut out as the finder would, with its text shared out over its pieces."""

from __future__ import annotations

import numpy as np
import pytest
from layout_pages import WORDS, page
from PIL import Image, ImageDraw, ImageFont, ImageOps

from got_ocr2.errors import InvalidOptionError
from got_ocr2.layout import find_lines, line_at, line_pieces, pieces_with_text


@pytest.mark.parametrize("turned", [0, 4, -7, 90, 180, 266])
@pytest.mark.parametrize("light_on_dark", [False, True])
def test_box_and_angle_say_where_a_line_lies(turned: int, light_on_dark: bool):
    image = page(lines=5).rotate(turned, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    image = ImageOps.invert(image) if light_on_dark else image
    lines = find_lines(image).lines
    assert len(lines) == 5
    for line in lines:
        again = line_at(image, line.box, line.angle)
        assert np.abs(np.array(again.quad) - np.array(line.quad)).max() < 1.5
        assert again.light_on_dark is line.light_on_dark is light_on_dark


def test_a_long_line_is_shared_out_over_its_pieces():
    words = WORDS * 3
    font = ImageFont.load_default(24)
    image = Image.new("L", (60 + round(font.getlength(" ".join(words))), 70), 255)
    ImageDraw.Draw(image).text((30, 18), " ".join(words), 0, font)
    (line,) = find_lines(image).lines
    shared = pieces_with_text(image, line_at(image, line.box, line.angle), "  ".join(words))
    assert len(shared) == len(line_pieces(image, line)) > 2
    assert " ".join(text for _, text in shared) == " ".join(words)
    for piece, text in shared:  # the ink of each piece is as long as its words
        columns = np.flatnonzero((np.asarray(piece.image.convert("L")) < 128).any(0))
        assert columns[-1] - columns[0] == pytest.approx(font.getlength(text), abs=6)


def test_a_line_that_is_one_word_stays_whole():
    font = ImageFont.load_default(24)
    image = Image.new("L", (60 + round(font.getlength("".join(WORDS))), 70), 255)
    ImageDraw.Draw(image).text((30, 18), "".join(WORDS), 0, font)
    (line,) = find_lines(image).lines
    ((piece, text),) = pieces_with_text(image, line, "".join(WORDS))
    assert text == "".join(WORDS)
    assert piece.image.width > 20 * piece.image.height


def test_a_short_line_has_one_piece():
    image = page(lines=1)
    (line,) = find_lines(image).lines
    ((piece, text),) = pieces_with_text(image, line, " sphinx  of black ")
    assert text == "sphinx of black"
    assert piece.image.tobytes() == line_pieces(image, line)[0].image.tobytes()


@pytest.mark.parametrize(
    ("box", "angle", "said"),
    [
        ((-1, 0, 50, 20), 0, "does not lie on the page, which has 540 x 113 pixels"),
        ((10, 10, 50, 200), 0, "does not lie on the page"),
        ((50, 10, 10, 20), 0, "does not lie on the page"),
        ((10, 10, 110, 30), 45, "at up to 35 degrees off an axis, got 45"),
        ((10, 10, 110, 30), float("nan"), "got nan"),
        ((10, 10, 60, 12), 0, "holds no line at 0 degrees"),
        ((10, 10, 60, 30), 30, "holds no line at 30 degrees"),
    ],
)
def test_what_is_no_line_is_refused(box: tuple[float, ...], angle: float, said: str):
    with pytest.raises(InvalidOptionError, match=said):
        line_at(page(lines=1), box, angle)
