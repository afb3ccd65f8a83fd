"""Scene-like text: a few words in strong colours on a picture (paper section 3.2.1, "scene text")."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..corpora.catalog import Split
from ..corpora.content import Content
from ..drawing.backgrounds import background
from ..drawing.typeset import TextLayer, break_lines, place_lines
from ..fonts.catalog import Script
from .styles import random_style

_LEAST_CONTRAST = 90  # levels of 255, between ink and the brightness around it


def compose_scene(
    rng: np.random.Generator, content: Content, split: Split, script: Script = "latin"
) -> tuple[TextLayer, Image.Image]:
    """One to four signs, top to bottom, on a background picture of 256 to 768 pixels a side.

    Returns:
        The text, and the finished RGB picture.
    """
    width, height = (int(v) for v in rng.integers(256, 769, 2))
    picture = background(rng, (width, height))
    layer = TextLayer(Image.new("L", (width, height)))
    top = rng.uniform(0.02, 0.2) * height
    for _ in range(int(rng.integers(1, 5))):
        size = rng.uniform(0.05, 0.2) * height
        style = random_style(rng, split, size, script=script, align="left")
        words = [w for w in content.words(rng, int(rng.integers(1, 4))) if style.face.covers(w)]
        lines = break_lines(words, style, 0.94 * width)[:2]
        needed = style.size * (1 + (len(lines) - 1) * style.leading)
        if not lines or top + needed > 0.98 * height:
            continue
        widest = max(sum(map(style.width, line)) + style.space * (len(line) - 1) for line in lines)
        left = rng.uniform(0.02 * width, max(0.02 * width, 0.98 * width - widest))
        sign = TextLayer(Image.new("L", (width, height)))
        placed = place_lines(lines, style, left, top, widest)
        sign.add_block(placed)
        picture.paste(_colour_against(rng, picture, sign.mask), mask=sign.mask)
        layer.lines += placed
        layer.block_ends.append(len(layer.lines))
        top += needed + rng.uniform(0.1, 1.0) * style.size
    return layer, picture


def _colour_against(
    rng: np.random.Generator, picture: Image.Image, mask: Image.Image
) -> tuple[int, int, int]:
    """A colour as far from the brightness under the sign as reading needs."""
    left, top, right, bottom = mask.getbbox() or (0, 0, 1, 1)
    under = np.asarray(picture.convert("L").crop((left, top, right, bottom)), np.float32)
    level = float(under.mean())
    room_above, room_below = 255 - level - _LEAST_CONTRAST, level - _LEAST_CONTRAST
    up = room_above > 0 and (room_below <= 0 or rng.random() < room_above / (room_above + room_below))
    target = rng.uniform(level + _LEAST_CONTRAST, 255) if up else rng.uniform(0, max(1.0, room_below))
    r, g, b = np.clip(target + rng.uniform(-30, 30, 3), 0, 255).astype(int)
    return int(r), int(g), int(b)
