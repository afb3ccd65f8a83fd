"""Figures with straight sides, and mixed ones: each function draws a random `Draft` with a given style."""

from __future__ import annotations

import cmath
import math

import numpy as np

from .figure_tools import (
    angle_text,
    chance,
    circumcentre,
    crossing,
    foot,
    good_triangle,
    mark_sides_and_angles,
    middle,
    pick,
    polygon,
    pt,
    segment,
)
from .figures import Draft, Style
from .tikz import Ellipse, Pen


def triangle(rng: np.random.Generator, style: Style) -> Draft:
    """A triangle, perhaps a special one, with a line or a circle added, and some of its sides and angles marked."""
    draft = Draft()
    shape = pick(rng, "any", "any", "right", "isosceles", "equilateral")
    a, b, c = good_triangle(rng)
    if shape == "right":
        b = a + (c - a) * 1j * -float(rng.uniform(0.7, 1.5))
    elif shape == "isosceles":
        c = middle([a, b]) + (b - a) * 1j * float(rng.uniform(0.6, 1.3))
    elif shape == "equilateral":
        c = a + (b - a) * cmath.rect(1, math.pi / 3)
    corners = [a, b, c]
    centre = middle(corners)
    polygon(draft, corners, style)
    if shape == "right":
        draft.right_angles.append((pt(a), pt(b), pt(c)))
    if shape == "isosceles" and chance(rng, 0.6):
        draft.equals += [(pt(a), pt(c), 1), (pt(b), pt(c), 1)]
    if shape == "equilateral" and chance(rng, 0.6):
        draft.equals += [(pt(a), pt(b), 1), (pt(b), pt(c), 1), (pt(c), pt(a), 1)]
    extra = pick(
        rng, "none", "median", "altitude", "bisector", "circumcircle", "incircle", "midline", "inner"
    )
    if extra == "median":
        m = middle([a, b])
        segment(draft, c, m, style.helper)
        draft.name(pt(m), pt(c))
        if not draft.equals:
            draft.equals += [(pt(a), pt(m), 2), (pt(m), pt(b), 2)]
    elif extra == "altitude":
        h = foot(c, a, b)
        if abs(h - a) + abs(h - b) < abs(a - b) * 1.001 and min(abs(h - a), abs(h - b)) > 0.1 * abs(a - b):
            segment(draft, c, h, style.helper)
            draft.right_angles.append((pt(h), pt(c), pt(b)))
            draft.name(pt(h), pt(c))
    elif extra == "bisector":
        share = abs(c - a) / (abs(c - a) + abs(c - b))
        d = a + (b - a) * share
        segment(draft, c, d, style.second)
        draft.name(pt(d), pt(c))
    elif extra == "circumcircle":
        o = circumcentre(a, b, c)
        draft.circle(pt(o), abs(o - a), style.second)
        draft.name(pt(o), pt(b), "O")
        draft.dots.append(pt(o))
        draft.names = [
            (point, (point[0] - o.real, point[1] - o.imag), text) for point, _, text in draft.names[:3]
        ]
        draft.names.append((pt(o), (0.0, -1.0), "O"))
    elif extra == "incircle":
        sides = [abs(b - c), abs(c - a), abs(a - b)]
        i = (a * sides[0] + b * sides[1] + c * sides[2]) / sum(sides)
        draft.circle(pt(i), abs(foot(i, a, b) - i), style.second)
        if chance(rng, 0.5):
            draft.name(pt(i), pt(c), "I")
            draft.dots.append(pt(i))
    elif extra == "midline":
        m, n = middle([a, c]), middle([b, c])
        segment(draft, m, n, style.second)
        draft.name(pt(m), pt(b))
        draft.name(pt(n), pt(a))
    elif extra == "inner":
        p = centre + (c - centre) * float(rng.uniform(-0.2, 0.4))
        for corner in corners:
            segment(draft, corner, p, style.second)
        draft.name(pt(p), pt(centre + (a - b)), "P")
    if extra in ("none", "incircle", "midline", "altitude"):
        mark_sides_and_angles(draft, corners, rng, right_at=a if shape == "right" else None)
    return draft


def quadrilateral(rng: np.random.Generator, style: Style) -> Draft:
    """A quadrilateral of one of the named kinds, with diagonals, midpoints, lengths or angles."""
    draft = Draft()
    kind = pick(rng, "rectangle", "square", "parallelogram", "rhombus", "trapezium", "kite", "any")
    height, slant = float(rng.uniform(0.45, 0.9)), float(rng.uniform(0.15, 0.5))
    corners = {
        "rectangle": [0, 1, 1 + height * 1j, height * 1j],
        "square": [0, 1, 1 + 1j, 1j],
        "parallelogram": [0, 1, 1 + slant + height * 1j, slant + height * 1j],
        "rhombus": [0, 1, 1 + cmath.rect(1, 1.1 + slant / 4), cmath.rect(1, 1.1 + slant / 4)],
        "trapezium": [0, 1, 1 - slant / 2 + height * 1j, slant + height * 1j],
        "kite": [0, 0.45 + height * 0.7j, 1.4j, -0.45 + height * 0.7j],
        "any": [0, 1 + slant * 0.2j, 0.9 + height * 1j, slant * 0.4 + height * 0.8j],
    }[kind]
    points = [complex(z) for z in corners]
    if chance(rng, 0.25):
        turn = cmath.rect(1, float(rng.uniform(0, 2 * math.pi)))
        points = [z * turn for z in points]
    a, b, c, d = points
    polygon(draft, points, style)
    if kind in ("rectangle", "square") and chance(rng, 0.5):
        draft.right_angles.append((pt(a), pt(b), pt(d)))
    if kind in ("rhombus", "square") and chance(rng, 0.4):
        draft.equals += [(pt(p), pt(q), 1) for p, q in zip(points, points[1:] + points[:1], strict=True)]
    extra = pick(rng, "none", "diagonals", "diagonal", "midpoints", "height", "point")
    if extra == "diagonals":
        segment(draft, a, c, style.second)
        segment(draft, b, d, style.second)
        o = crossing(a, c, b, d)
        draft.name(pt(o), pt(middle([a, b]) if abs(o - a) < 2 else d), "O")
    elif extra == "diagonal":
        ends = (a, c) if chance(rng, 0.5) else (b, d)
        segment(draft, *ends, style.second)
    elif extra == "midpoints":
        inner = [middle([p, q]) for p, q in zip(points, points[1:] + points[:1], strict=True)]
        draft.equals.clear()
        draft.path(*map(pt, inner), closed=True, pen=style.second)
        for point in inner:
            draft.name(pt(point), pt(middle(points)))
    elif extra == "height" and kind in ("parallelogram", "trapezium"):
        h = foot(d, a, b)
        segment(draft, d, h, style.helper)
        draft.right_angles.append((pt(h), pt(d), pt(b)))
        draft.name(pt(h), pt(d))
    elif extra == "point":
        p = a + (b - a) * float(rng.uniform(0.3, 0.7))
        segment(draft, p, c, style.second)
        segment(draft, p, d, style.second)
        draft.name(pt(p), pt(c), "P")
    if extra in ("none", "diagonal"):
        mark_sides_and_angles(draft, points, rng, right_at=a)
    return draft


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
