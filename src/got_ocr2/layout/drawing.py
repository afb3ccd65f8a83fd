"""Found lines drawn on their page, for people to look at."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from .lines import PageLayout, outline

_COLORS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17a0a8", "#8c564b", "#e377c2")


def drawn(image: Image.Image, layout: PageLayout) -> Image.Image:
    """A copy of the page, RGB, with the outline and the number of every line; each block has a colour of its own.

    Args:
        image: the page.
        layout: its lines.
    """
    page = image.convert("RGB").copy()
    draw = ImageDraw.Draw(page)
    width = max(1, round(max(page.size) / 1000))
    font = ImageFont.load_default(max(10, round(max(page.size) / 110)))
    for line in layout.lines:
        color = _COLORS[line.block % len(_COLORS)]
        draw.polygon(outline(line.quad, line.bend), outline=color, width=width)
        draw.text(line.quad[0], str(line.order + 1), fill=color, font=font, anchor="rt")
    return page
