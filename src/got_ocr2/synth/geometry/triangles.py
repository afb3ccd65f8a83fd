"""Triangles: a random `Draft` with a given style, and the lines and circles that are added to one."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable

import numpy as np

from .figure_tools import (
    chance,
    circumcentre,
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

Corners = tuple[complex, complex, complex]


def triangle(rng: np.random.Generator, style: Style) -> Draft:
    """A triangle, perhaps a special one, with a line or a circle added, and some of its sides and angles marked."""
    draft = Draft()
    shape = pick(rng, "any", "any", "right", "isosceles", "equilateral")
    a, b, c = corners = _corners(rng, shape)
    polygon(draft, corners, style)
    if shape == "right":
        draft.right_angles.append((pt(a), pt(b), pt(c)))
    if shape == "isosceles" and chance(rng, 0.6):
        draft.equals += [(pt(a), pt(c), 1), (pt(b), pt(c), 1)]
    if shape == "equilateral" and chance(rng, 0.6):
        draft.equals += [(pt(a), pt(b), 1), (pt(b), pt(c), 1), (pt(c), pt(a), 1)]
    added = pick(rng, "none", *_ADDED)
    if added != "none":
        _ADDED[added](rng, draft, corners, style)
    if added in ("none", "incircle", "midline", "altitude"):
        mark_sides_and_angles(draft, corners, rng, right_at=a if shape == "right" else None)
    return draft


def _corners(rng: np.random.Generator, shape: str) -> Corners:
    a, b, c = good_triangle(rng)
    if shape == "right":
        b = a + (c - a) * 1j * -float(rng.uniform(0.7, 1.5))
    elif shape == "isosceles":
        c = middle([a, b]) + (b - a) * 1j * float(rng.uniform(0.6, 1.3))
    elif shape == "equilateral":
        c = a + (b - a) * cmath.rect(1, math.pi / 3)
    return a, b, c


def _median(rng: np.random.Generator, draft: Draft, corners: Corners, style: Style) -> None:
    a, b, c = corners
    m = middle([a, b])
    segment(draft, c, m, style.helper)
    draft.name(pt(m), pt(c))
    if not draft.equals:
        draft.equals += [(pt(a), pt(m), 2), (pt(m), pt(b), 2)]


def _altitude(rng: np.random.Generator, draft: Draft, corners: Corners, style: Style) -> None:
    """Only where its foot lies well inside the side."""
    a, b, c = corners
    h = foot(c, a, b)
    if abs(h - a) + abs(h - b) < abs(a - b) * 1.001 and min(abs(h - a), abs(h - b)) > 0.1 * abs(a - b):
        segment(draft, c, h, style.helper)
        draft.right_angles.append((pt(h), pt(c), pt(b)))
        draft.name(pt(h), pt(c))


def _bisector(rng: np.random.Generator, draft: Draft, corners: Corners, style: Style) -> None:
    a, b, c = corners
    share = abs(c - a) / (abs(c - a) + abs(c - b))
    d = a + (b - a) * share
    segment(draft, c, d, style.second)
    draft.name(pt(d), pt(c))


def _circumcircle(rng: np.random.Generator, draft: Draft, corners: Corners, style: Style) -> None:
    """With its centre; the corners' names stand outside it."""
    o = circumcentre(*corners)
    draft.circle(pt(o), abs(o - corners[0]), style.second)
    draft.dots.append(pt(o))
    draft.names = [
        (point, (point[0] - o.real, point[1] - o.imag), text) for point, _, text in draft.names[:3]
    ]
    draft.names.append((pt(o), (0.0, -1.0), "O"))


def _incircle(rng: np.random.Generator, draft: Draft, corners: Corners, style: Style) -> None:
    a, b, c = corners
    sides = [abs(b - c), abs(c - a), abs(a - b)]
    i = (a * sides[0] + b * sides[1] + c * sides[2]) / sum(sides)
    draft.circle(pt(i), abs(foot(i, a, b) - i), style.second)
    if chance(rng, 0.5):
        draft.name(pt(i), pt(c), "I")
        draft.dots.append(pt(i))


def _midline(rng: np.random.Generator, draft: Draft, corners: Corners, style: Style) -> None:
    a, b, c = corners
    m, n = middle([a, c]), middle([b, c])
    segment(draft, m, n, style.second)
    draft.name(pt(m), pt(b))
    draft.name(pt(n), pt(a))


def _inner_point(rng: np.random.Generator, draft: Draft, corners: Corners, style: Style) -> None:
    """A point inside, joined to all corners."""
    a, b, c = corners
    centre = middle(corners)
    p = centre + (c - centre) * float(rng.uniform(-0.2, 0.4))
    for corner in corners:
        segment(draft, corner, p, style.second)
    draft.name(pt(p), pt(centre + (a - b)), "P")


# In this order, which a seed's figures depend on.
_ADDED: dict[str, Callable[[np.random.Generator, Draft, Corners, Style], None]] = {
    "median": _median, "altitude": _altitude, "bisector": _bisector, "circumcircle": _circumcircle,
    "incircle": _incircle, "midline": _midline, "inner": _inner_point,
}  # fmt: skip
