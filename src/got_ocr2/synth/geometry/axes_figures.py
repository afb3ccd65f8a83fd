"""Figures on a pair of axes: graphs of functions, and polygons with coordinates.

Here the unit is a centimetre and the origin is where the axes cross; numbered ticks say so in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .figure_tools import chance, pick
from .figures import Style, ordered
from .tikz import Command, Dot, Ellipse, Grid, Label, Path, Pen, Plot, Point, Ticks, number
from .tikz_labels import Board


@dataclass(frozen=True)
class Curve:
    """A function of x.

    Attributes:
        tikz: its expression with the variable `\\x`.
        latex: the same for a label, without "y =".
        value: the function itself; may raise ValueError or ZeroDivisionError where it has no value.
    """

    tikz: str
    latex: str
    value: Callable[[float], float]


@dataclass(frozen=True)
class Window:
    """The visible part of the plane: whole numbers, zero among them on both axes."""

    left: int
    right: int
    bottom: int
    top: int


def graphs(rng: np.random.Generator, style: Style) -> list[Command] | None:
    """One or two graphs of functions on axes; None where a label finds no room."""
    window = _window(rng)
    pens = [replace(style.main, fill=None), style.second]
    commands, labels = _axes(window, rng, style)
    drawn: list[Plot] = []
    curves: list[Curve] = []
    for k in range(1 + int(rng.random() < 0.4)):
        curve = _CURVES[int(rng.integers(len(_CURVES)))](rng)
        pieces = _pieces(curve, window)
        drawn += [Plot(curve.tikz, piece, pens[k]) for piece in pieces]
        curves += [curve] * len(pieces)
    if not drawn:
        return None
    board = _board([*commands, *drawn], labels)
    found: list[Label | None] = []
    if chance(rng, 0.6):
        for plot, curve in dict(
            zip([p.formula for p in drawn], zip(drawn, curves, strict=True), strict=True)
        ).values():
            tips = [plot.values[-1], plot.values[0], plot.values[len(plot.values) * 3 // 4]]
            text = f"$y={curve.latex}$" if chance(rng, 0.7) else "$y=f(x)$"
            found.append(_first(board, [Label(text, _rounded(tip), size=style.value_size) for tip in tips]))
    if any(label is None for label in found):
        return None
    return ordered([*commands, *drawn, *labels, *(label for label in found if label is not None)])


def coordinates(rng: np.random.Generator, style: Style) -> list[Command] | None:
    """A polygon, a circle or an ellipse on axes, at whole coordinates; None where a label finds no room."""
    window = _window(rng)
    commands, labels = _axes(window, rng, style)
    shapes: list[Command] = []
    names: list[Point] = []
    width, height = window.right - window.left, window.top - window.bottom
    kind = pick(rng, "polygon", "polygon", "segments", "circle", "ellipse")
    if kind in ("polygon", "segments"):
        count = int(rng.integers(3, 5)) if kind == "polygon" else 2
        cells = rng.permutation((width - 1) * (height - 1))[:count]
        names = [
            (float(window.left + 1 + c % (width - 1)), float(window.bottom + 1 + c // (width - 1)))
            for c in cells
        ]
        centre = (sum(x for x, _ in names) / count, sum(y for _, y in names) / count)
        names.sort(key=lambda p: math.atan2(p[1] - centre[1], p[0] - centre[0]))
        if _flat(names):
            return None
        shapes.append(Path(tuple(names), kind == "polygon", style.main))
    else:
        a, b = (int(rng.integers(1, max(2, side // 2))) for side in (width, height))
        a, b = (min(a, b),) * 2 if kind == "circle" else (a, b)
        centre = (
            float(rng.integers(window.left + a, window.right - a + 1)),
            float(rng.integers(window.bottom + b, window.top - b + 1)),
        )
        shapes.append(Ellipse(centre, (a, b), style.main))
        names.append(centre)
    shapes += [Dot(point, colour=style.main.colour) for point in names]
    board = _board([*commands, *shapes], labels)
    with_coordinates = chance(rng, 0.5)
    found: list[Label | None] = []
    for letter, (x, y) in zip(style.letters, names, strict=False):
        text = f"{letter}({number(x)},{number(y)})" if with_coordinates else letter
        label = Label(
            f"${text}$" if style.math else text, (x, y), size=style.name_size, colour=style.name_colour
        )
        found.append(board.beside(label, (x - centre[0], y - centre[1] + 0.01)))
    if any(label is None for label in found):
        return None
    return ordered([*commands, *shapes, *labels, *(label for label in found if label is not None)])


def _board(commands: list[Command], labels: list[Label]) -> Board:
    """What labels must keep clear of, the numbers at the ticks included."""
    board = Board(commands)
    for command in commands:
        labels = [*labels, *command.labels()] if isinstance(command, Ticks) else labels
    for label in labels:
        board.add(label)
    return board


def _window(rng: np.random.Generator) -> Window:
    if rng.random() < 0.25:  # the first quadrant
        return Window(0, int(rng.integers(5, 10)), 0, int(rng.integers(4, 8)))
    left, right, bottom, top = (int(n) for n in rng.integers(2, 6, 4))
    return Window(-left, right, -bottom, top)


def _axes(window: Window, rng: np.random.Generator, style: Style) -> tuple[list[Command], list[Label]]:
    """Axes with arrows, ticks and perhaps a grid; and the labels that stand at them."""
    low = (window.left - 0.5 if window.left else -0.3, window.bottom - 0.5 if window.bottom else -0.3)
    tip = (window.right + 0.6, window.top + 0.6)
    axis = Pen(arrow="->")
    commands: list[Command] = [
        Path(((low[0], 0.0), (tip[0], 0.0)), pen=axis),
        Path(((0.0, low[1]), (0.0, tip[1])), pen=axis),
    ]
    if chance(rng, 0.35):
        commands.append(
            Grid((window.left, window.bottom), (window.right, window.top), int(rng.choice([20, 30, 40])))
        )
    ticks = [
        Ticks("x", tuple(v for v in range(window.left, window.right + 1) if v)),
        Ticks("y", tuple(v for v in range(window.bottom, window.top + 1) if v)),
    ]
    labels = [
        Label("$x$", (tip[0], 0.0), "right" if chance(rng, 0.5) else "below"),
        Label("$y$", (0.0, tip[1]), "above" if chance(rng, 0.5) else "left"),
        Label("$O$", (0.0, 0.0), "below left", style.value_size),
    ]
    return [*commands, *ticks], labels


def _pieces(curve: Curve, window: Window) -> list[tuple[Point, ...]]:
    """The stretches of a curve inside the window that are at least half a unit wide."""
    xs = [round(window.left + 0.1 * k, 1) for k in range((window.right - window.left) * 10 + 1)]
    stretches: list[list[float]] = [[]]
    for x in xs:
        try:
            inside = window.bottom - 0.3 <= curve.value(x) <= window.top + 0.3
        except (ValueError, ZeroDivisionError):
            inside = False
        if inside:
            stretches[-1].append(x)
        elif stretches[-1]:
            stretches.append([])
    pieces: list[tuple[Point, ...]] = []
    for stretch in stretches:
        if len(stretch) > 5:
            inner = np.linspace(stretch[0], stretch[-1], max(30, min(100, len(stretch))))
            pieces.append(tuple((float(x), curve.value(float(x))) for x in inner))
    return pieces


def _first(board: Board, candidates: list[Label]) -> Label | None:
    for label in candidates:
        found = board.beside(label, (label.at[0], label.at[1] + 0.01))
        if found is not None:
            return found
    return None


def _rounded(point: Point) -> Point:
    return round(point[0], 2), round(point[1], 2)


def _flat(points: list[Point]) -> bool:
    """Whether three or more points nearly lie on one line."""
    if len(points) < 3:
        return False
    for (ax, ay), (bx, by), (cx, cy) in zip(
        points, points[1:] + points[:1], points[2:] + points[:2], strict=True
    ):
        if abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) < 1.5:
            return True
    return False


def _signed(value: float) -> str:
    return f"+{number(value)}" if value >= 0 else number(value)


def _factor(value: float, times: str) -> str:
    """A factor before something, left out where it is one."""
    return {1.0: "", -1.0: "-"}.get(value, f"{number(value)}{times}")


def _line(rng: np.random.Generator) -> Curve:
    a = float(rng.choice([-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2]))
    b = float(rng.integers(-2, 3))
    end = _signed(b) if b else ""
    return Curve(f"{_factor(a, '*')}\\x{end}", f"{_factor(a, '')}x{end}", lambda x: a * x + b)


def _parabola(rng: np.random.Generator) -> Curve:
    a = float(rng.choice([-1, -0.5, -0.25, 0.25, 0.5, 1, 2]))
    h, k = float(rng.integers(-2, 3)), float(rng.integers(-2, 3))
    end = _signed(k) if k else ""
    inside = _signed(-h) if h else ""
    base = f"(x{inside})" if h else "x"
    return Curve(
        f"{_factor(a, '*')}(\\x{inside})^2{end}",
        f"{_factor(a, '')}{base}^2{end}",
        lambda x: a * (x - h) ** 2 + k,
    )


def _cubic(rng: np.random.Generator) -> Curve:
    a = float(rng.choice([-0.5, -0.25, 0.25, 0.5]))
    b = float(rng.choice([-2, -1, 0, 1]))
    plus = "+" if b > 0 else ""
    return Curve(
        f"{_factor(a, '*')}(\\x)^3" + (f"{plus}{_factor(b, '*')}\\x" if b else ""),
        f"{_factor(a, '')}x^3" + (f"{plus}{_factor(b, '')}x" if b else ""),
        lambda x: a * x**3 + b * x,
    )


def _hyperbola(rng: np.random.Generator) -> Curve:
    a = float(rng.choice([-3, -2, -1, 1, 2, 3]))
    sign = "-" if a < 0 else ""
    return Curve(f"{number(a)}/\\x", f"{sign}\\frac{{{number(abs(a))}}}{{x}}", lambda x: a / x)


def _wave(rng: np.random.Generator) -> Curve:
    a, b = float(rng.choice([1, 1.5, 2])), float(rng.choice([1, 2]))
    name = pick(rng, "sin", "cos")
    inner = f"{_factor(b, '*')}\\x"
    function = math.sin if name == "sin" else math.cos
    return Curve(
        f"{_factor(a, '*')}{name}({inner} r)",
        f"{_factor(a, '')}\\{name} {_factor(b, '')}x",
        lambda x: a * function(b * x),
    )


def _root(rng: np.random.Generator) -> Curve:
    a = float(rng.choice([-1, 1, 1.5, 2]))
    return Curve(f"{_factor(a, '*')}sqrt(\\x)", f"{_factor(a, '')}\\sqrt{{x}}", lambda x: a * math.sqrt(x))


def _exponential(rng: np.random.Generator) -> Curve:
    if rng.random() < 0.5:
        return Curve("exp(\\x)", "e^x", math.exp)
    return Curve("ln(\\x)", "\\ln x", math.log)


def _absolute(rng: np.random.Generator) -> Curve:
    h, k = float(rng.integers(-2, 3)), float(rng.integers(-2, 2))
    end = _signed(k) if k else ""
    inside = f"{_signed(-h)}" if h else ""
    return Curve(f"abs(\\x{inside}){end}", f"|x{inside}|{end}", lambda x: abs(x - h) + k)


_CURVES: tuple[Callable[[np.random.Generator], Curve], ...] = (
    _line, _line, _parabola, _parabola, _parabola, _cubic, _hyperbola, _wave, _wave, _root, _exponential, _absolute,
)  # fmt: skip
