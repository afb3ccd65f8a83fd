"""What the drawing libraries share: palettes, the looks they pick from, text set by Pillow, and the collision check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ..fonts.catalog import FontFile, Split, fonts, pick_font

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

PALETTES: tuple[tuple[str, ...], ...] = (
    ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860", "#da8bc3", "#8c8c8c"),
    ("#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#e6ab02", "#a6761d", "#666666"),
    ("#5470c6", "#91cc75", "#fac858", "#ee6666", "#73c0de", "#3ba272", "#fc8452", "#9a60b4"),
    ("#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51", "#8ab17d", "#287271", "#b5838d"),
    ("#003f5c", "#58508d", "#bc5090", "#ff6361", "#ffa600", "#7a5195", "#2f4b7c", "#665191"),
    ("#222222", "#777777", "#bbbbbb", "#444444", "#999999", "#d5d5d5", "#333333", "#888888"),
    ("#08519c", "#3182bd", "#6baed6", "#9ecae1", "#0b3c6f", "#4f97cc", "#84bcdc", "#c6dbef"),
    ("#e41a1c", "#377eb8", "#4daf4a", "#984ea3", "#ff7f00", "#a65628", "#f781bf", "#999999"),
)


@dataclass(frozen=True)
class Look:
    """How a chart looks, whoever draws it; lengths in pixels.

    Attributes:
        width, height: of the plotting area.
        face: of all text.
        size: of the text at the axes.
        title_size: of the title.
        colours: of the series, or of the slices.
        ground: background of the page.
        plot_ground: background of the plotting area.
        grid: "", "y" or "both".
        frame: the plotting area has a frame on all sides, rather than two axes.
        bar_share: how much of its place a bar takes, 0 to 1.
        line_width, marker: of lines and their markers; 0 leaves the markers out.
        turn: angle of the names along the horizontal axis.
        legend: where it stands, "right" or "top".
        donut: a pie has a hole.
        title_left: title and source begin at the left edge rather than stand in the middle.
    """

    width: int
    height: int
    face: FontFile
    size: float
    title_size: float
    colours: tuple[str, ...]
    ground: str
    plot_ground: str
    grid: str
    frame: bool
    bar_share: float
    line_width: float
    marker: int
    turn: int
    legend: str
    donut: bool
    title_left: bool


def random_look(rng: np.random.Generator, text: str, hues: int, split: Split) -> Look:
    """A look whose face draws every character of `text`, and whose first `hues` (at most 8) colours differ clearly."""
    faces = tuple(
        face
        for face in fonts(("sans", "serif", "mono"), split=split, weights=(300, 700), italic=False)
        if not face.axes and face.index == 0
    )
    size = float(rng.integers(11, 17))
    turned = [palette[k:] + palette[:k] for palette in PALETTES for k in range(len(palette))]
    fitting = [colours for colours in turned if _differ(colours[:hues])]
    plain = rng.random() < 0.7
    return Look(
        width=int(rng.integers(340, 620)),
        height=int(rng.integers(240, 420)),
        face=pick_font(rng, text, faces),
        size=size,
        title_size=round(size * float(rng.uniform(1.15, 1.6))),
        colours=fitting[int(rng.integers(len(fitting)))],
        ground="#ffffff" if plain else str(rng.choice(["#fafafa", "#f5f5f5", "#fffdf5", "#f4f8fb"])),
        plot_ground="#ffffff" if plain else str(rng.choice(["#ffffff", "#eaeaf2", "#f7f7f7"])),
        grid=str(rng.choice(["", "y", "y", "both"])),
        frame=bool(rng.random() < 0.4),
        bar_share=float(rng.uniform(0.5, 0.9)),
        line_width=float(rng.uniform(1.4, 3)),
        marker=int(rng.choice([0, 4, 5, 6])),
        turn=int(rng.choice([0, 0, 0, 30, 45, 90])),
        legend=str(rng.choice(["right", "top"])),
        donut=bool(rng.random() < 0.35),
        title_left=bool(rng.random() < 0.25),
    )


def with_headings(plot: Image.Image, look: Look, title: str, source: str, margin: int) -> Image.Image:
    """The drawn chart under its title and above its source, with a margin; long titles take several lines."""
    width = max(plot.width, 200)
    heading = _paragraph(look, title, look.title_size, width)
    footing = _paragraph(look, f"Source: {source}" if source else "", max(10.0, look.size * 0.85), width)
    gap = round(look.size * 0.6)
    parts = [part for part in (heading, plot, footing) if part is not None]
    height = sum(part.height for part in parts) + gap * (len(parts) - 1)
    page = Image.new("RGB", (width + 2 * margin, height + 2 * margin), look.ground)
    top = margin
    for part in parts:
        left = margin if look.title_left and part is not plot else margin + (width - part.width) // 2
        page.paste(part, (left, top))
        top += part.height + gap
    return page


def draw_text(
    image: Image.Image, at: tuple[float, float], text: str, look: Look, size: float, anchor: str
) -> Box:
    """Writes one line of dark text; `anchor` is Pillow's. Returns the box of its ink."""
    draw = ImageDraw.Draw(image)
    font = look.face.load(size)
    draw.text(at, text, "#222222", font, anchor=anchor)
    return draw.textbbox(at, text, font, anchor=anchor)


