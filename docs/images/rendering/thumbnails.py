"""Draws the small pictures of README.md's table: what becomes of each kind of output.

python docs/images/rendering/thumbnails.py
"""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL import Image, ImageOps

from got_ocr2.rendering import render

HERE = Path(__file__).parent
SETS = HERE.parents[2] / "testsets"
SIZE = (220, 130)  # pixels
DRAWN = {"music": 1, "molecule": 3, "geometry": 0, "chart": 2}  # kind: which sample of its frozen set
CUT = {"page-html.png": "small-page.png", "places.png": "small-places.png"}


def drawn(kind: str, which: int) -> Image.Image:
    lines = (SETS / kind / "data.jsonl").read_text(encoding="utf-8").splitlines()
    with Image.open(io.BytesIO(render(json.loads(lines[which])["text"], "png", kind).data)) as picture:
        share = 0.4 if kind == "music" else 1  # of the width
        return picture.convert("RGB").crop((0, 0, round(share * picture.width), picture.height))


def top(path: Path) -> Image.Image:
    """The top of a picture's left half, or of all of it where it is narrow."""
    with Image.open(path) as picture:
        width = picture.width // 2 if picture.width > picture.height else picture.width
        return picture.convert("RGB").crop((0, 0, width, width * SIZE[1] // SIZE[0]))


def save(picture: Image.Image, name: str) -> None:
    small = ImageOps.pad(picture, SIZE, Image.Resampling.LANCZOS, color="white")
    small.quantize(32).save(HERE / name, optimize=True)


for kind, which in DRAWN.items():
    save(drawn(kind, which), f"small-{kind}.png")
for source, name in CUT.items():
    save(top(HERE / source), name)
