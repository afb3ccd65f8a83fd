"""Quadrilaterals: a random `Draft` with a given style, and what is added to one."""

from __future__ import annotations

import cmath
import math

import numpy as np

from .figure_tools import chance, crossing, foot, mark_sides_and_angles, middle, pick, polygon, pt, segment
from .figures import Draft, Style


def quadrilateral(rng: np.random.Generator, style: Style) -> Draft:
    """A quadrilateral of one of the named kinds, with diagonals, midpoints, lengths or angles."""
    draft = Draft()
    kind = pick(rng, "rectangle", "square", "parallelogram", "rhombus", "trapezium", "kite", "any")
    corners = a, b, c, d = _corners(rng, kind)
    polygon(draft, corners, style)
    if kind in ("rectangle", "square") and chance(rng, 0.5):
        draft.right_angles.append((pt(a), pt(b), pt(d)))
    if kind in ("rhombus", "square") and chance(rng, 0.4):
        draft.equals += [(pt(p), pt(q), 1) for p, q in _sides(corners)]
    added = pick(rng, "none", "diagonals", "diagonal", "midpoints", "height", "point")
    if added == "diagonals":
        _diagonals(draft, corners, style)
    elif added == "diagonal":
        start, end = (a, c) if chance(rng, 0.5) else (b, d)
        segment(draft, start, end, style.second)
    elif added == "midpoints":
        _midpoints(draft, corners, style)
    elif added == "height" and kind in ("parallelogram", "trapezium"):
        h = foot(d, a, b)
        segment(draft, d, h, style.helper)
        draft.right_angles.append((pt(h), pt(d), pt(b)))
        draft.name(pt(h), pt(d))
    elif added == "point":
        _point_on_a_side(rng, draft, corners, style)
    if added in ("none", "diagonal"):
        mark_sides_and_angles(draft, corners, rng, right_at=a)
    return draft


def _corners(rng: np.random.Generator, kind: str) -> list[complex]:
    """Four corners, perhaps turned by any angle."""
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
    if not chance(rng, 0.25):
        return [complex(z) for z in corners]
    turn = cmath.rect(1, float(rng.uniform(0, 2 * math.pi)))
    return [z * turn for z in corners]


def _sides(corners: list[complex]) -> list[tuple[complex, complex]]:
    return list(zip(corners, corners[1:] + corners[:1], strict=True))


def _diagonals(draft: Draft, corners: list[complex], style: Style) -> None:
    a, b, c, d = corners
    segment(draft, a, c, style.second)
    segment(draft, b, d, style.second)
    o = crossing(a, c, b, d)
    draft.name(pt(o), pt(middle([a, b]) if abs(o - a) < 2 else d), "O")


def _midpoints(draft: Draft, corners: list[complex], style: Style) -> None:
    """The quadrilateral of the sides' midpoints."""
    inner = [middle([p, q]) for p, q in _sides(corners)]
    draft.equals.clear()
    draft.path(*map(pt, inner), closed=True, pen=style.second)
    for point in inner:
        draft.name(pt(point), pt(middle(corners)))


def _point_on_a_side(rng: np.random.Generator, draft: Draft, corners: list[complex], style: Style) -> None:
    """Joined to both corners of the other side."""
    a, b, c, d = corners
    p = a + (b - a) * float(rng.uniform(0.3, 0.7))
    segment(draft, p, c, style.second)
    segment(draft, p, d, style.second)
    draft.name(pt(p), pt(c), "P")
