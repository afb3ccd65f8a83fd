"""Small geometry for figures in the making.

Points are complex numbers here, because turning and scaling them is then one multiplication.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

import numpy as np

from .figures import Draft, Style
from .tikz import Pen, Point


def pt(z: complex) -> Point:
    """The point as a pair."""
    return z.real, z.imag


def chance(rng: np.random.Generator, share: float) -> bool:
    """True in so large a share of cases."""
    return bool(rng.random() < share)


def pick(rng: np.random.Generator, *choices: str) -> str:
    """One of the choices."""
    return choices[int(rng.integers(len(choices)))]


def value(rng: np.random.Generator) -> str:
    """A length as it is written beside a side."""
    whole = int(rng.integers(1, 25))
    return pick(
        rng, f"${whole}$", f"${whole}$", f"${whole}.{rng.integers(1, 10)}$", "$x$", "$a$", f"${whole}$ cm"
    )


def angle_text(rng: np.random.Generator) -> str | None:
    """What is written in an angle; "?" stands for its size."""
    greek = pick(rng, "\\alpha", "\\beta", "\\theta", "\\varphi", "\\gamma")
    return (None, "$?$", "$?$", f"${greek}$", f"${rng.integers(1, 5)}$")[int(rng.integers(5))]


def foot(p: complex, a: complex, b: complex) -> complex:
    """Foot of the perpendicular from p on the line through a and b."""
    along = (b - a) / abs(b - a)
    return a + along * ((p - a) * along.conjugate()).real


def middle(points: Sequence[complex]) -> complex:
    """The mean of some points."""
    return sum(points) / len(points)


def polygon(draft: Draft, points: Sequence[complex], style: Style, named: bool = True) -> None:
    """Adds a polygon, its corners named on the outside."""
    draft.path(*map(pt, points), closed=True, pen=style.main)
    if named:
        for point in points:
            draft.name(pt(point), pt(middle(points)))


def segment(draft: Draft, a: complex, b: complex, pen: Pen) -> None:
    """Adds a segment."""
    draft.path(pt(a), pt(b), pen=pen)


def good_triangle(rng: np.random.Generator, smallest: float = 32) -> tuple[complex, complex, complex]:
    """A triangle none of whose angles is below `smallest` degrees, standing on its longest side or turned."""
    while True:
        first, second = rng.uniform(smallest, 110, 2)
        if first + second < 180 - smallest:
            break
    apex = math.sin(math.radians(second)) / math.sin(math.radians(first + second))
    c = apex * cmath.rect(1, math.radians(first))
    turn = cmath.rect(1, float(rng.uniform(0, 2 * math.pi))) if chance(rng, 0.3) else 1
    return 0j * turn, 1 * turn, c * turn


def circumcentre(a: complex, b: complex, c: complex) -> complex:
    """Centre of the circle through three points."""
    x, y = b - a, c - a
    return a + (abs(x) ** 2 * y - abs(y) ** 2 * x) / (x.conjugate() * y - x * y.conjugate())


def crossing(a: complex, b: complex, c: complex, d: complex) -> complex:
    """Where the line through a and b meets the line through c and d."""
    u, v = b - a, d - c
    share = ((c - a) * v.conjugate()).imag / (u * v.conjugate()).imag
    return a + u * share


def mark_sides_and_angles(
    draft: Draft, corners: Sequence[complex], rng: np.random.Generator, right_at: complex | None = None
) -> None:
    """Writes lengths beside some sides of a polygon and marks some of its angles, but for the one `right_at`."""
    count = len(corners)
    if chance(rng, 0.45) and not draft.equals:
        for k in rng.permutation(count)[: int(rng.integers(1, count + 1))]:
            draft.lengths.append((pt(corners[k]), pt(corners[(k + 1) % count]), value(rng)))
    if chance(rng, 0.45):
        for k in rng.permutation(count)[: int(rng.integers(1, 3))]:
            if corners[k] != right_at:
                sides = pt(corners[k - 1]), pt(corners[(k + 1) % count])
                draft.angles.append((pt(corners[k]), *sides, angle_text(rng)))
