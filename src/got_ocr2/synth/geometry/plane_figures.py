"""Regular polygons, parallels, solids, and mixed figures: each function draws a random `Draft` with a given style."""

from __future__ import annotations

import cmath
import math

import numpy as np

from .figure_tools import angle_text, chance, middle, pick, polygon, pt, segment
from .figures import Draft, Style
from .tikz import Ellipse, Pen


def regular_polygon(rng: np.random.Generator, style: Style) -> Draft:
    """A regular polygon or a star, perhaps with its circle, centre or diagonals."""
    draft = Draft()
    count = int(rng.integers(5, 9))
    start = math.pi / 2 + (math.pi / count if chance(rng, 0.5) else 0)
    points = [cmath.rect(1, start + 2 * math.pi * k / count) for k in range(count)]
    named = chance(rng, 0.7)
    if count % 2 and chance(rng, 0.35):
        star = [points[(2 * k) % count] for k in range(count)]
        draft.path(*map(pt, star), closed=True, pen=style.main)
        for point in star if named else ():
            draft.name(pt(point), (0, 0))
        return draft
    polygon(draft, points, style, named)
    extra = pick(rng, "none", "circle", "diagonals", "radii", "fan")
    if extra == "circle":
        draft.circle((0, 0), 1, style.second)
    elif extra == "diagonals":
        for k in range(count):
            segment(draft, points[k], points[(k + 2) % count], style.second)
    elif extra == "radii":
        for k in (0, 1):
            segment(draft, 0, points[k], style.helper)
        draft.name((0, 0), pt(points[0] + points[1]), "O")
        draft.dots.append((0, 0))
    elif extra == "fan":
        for k in range(2, count - 1):
            segment(draft, points[0], points[k], style.second)
    return draft


def parallels(rng: np.random.Generator, style: Style) -> Draft:
    """Two parallel lines and a third across them, with numbered or lettered angles."""
    draft = Draft()
    height, lean = float(rng.uniform(0.35, 0.55)), math.radians(float(rng.uniform(50, 130)))
    ends = [(0j, 1 + 0j), (height * 1j, 1 + height * 1j)]
    for k, (a, b) in enumerate(ends):
        segment(draft, a, b, style.main)
        draft.name(pt(b), pt(a), "lm"[k])
    down, up = 0.5 - height / 2 / math.tan(lean), 0.5 + height / 2 / math.tan(lean)
    feet = [complex(down, 0), complex(up, height)]
    direction = cmath.rect(1, lean)
    segment(draft, feet[0] - direction * 0.25, feet[1] + direction * 0.25, style.second)
    draft.name(pt(feet[1] + direction * 0.25), pt(feet[0]), "t")
    if chance(rng, 0.6):
        number = 0
        for foot in feet[::-1]:
            rays = [1 + 0j, direction, -1 + 0j, -direction]
            for k in range(4):
                number += 1
                draft.angles.append(
                    (pt(foot), pt(foot + rays[k]), pt(foot + rays[(k + 1) % 4]), f"${number}$")
                )
    else:
        draft.angles.append((pt(feet[0]), pt(feet[0] + 1), pt(feet[1]), angle_text(rng)))
        draft.angles.append((pt(feet[1]), pt(feet[1] + 1), pt(feet[1] + direction), angle_text(rng)))
    return draft


def solid(rng: np.random.Generator, style: Style) -> Draft:
    """A box or a pyramid, its hidden edges dashed."""
    draft = Draft()
    deep = complex(float(rng.uniform(0.3, 0.5)), float(rng.uniform(0.2, 0.4)))
    high = float(rng.uniform(0.6, 1.2)) * 1j
    floor = [0j, 1 + 0j, 1 + deep, deep]
    hidden = Pen(style.main.colour, dash="dashed")
    if chance(rng, 0.55):
        roof = [z + high for z in floor]
        draft.path(*map(pt, [floor[0], floor[1], roof[1], roof[0]]), closed=True, pen=style.main)
        draft.path(*map(pt, [floor[1], floor[2], roof[2], roof[1]]), pen=style.main)
        draft.path(*map(pt, [roof[0], roof[3], roof[2]]), pen=style.main)
        for z in (floor[0], floor[2], roof[3]):
            segment(draft, floor[3], z, hidden)
        inside = middle(floor + roof)
        for z in floor + roof:
            draft.name(pt(z), pt(inside))
        if chance(rng, 0.4):
            segment(draft, floor[0], roof[2], style.second)
    else:
        top = middle(floor) + high * 1.2
        draft.path(*map(pt, [floor[0], floor[1], floor[2], top]), closed=True, pen=style.main)
        segment(draft, floor[1], top, style.main)
        for z in (floor[0], floor[2], top):
            segment(draft, floor[3], z, hidden)
        for z in (*floor, top):
            draft.name(pt(z), pt(middle([*floor, top])))
        if chance(rng, 0.4):
            segment(draft, top, middle(floor), style.helper)
    return draft


def medley(rng: np.random.Generator, style: Style) -> Draft:
    """Two to five unrelated shapes: nothing to guess from, only to see."""
    draft = Draft()
    pens = (style.main, style.second, style.helper)
    for _ in range(int(rng.integers(2, 6))):
        centre = complex(float(rng.uniform(0, 3)), float(rng.uniform(0, 2)))
        size = float(rng.uniform(0.25, 0.8))
        pen = pens[int(rng.integers(3))]
        kind = pick(rng, "circle", "ellipse", "polygon", "segment", "broken", "rectangle")
        if kind == "circle":
            draft.circle(pt(centre), size, pen)
        elif kind == "ellipse":
            draft.shapes.append(Ellipse(pt(centre), (size, size * float(rng.uniform(0.4, 0.8))), pen))
        elif kind == "rectangle":
            w, h = size, size * float(rng.uniform(0.4, 1))
            corners = [centre + complex(sx * w, sy * h) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            draft.path(*map(pt, corners), closed=True, pen=pen)
        else:
            count = {"polygon": int(rng.integers(3, 7)), "segment": 2, "broken": int(rng.integers(3, 5))}[
                kind
            ]
            turns = (
                np.sort(rng.uniform(0, 2 * math.pi, count)) if count > 2 else np.array([0.3, 0.3 + math.pi])
            )
            points = [centre + cmath.rect(size * float(rng.uniform(0.6, 1.2)), float(turn)) for turn in turns]
            draft.path(*map(pt, points), closed=kind == "polygon", pen=pen)
            if chance(rng, 0.4):
                for point in points:
                    draft.name(pt(point), pt(centre))
    return draft