def collide(boxes: Sequence[Box], gap: float = 1.0) -> bool:
    """Whether any two boxes come closer than `gap` pixels."""
    if len(boxes) < 2:
        return False
    left, top, right, bottom = np.array(boxes, float).T
    across = (left[:, None] < right + gap) & (left < right[:, None] + gap)
    down = (top[:, None] < bottom + gap) & (top < bottom[:, None] + gap)
    return bool((across & down).sum() > len(boxes))


def cross(labels: Sequence[Box], frame: Box) -> bool:
    """Whether any label lies across an edge of the frame."""
    left, top, right, bottom = frame
    return any(x0 < edge < x1 for x0, _, x1, _ in labels for edge in (left, right)) or any(
        y0 < edge < y1 for _, y0, _, y1 in labels for edge in (top, bottom)
    )


def cover(labels: Sequence[Box], bars: Sequence[Box], *, within: bool, slack: float = 1.5) -> bool:
    """Whether the number of any bar reaches over another bar; the two lists run in the same order.

    Args:
        within: numbers belong inside their own bar, and may not reach out of it either.
        slack: so many pixels are forgiven.
    """
    if not labels or not bars:
        return False
    if within and any(
        x0 < a0 or y0 < b0 or x1 > a1 or y1 > b1
        for (x0, y0, x1, y1), (a0, b0, a1, b1) in zip(labels, bars, strict=True)
    ):
        return True
    left, top, right, bottom = np.array(labels, float).T[:, :, None]
    x0, y0, x1, y1 = np.array(bars, float).T[:, None]
    over = (left + slack < x1) & (x0 < right - slack) & (top + slack < y1) & (y0 < bottom - slack)
    np.fill_diagonal(over, False)
    return bool(over.any())


def ink_on(colour: str) -> str:
    """Black or white, whichever is read more easily on a colour."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#000000" if 0.3 * red + 0.59 * green + 0.11 * blue > 120 else "#ffffff"


def _differ(colours: Sequence[str]) -> bool:
    """Whether a reader tells any two colours apart, also as small patches in a legend."""
    rgb = np.array([[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in colours], float)
    gaps = np.linalg.norm(rgb[:, None] - rgb[None], axis=-1)[np.triu_indices(len(colours), 1)]
    return bool((gaps > 50).all())


def _paragraph(look: Look, text: str, size: float, width: int) -> Image.Image | None:
    """Text broken into lines of at most `width` pixels; None for no text."""
    if not text:
        return None
    font = look.face.load(size)
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    align = "left" if look.title_left else "center"
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = draw.multiline_textbbox((0, 0), "\n".join(lines), font, align=align)
    strip = Image.new("RGB", (int(right - left) + 2, int(bottom - top) + 2), look.ground)
    ImageDraw.Draw(strip).multiline_text((1 - left, 1 - top), "\n".join(lines), "#111111", font, align=align)
    return strip
