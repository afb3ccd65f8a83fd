"""Draws pictures of seven-segment displays with their readings: pages of one's own for the fine-tuning tutorial.

    python docs/tutorial/meters.py --out meters --count 600
    python docs/tutorial/meters.py --out meters-test --count 60 --seed 1

Each picture is `NAME.png` with its text in `NAME.txt`. Needs nothing but Pillow and NumPy; the same seed draws the
same pictures, and two seeds share no picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

#    _0_
#  5|   |1
#   |_6_|
#  4|   |2
#   |_3_|
SEGMENTS = {
    "0": "012345", "1": "12", "2": "01643", "3": "01623", "4": "5612", "5": "05623", "6": "056234", "7": "012",
    "8": "0123456", "9": "012356", "-": "6",
}  # fmt: skip
SLANT = 0.12  # how far a display leans, in heights


def reading(rng: np.random.Generator) -> str:
    """A number as meters show it, such as "-07.25" or "004831"."""
    digits = "".join(map(str, rng.integers(0, 10, size=int(rng.integers(3, 8)))))
    if rng.random() < 0.6:
        cut = int(rng.integers(1, len(digits)))
        digits = f"{digits[:cut]}.{digits[cut:]}"
    return "-" + digits if rng.random() < 0.15 else digits


def draw(text: str, rng: np.random.Generator) -> Image.Image:
    """A liquid crystal display that shows `text`: dark segments on a pale panel, photographed in some light; RGB."""
    height = int(rng.integers(36, 60))  # of a digit, in pixels
    width, thick = round(height * 0.58), round(height * 0.12)
    gap, margin = 2 * thick, round(height * rng.uniform(0.25, 0.5))
    digits = sum(c != "." for c in text)
    lean = SLANT * height
    size = (2 * margin + digits * (width + gap) + round(lean), 2 * margin + height)
    lit, panel = rng.integers(0, 60, 3), rng.integers(160, 225, 3)
    ghost = panel + (lit - panel) * rng.uniform(0.0, 0.06)  # segments that are off shine through a little
    image = Image.new("RGB", size, tuple(map(int, panel)))
    pen = ImageDraw.Draw(image)
    x = margin + lean
    for character in text:
        if character == ".":
            at = (x - gap / 2, margin + height)
            pen.rectangle(
                (at[0] - thick / 2, at[1] - thick, at[0] + thick / 2, at[1]), fill=tuple(map(int, lit))
            )
            continue
        for name, corners in bars(width, height, thick).items():
            colour = lit if name in SEGMENTS[character] else ghost
            moved = [(x + px - lean * (py / height), margin + py) for px, py in corners]
            pen.polygon(moved, fill=tuple(map(int, colour)))
        x += width + gap
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 1))))
    noise = rng.normal(0, rng.uniform(0, 6), (size[1], size[0], 1))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def bars(width: int, height: int, thick: int) -> dict[str, list[tuple[float, float]]]:
    """The corners of the seven segments of a digit, x and y in pixels from its upper left corner."""
    half, middle = thick / 2, height / 2

    def across(y: float) -> list[tuple[float, float]]:
        left, right = half, width - half
        return [(left, y), (left + half, y - half), (right - half, y - half), (right, y), (right - half, y + half),
                (left + half, y + half)]  # fmt: skip

    def down(x: float, top: float, bottom: float) -> list[tuple[float, float]]:
        return [(x, top), (x + half, top + half), (x + half, bottom - half), (x, bottom), (x - half, bottom - half),
                (x - half, top + half)]  # fmt: skip

    left, right, end = half, width - half, height - half
    return {
        "0": across(half), "1": down(right, half, middle), "2": down(right, middle, end), "3": across(end),
        "4": down(left, middle, end), "5": down(left, half, middle), "6": across(middle),
    }  # fmt: skip


def main() -> None:
    """Writes the pictures and their readings."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder, made if need be")
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for i in range(options.count):
        rng = np.random.default_rng([options.seed, i])
        text = reading(rng)
        draw(text, rng).save(options.out / f"{i:04}.png")
        (options.out / f"{i:04}.txt").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
