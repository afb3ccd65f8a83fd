"""Figures of circles and ellipses: each function draws a random `Draft` with a given style."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable

import numpy as np

from .figure_tools import angle_text, chance, middle, pick, polygon, pt, segment
from .figures import Draft, Style
from .tikz import Ellipse


def circle(rng: np.random.Generator, style: Style) -> Draft:
    """A circle with what is usually drawn in it or at it."""
    draft = Draft()
    draft.circle((0, 0), 1, style.main)
    kind = pick(rng, *_IN_A_CIRCLE)
    degrees = np.sort(rng.uniform(0, 360, 4))
    while np.diff([*degrees, degrees[0] + 360]).min() < 35:
        degrees = np.sort(rng.uniform(0, 360, 4))
    on = [cmath.rect(1, math.radians(float(angle))) for angle in degrees]
    if chance(rng, 0.75) and kind != "inscribed":
        draft.dots.append((0, 0))
        draft.name((0, 0), pt((on[0] + on[1]) / 2 + 0.01), "O")
    for point in _IN_A_CIRCLE[kind](rng, draft, on, style):
        draft.name(pt(point), (0, 0))
    return draft


# Each draws into a unit circle at the origin, at some of four points on it, and returns those that get a letter.


def _inscribed(rng: np.random.Generator, draft: Draft, on: list[complex], style: Style) -> list[complex]:
    used = on[: int(rng.integers(3, 5))]
    draft.path(*map(pt, used), closed=True, pen=style.second)
    if len(used) == 4 and chance(rng, 0.5):
        segment(draft, used[0], used[2], style.helper)
    return used


def _diameter(rng: np.random.Generator, draft: Draft, on: list[complex], style: Style) -> list[complex]:
    """With a right angle over it."""
    used = [on[0], -on[0], on[0] * cmath.rect(1, float(rng.uniform(0.7, 2.4)))]
    segment(draft, used[0], used[1], style.second)
    segment(draft, used[0], used[2], style.second)
    segment(draft, used[1], used[2], style.second)
    draft.right_angles.append((pt(used[2]), pt(used[0]), pt(used[1])))
    draft.names = [(p, pt(-used[2]), text) for p, _, text in draft.names]
    return used


def _tangents(rng: np.random.Generator, draft: Draft, on: list[complex], style: Style) -> list[complex]:
    """Two from a point outside."""
    reach = float(rng.uniform(1.6, 2.4))
    p = cmath.rect(reach, float(rng.uniform(0, 2 * math.pi)))
    half = math.acos(1 / reach)
    used = [p / reach * cmath.rect(1, half), p / reach * cmath.rect(1, -half)]
    for touch in used:
        segment(draft, p, touch, style.second)
        segment(draft, 0, touch, style.helper)
        if chance(rng, 0.5):
            draft.right_angles.append((pt(touch), (0, 0), pt(p)))
    draft.name(pt(p), (0, 0), "P")
    _centre_named_away_from(p, draft)
    return used


def _chord(rng: np.random.Generator, draft: Draft, on: list[complex], style: Style) -> list[complex]:
    """With its distance from the centre."""
    used = on[:2]
    h = middle(used)
    segment(draft, used[0], used[1], style.second)
    segment(draft, 0, h, style.helper)
    draft.right_angles.append((pt(h), (0, 0), pt(used[0])))
    draft.name(pt(h), (0, 0), "H")
    _centre_named_away_from(h, draft)
    return used


def _angles(rng: np.random.Generator, draft: Draft, on: list[complex], style: Style) -> list[complex]:
    """The angle at the centre over an arc, and one on the circle over the same arc."""
    opening = cmath.phase(on[1] / on[0]) % (2 * math.pi)
    used = [on[0], on[1], -on[0] * cmath.rect(1, opening / 2)]
    for start in (used[2], 0):
        segment(draft, start, used[0], style.second)
        segment(draft, start, used[1], style.second)
    draft.angles.append((pt(used[2]), pt(used[0]), pt(used[1]), None))
    draft.names = [(q, pt(used[2]), text) for q, _, text in draft.names]
    return used


def _sector(rng: np.random.Generator, draft: Draft, on: list[complex], style: Style) -> list[complex]:
    used = on[:2]
    for point in used:
        segment(draft, 0, point, style.second)
    draft.angles.append(((0, 0), pt(used[0]), pt(used[1]), angle_text(rng)))
    draft.names = [(q, pt(-used[0] - used[1]), text) for q, _, text in draft.names]
    return used


def _secant(rng: np.random.Generator, draft: Draft, on: list[complex], style: Style) -> list[complex]:
    """From a point outside through the circle."""
    used = [on[0], on[2]]
    far = used[1] + (used[1] - used[0]) * float(rng.uniform(0.3, 0.7))
    segment(draft, used[0], far, style.second)
    draft.name(pt(far), (0, 0), "P")
    return used


def _centre_named_away_from(point: complex, draft: Draft) -> None:
    draft.names = [(q, pt(-point) if text == "O" else away, text) for q, away, text in draft.names]


# In this order, which a seed's figures depend on.
_IN_A_CIRCLE: dict[
    str, Callable[[np.random.Generator, Draft, list[complex], Style], list[complex]]
] = {
    "inscribed": _inscribed, "diameter": _diameter, "tangents": _tangents, "chord": _chord,
    "angles": _angles, "sector": _sector, "secant": _secant,
}  # fmt: skip


def circles(rng: np.random.Generator, style: Style) -> Draft:
    """Two circles: crossing, touching, concentric or apart."""
    draft = Draft()
    kind = pick(rng, "crossing", "touching", "concentric", "apart")
    r = float(rng.uniform(0.3, 0.75) if kind == "concentric" else rng.uniform(0.5, 0.95))
    gap = {
        "crossing": rng.uniform(0.4, 0.95) * (1 + r),
        "touching": 1 + r,
        "concentric": 0,
        "apart": 1.4 + r,
    }[kind]
    gap = max(float(gap), 1.02 if kind == "crossing" else 0.0)
    turn = cmath.rect(1, float(rng.choice([0, 0, math.pi / 2, rng.uniform(-1, 1)])))
    o, p = 0j, gap * turn
    draft.circle(pt(o), 1, style.main)
    draft.circle(pt(p), r, style.second)
    if kind == "concentric":
        draft.dots.append(pt(o))
        draft.name(pt(o), (0.5, 0.9), "O")
        end = cmath.rect(1, float(rng.uniform(0, 6)))
        segment(draft, o, end, style.helper)
        draft.names[-1] = (pt(o), pt(-end), "O")
        draft.name(pt(end), (0, 0))
        return draft
    draft.dots += [pt(o), pt(p)]
    draft.name(pt(o), pt(p), "O")
    draft.name(pt(p), pt(o), "O'")
    if kind == "crossing":
        along = (1 - r * r + gap * gap) / (2 * gap)
        across = math.sqrt(max(0.0, 1 - along * along))
        crossings = [(along + sign * across * 1j) * turn for sign in (1, -1)]
        if chance(rng, 0.6):
            segment(draft, crossings[0], crossings[1], style.helper)
        for point in crossings:
            draft.name(pt(point), pt(along * turn))
    elif kind == "touching":
        if chance(rng, 0.6):
            segment(draft, o, p, style.helper)
        draft.name(pt(turn), pt(turn - turn * 1j - turn * 0.4), "T")
    else:
        lean = math.acos((1 - r) / gap)
        touches = [turn * cmath.rect(1, lean), p + r * turn * cmath.rect(1, lean)]
        segment(draft, touches[0], touches[1], style.helper)
        draft.name(pt(touches[0]), pt(o))
        draft.name(pt(touches[1]), pt(p))
    return draft


def ellipse(rng: np.random.Generator, style: Style) -> Draft:
    """An ellipse with its foci and a point, or with its axes, or inside a rectangle."""
    draft = Draft()
    a, b = (1.0, float(rng.uniform(0.45, 0.8)))
    tall = chance(rng, 0.3)
    turn = 1j if tall else 1
    draft.shapes.append(Ellipse((0, 0), (b, a) if tall else (a, b), style.main))
    kind = pick(rng, "foci", "axes", "box")
    if kind == "foci":
        f = math.sqrt(a * a - b * b)
        foci = [-f * turn, f * turn]
        angle = float(rng.uniform(0.9, 2.2))
        p = (a * math.cos(angle) + b * math.sin(angle) * 1j) * turn
        for number, focus in enumerate(foci, 1):
            segment(draft, focus, p, style.second)
            draft.dots.append(pt(focus))
            draft.name(pt(focus), pt(p), f"F_{number}")
        draft.name(pt(p), (0, 0), "P")
    elif kind == "axes":
        for end in (a * turn, b * 1j * turn):
            segment(draft, -end, end, style.helper)
        for end in (-a * turn, a * turn, -b * 1j * turn, b * 1j * turn):
            draft.name(pt(end), (0, 0))
        draft.name((0, 0), (0.5, 0.5), "O")
    else:
        corners = [complex(x, y) for x, y in ((-a, -b), (a, -b), (a, b), (-a, b))]
        polygon(draft, [z * turn for z in corners], style)
    return draft
