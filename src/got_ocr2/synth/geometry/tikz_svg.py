"""Draws the commands of a figure without TeX's eyes: the same lines as tikra, labels in any font.

It serves as a second look, and as the check that the commands mean what we think they mean: nothing of the TikZ text
is read here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..drawing.svg import svg_to_image
from ..fonts.catalog import FontFile, Split, fonts, pick_font
from .math_labels import Faces, Setting, set_label, shown_text
from .tikz import (
    COLOURS,
    DASHES,
    POINTS_PER_CM,
    WIDTHS,
    Command,
    Dot,
    Ellipse,
    Grid,
    Label,
    Path,
    Pen,
    Point,
    Ticks,
)
from .tikz_labels import ANCHORS, SEPARATION

_EM = 10 / POINTS_PER_CM  # TeX's ten points, in centimetres
_SIZES = {"": 1.0, "\\small": 0.9, "\\footnotesize": 0.8, "\\scriptsize": 0.7}
_BORDER = 0.07


def draw_commands(
    commands: Sequence[Command], centimetre: float, rng: np.random.Generator, split: Split = "train"
) -> Image.Image:
    """RGB picture of a figure at `centimetre` pixels a centimetre, cropped to what it draws, on white."""
    labels = [label for command in commands for label in _labels_of(command)]
    faces = _faces(rng, "".join(shown_text(label.text) for label in labels), split)
    settings = [
        (label, set_label(label.text, faces, _EM * _SIZES[label.size] * centimetre)) for label in labels
    ]
    boxes = [_box(label, setting, centimetre) for label, setting in settings]
    corners = [point for command in commands if not isinstance(command, Label) for point in command.outline()]
    corners += [corner for left, bottom, right, top in boxes for corner in ((left, bottom), (right, top))]
    places = np.array(corners, np.float64)
    low, high = places.min(axis=0) - _BORDER, places.max(axis=0) + _BORDER
    width, height = (float(side) for side in high - low)
    body = "".join(_shape(command) for command in commands)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{low[0]:.4f} {-high[1]:.4f} {width:.4f} {height:.4f}" '
        f'fill="none" stroke-linecap="butt" stroke-linejoin="miter">{body}</svg>'
    )
    picture = svg_to_image(svg, max(1, round(width * centimetre)))
    for (label, setting), (left, bottom, _, _) in zip(settings, boxes, strict=True):
        x, y = (left - low[0]) * centimetre, (high[1] - bottom) * centimetre - setting.descent
        setting.draw(picture, x, y, COLOURS[label.colour], 0.04 * _EM * centimetre)
    return picture


def _faces(rng: np.random.Generator, text: str, split: Split) -> Faces:
    """A face and its slanted sister, if it has one that is not heavier or lighter."""
    upright = pick_font(rng, text, fonts(("serif", "sans"), split=split, weights=(300, 600), italic=False))
    sisters = [
        face
        for face in fonts(("serif", "sans"), split=split, italic=True)
        if face.family == upright.family and face.weight == upright.weight and face.covers(text)
    ]
    italic: FontFile = sisters[0] if sisters else upright
    return Faces(upright, italic)


def _labels_of(command: Command) -> list[Label]:
    if isinstance(command, Label):
        return [command]
    return command.labels() if isinstance(command, Ticks) else []


def _box(label: Label, setting: Setting, centimetre: float) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a label in centimetres: on the side of its point that its anchor says."""
    width, height = setting.width / centimetre, (setting.ascent + setting.descent) / centimetre
    dx, dy = ANCHORS[label.anchor] if label.anchor else (0, 0)
    x, y = label.at
    left = (x + SEPARATION, x - width / 2, x - SEPARATION - width)[1 - dx]
    bottom = (y + SEPARATION, y - height / 2, y - SEPARATION - height)[1 - dy]
    return left, bottom, left + width, bottom + height


def _shape(command: Command) -> str:
    """A command as SVG, in centimetres, y downwards."""
    if isinstance(command, Label):
        return ""
    if isinstance(command, Dot):
        radius = command.radius / POINTS_PER_CM
        return f'<circle cx="{command.at[0]}" cy="{-command.at[1]}" r="{radius:.4f}" fill="{COLOURS[command.colour]}"/>'
    if isinstance(command, Grid):
        return _grid(command)
    if isinstance(command, Ticks):
        return "".join(_way(ends, False, Pen()) for ends in command.strokes())
    if isinstance(command, Ellipse):
        (x, y), (a, b) = command.centre, command.radii
        return f'<ellipse cx="{x}" cy="{-y}" rx="{a}" ry="{b}" {_stroke(command.pen)}/>'
    closed = isinstance(command, Path) and command.closed
    pen: Pen = getattr(command, "pen")  # noqa: B009  (arcs, paths and plots all have one)
    outline = command.outline()
    return _way(outline[:-1] if closed else outline, closed, pen) + (_tip(outline, pen) if pen.arrow else "")


def _way(points: Sequence[Point], closed: bool, pen: Pen) -> str:
    way = "M" + "L".join(f"{x:.4f} {-y:.4f}" for x, y in points) + ("Z" if closed else "")
    return f'<path d="{way}" {_stroke(pen)}/>'


def _stroke(pen: Pen) -> str:
    fill = f'fill="{_mixed(*pen.fill)}" ' if pen.fill else ""
    dash = " ".join(f"{length / POINTS_PER_CM:.4f}" for length in DASHES[pen.dash])
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'{fill}stroke="{COLOURS[pen.colour]}" stroke-width="{WIDTHS[pen.width] / POINTS_PER_CM:.4f}"{dashes}'
    )


def _mixed(colour: str, share: int) -> str:
    """So many per cent of a colour on white."""
    parts = (int(COLOURS[colour][k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share / 100):02x}" for part in parts)


def _tip(outline: Sequence[Point], pen: Pen) -> str:
    """TeX's arrow head: two curved barbs."""
    (ax, ay), (bx, by) = outline[-2], outline[-1]
    angle = math.degrees(math.atan2(-(by - ay), bx - ax))
    barb = "M-0.07 -0.08C-0.06 -0.04 -0.03 -0.01 0 0C-0.03 0.01 -0.06 0.04 -0.07 0.08"
    return f'<path transform="translate({bx:.4f} {-by:.4f}) rotate({angle:.2f})" d="{barb}" {_stroke(pen)}/>'


def _grid(grid: Grid) -> str:
    (left, bottom), (right, top) = grid.low, grid.high
    columns = [((x, bottom), (x, top)) for x in range(left, right + 1)]
    rows = [((left, y), (right, y)) for y in range(bottom, top + 1)]
    stroke = f'stroke="{_mixed("gray", grid.shade)}" stroke-width="{WIDTHS["very thin"] / POINTS_PER_CM:.4f}"'
    way = "".join(f"M{a} {-b}L{c} {-d}" for (a, b), (c, d) in columns + rows)
    return f'<path d="{way}" {stroke}/>'
