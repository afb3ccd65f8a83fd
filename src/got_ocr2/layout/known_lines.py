"""Lines whose place is known already, such as those of a result, cut out with the text that stands on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..errors import InvalidOptionError
from .cutting import Piece, line_pieces
from .ink import dark_areas
from .lines import Box, Point, Quad, TextLine
from .words import word_boxes

_LEAST = 3.0  # pixels of a side
_NEAR_DIAGONAL = 0.25  # cosine of twice the angle: nearer to 45 degrees, sides do not follow from the box


def line_at(image: Image.Image, box: Sequence[float], angle: float = 0.0) -> TextLine:
    """The line of print in a box; the inverse of what a `TextLine` says of itself.

    Args:
        image: the page.
        box: `(x1, y1, x2, y2)`, the upright hull of the line, in pixels of the page.
        angle: degrees by which the text runs down to the right.

    Raises:
        InvalidOptionError: the box does not lie on the page or is too small, or the line is too near to a diagonal.
    """
    x1, y1, x2, y2 = (float(v) for v in box)
    width, height = image.size
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        raise InvalidOptionError(
            f"The box {list(box)} does not lie on the page, which has {width} x {height} pixels."
        )
    if not math.isfinite(angle) or abs(math.cos(2 * math.radians(angle))) < _NEAR_DIAGONAL:
        raise InvalidOptionError(f"A line is cut out at up to 35 degrees off an axis, got {angle!r}.")
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    c, s = abs(cos), abs(sin)
    along = ((x2 - x1) * c - (y2 - y1) * s) / (c * c - s * s)
    down = ((y2 - y1) * c - (x2 - x1) * s) / (c * c - s * s)
    if min(along, down) < _LEAST:
        raise InvalidOptionError(
            f"The box {list(box)} holds no line at {angle:g} degrees that is {_LEAST:g} pixels wide and high."
        )
    middle = ((x1 + x2) / 2, (y1 + y2) / 2)

    def corner(side: int, level: int) -> Point:
        x, y = side * along / 2, level * down / 2
        return middle[0] + x * cos - y * sin, middle[1] + x * sin + y * cos

    quad: Quad = (corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1))
    dark = dark_areas(np.asarray(image.convert("L")))[round(y1) : round(y2), round(x1) : round(x2)]
    hull: Box = (x1, y1, x2, y2)
    return TextLine(hull, quad, float(angle), down / 2, 0, 0, bool(dark.size and dark.mean() > 127))


def pieces_with_text(image: Image.Image, line: TextLine, text: str) -> list[tuple[Piece, str]]:
    """The pieces that a reader of lines is given, each with what it says.

    Which words stand on which piece follows from the gaps in the ink. Where a cut goes through a word, or a piece would
    be without words, the line stays in one piece.

    Args:
        image: the page.
        line: a line of it.
        text: all that the line says.
    """
    text = " ".join(text.split())
    pieces = line_pieces(image, line)
    (whole,) = line_pieces(image, line, longest=math.inf)
    if len(pieces) == 1:
        return [(pieces[0], text)]
    origin, level = (np.array(point) for point in whole.quad[:2])
    ends = [float((np.array(piece.quad[1]) - origin) @ (level - origin)) for piece in pieces]
    words: list[list[str]] = [[] for _ in pieces]
    for word, (x1, y1, x2, y2) in zip(text.split(), word_boxes(whole, text), strict=True):
        place = float((np.array(((x1 + x2) / 2, (y1 + y2) / 2)) - origin) @ (level - origin))
        words[min(sum(place > end for end in ends), len(pieces) - 1)].append(word)
    if not all(words) or any(piece.joins_word for piece in pieces):
        return [(whole, text)]
    return [(piece, " ".join(part)) for piece, part in zip(pieces, words, strict=True)]
