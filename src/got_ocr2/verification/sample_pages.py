"""Pages of print for checks that need no data set, drawn with the typeface that comes with Pillow."""

from __future__ import annotations

from itertools import cycle

from PIL import Image, ImageDraw, ImageFont

from ..config import GotOcr2Config

_TEXTS = (
    "Pack my box with five dozen jugs of liquor, then count them: 1, 2, 3, 4 and 5. The five boxing wizards jump "
    "quickly; nobody at the meeting of 1924 had expected it.",
    "How vexingly quick daft zebras jump! See page 37, section 8, for the reasons. Sphinx of black quartz, judge my "
    "vow: 60 percent of 250 is 150, is it not?",
    "A quart jar of oil mixed with zinc oxide makes a very bright paint. It costs $14.95 (or less) a litre, and dries "
    "within 36 hours at 20 degrees.",
)
_LETTERS = 24  # pixels per em, where the page is high enough


def sample_pages(config: GotOcr2Config) -> list[Image.Image]:
    """A few pages of the model's own size, each filled with lines of English."""
    height, width = config.vision_config.image_hw
    return [_page(" ".join(_TEXTS[i:] + _TEXTS[:i]), width, height) for i in range(len(_TEXTS))]


def _page(text: str, width: int, height: int) -> Image.Image:
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    size = min(_LETTERS, height // 4)
    font = ImageFont.load_default(size)
    step, words = size * 3 // 2, cycle(text.split())
    line, word = "", next(words)
    for top in range(step // 4, height - size, step):
        while not line or draw.textlength(f"{line} {word}", font) <= width - step:
            line, word = f"{line} {word}".strip(), next(words)
        draw.text((step // 2, top), line, fill="black", font=font)
        line = ""
    return page
