"""Random choices of how text is set and printed."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..corpora.catalog import Split
from ..drawing.typeset import Alignment, Style
from ..fonts.catalog import FontFile, FontStyle, Script, fonts, pick_font

_STYLES: tuple[FontStyle, ...] = ("serif", "sans", "mono", "handwriting", "display")
_WEIGHTS = (0.38, 0.38, 0.12, 0.05, 0.07)
_ALIGNMENTS: tuple[Alignment, ...] = ("left", "left", "left", "justify", "justify", "center", "right")


def random_style(
    rng: np.random.Generator,
    split: Split,
    size: float,
    *,
    script: Script = "latin",
    align: Alignment | None = None,
    sample_text: str = "Aa0",
) -> Style:
    """A random face of a random style at `size` pixels per em (rounded, at least 5).

    Args:
        rng: source of randomness.
        split: which fonts.
        size: pixels per em.
        script: "latin" or "chinese".
        align: alignment; None for a random one.
        sample_text: characters that the face must have.
    """
    style = _STYLES[int(rng.choice(len(_STYLES), p=_WEIGHTS))] if script == "latin" else None
    return Style(
        face=pick_font(rng, sample_text, _faces(style, split, script)),
        size=max(5.0, round(size)),  # whole sizes keep the font cache small
        leading=float(rng.uniform(1.05, 1.6)),
        align=align or _ALIGNMENTS[int(rng.integers(len(_ALIGNMENTS)))],
        word_space=float(rng.uniform(0.85, 1.5)),
        joint="" if script == "chinese" else " ",
    )


def _faces(style: FontStyle | None, split: Split, script: Script) -> tuple[FontFile, ...]:
    """Faces of the style, or of any style where none of that style is installed."""
    return fonts(style, split=split, script=script) or fonts(split=split, script=script)


def print_on_plain_paper(rng: np.random.Generator, mask: Image.Image) -> Image.Image:
    """Prints a mask ("L", 255 is ink) in a random ink on plain paper, RGB; paper and ink differ by >= 80 levels."""
    dark_on_light = rng.random() < 0.93
    paper, dark = rng.uniform(170, 255), rng.uniform(0, 90)
    tint = rng.uniform(-12, 12, 3) if rng.random() < 0.4 else np.zeros(3)
    colour = rng.uniform(-60, 60, 3) if rng.random() < 0.15 else np.zeros(3)
    light, ink = np.clip(paper + tint, 150, 255), np.clip(dark + colour, 0, 70 if paper < 180 else 90)
    if not dark_on_light:
        light, ink = ink, light
    channels = [
        mask.point([round(a + (b - a) * v / 255) for v in range(256)])
        for a, b in zip(light, ink, strict=True)
    ]
    return Image.merge("RGB", channels)
