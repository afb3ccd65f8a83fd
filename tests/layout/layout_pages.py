"""Pages drawn for the tests of `layout/`, each with the boxes of its lines."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

WORDS = [
    "sphinx", "of", "black", "quartz", "judge", "my", "vow", "while",
    "jumping", "zebras", "quickly", "pack", "five", "dozen", "liquor", "jugs",
]  # fmt: skip


def page(columns: int = 1, lines: int = 8, size: int = 22, ink: int = 0, paper: int = 255) -> Image.Image:
    """Columns of lines 400 pixels wide at most; grey levels of ink and paper."""
    image = Image.new("L", (80 + 460 * columns, 80 + round(1.5 * size) * lines), paper)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for column in range(columns):
        for line in range(lines):
            first = (5 * line + 3 * column) % len(WORDS)
            text = " ".join((WORDS + WORDS)[first : first + 5])
            while draw.textlength(text, font) > 400:
                text = text.rpartition(" ")[0]
            draw.text((40 + 460 * column, 40 + round(1.5 * size) * line), text, ink, font)
    return image
