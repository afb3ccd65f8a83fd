"""Draws a page beside what was read of it: python docs/images/read_page.py PAGE RESULT.json PICTURE

RESULT.json is what `got-ocr2 read PAGE --json` writes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONT = Path(__file__).parents[2] / "src/got_ocr2/synth/assets/fonts/lora/Lora[wght].ttf"
WIDTH, GAP = 640, 12  # of either half, and between them
BOX, FILL, INK, RULE = (40, 100, 220), (40, 100, 220, 40), (20, 20, 30), (150, 150, 160)


def halves(page: Image.Image, result: dict) -> Image.Image:
    scale = WIDTH / page.width
    size = (WIDTH, round(page.height * scale))
    left = page.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
    boxes = Image.new("RGBA", size)
    right = Image.new("RGB", size, "white")
    draw, pen = ImageDraw.Draw(boxes), ImageDraw.Draw(right)
    for line in result["lines"]:
        x1, y1, x2, y2 = (value * scale for value in line["box"])
        draw.rectangle((x1, y1, x2, y2), FILL, BOX)
        font = ImageFont.truetype(FONT, 40)
        wide = font.getlength(line["text"])
        font = ImageFont.truetype(FONT, max(6.0, min(1.05 * (y2 - y1), 40 * (x2 - x1) / wide)))
        pen.text((x1, (y1 + y2) / 2), line["text"], INK, font, anchor="lm")
    pen.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=RULE)
    out = Image.new("RGB", (2 * WIDTH + GAP, size[1]), "white")
    out.paste(Image.alpha_composite(left, boxes).convert("RGB"), (0, 0))
    out.paste(right, (WIDTH + GAP, 0))
    return out


if __name__ == "__main__":
    page, result, picture = sys.argv[1:]
    drawn = halves(Image.open(page), json.loads(Path(result).read_text("utf-8")))
    drawn.save(picture, quality=82, optimize=True)
