"""Finds room for the labels of a figure: beside their points, clear of lines and of one another."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import numpy as np

from ...errors import MissingDependencyError
from .tikz import Command, Label, Point

Box = tuple[float, float, float, float]  # left, bottom, right, top in centimetres

ANCHORS: dict[str, tuple[int, int]] = {
    "right": (1, 0), "above right": (1, 1), "above": (0, 1), "above left": (-1, 1), "left": (-1, 0),
    "below left": (-1, -1), "below": (0, -1), "below right": (1, -1),
}  # fmt: skip
"""TikZ's sides of a point, and which way they lead."""

SEPARATION = 0.11713
"""TikZ's space between a point and its text, in centimetres: a third of an em at ten points."""

_BIG_POINT = 2.54 / 72
_BORDER = 2.0  # what tikra leaves around a figure, in big points
_CLEARANCE = 0.04


@lru_cache(maxsize=8192)
def text_size(text: str, size: str) -> tuple[float, float]:
    """Width and height in centimetres of a label's ink, as TeX's fonts set it.

    Args:
        text: as TeX reads it.
        size: a TeX size command, or "".

    Raises:
        MissingDependencyError: tikra is not installed.
    """
    try:
        import tikra
    except ImportError as error:
        raise MissingDependencyError('Figures need tikra: pip install "got-ocr2[synth]".') from error
    font = f", font={size}" if size else ""
    svg = tikra.tikz_to_svg(f"\\tikz \\node [draw, line width=0.0001pt, inner sep=0pt{font}] {{{text}}};")
    view = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg)
    assert view is not None
    width, height = (float(side) - 2 * _BORDER for side in view.groups())
    return width * _BIG_POINT, height * _BIG_POINT


def label_box(label: Label) -> Box:
    """Where a label's text stands."""
    width, height = text_size(label.text, label.size)
    x, y = label.at
    dx, dy = ANCHORS[label.anchor] if label.anchor else (0, 0)
    left = (x + SEPARATION, x - width / 2, x - SEPARATION - width)[1 - dx]
    bottom = (y + SEPARATION, y - height / 2, y - SEPARATION - height)[1 - dy]
    return left, bottom, left + width, bottom + height


class Board:
    """What is already drawn: points along all lines, and the boxes of the labels so far.

    Args:
        commands: what the labels must keep clear of.
        step: distance in centimetres of the points along the lines.
    """

    def __init__(self, commands: Iterable[Command], step: float = 0.06) -> None:
        points = [_dense(command.outline(), step) for command in commands]
        self._ink = np.concatenate(points) if points else np.zeros((0, 2))
        self._boxes: list[Box] = []

    def add(self, label: Label) -> None:
        """Takes up the room of a label that stands already."""
        self._boxes.append(label_box(label))

    def beside(self, label: Label, towards: Point) -> Label | None:
        """The label on the free side of its point that leads most nearly `towards` there; None if none is free.

        Args:
            label: its `anchor` is ignored.
            towards: direction (dx, dy) in which it would best stand.
        """
        wished = math.atan2(towards[1], towards[0])
        for anchor, (dx, dy) in sorted(
            ANCHORS.items(), key=lambda item: abs(_turn(math.atan2(item[1][1], item[1][0]) - wished))
        ):
            candidate = Label(label.text, label.at, anchor, label.size, label.colour)
            if abs(_turn(math.atan2(dy, dx) - wished)) < 2.2 and self._take(candidate):
                return candidate
        return None

    def along(self, label: Label, places: Iterable[Point]) -> Label | None:
        """The label on the first of some points where it is free; None if it is nowhere."""
        for at in places:
            candidate = Label(label.text, at, "", label.size, label.colour)
            if self._take(candidate):
                return candidate
        return None

    def _take(self, label: Label) -> bool:
        left, bottom, right, top = box = label_box(label)
        inside = (
            (self._ink[:, 0] > left - _CLEARANCE)
            & (self._ink[:, 0] < right + _CLEARANCE)
            & (self._ink[:, 1] > bottom - _CLEARANCE)
            & (self._ink[:, 1] < top + _CLEARANCE)
        )
        if inside.any() or any(_meet(box, other) for other in self._boxes):
            return False
        self._boxes.append(box)
        return True


def _dense(outline: list[Point], step: float) -> np.ndarray:
    """float (n, 2): points at most `step` apart along a line through some points."""
    pieces = [np.array(outline[:1], float).reshape(-1, 2)]
    for (ax, ay), (bx, by) in pairwise(outline):
        count = max(1, math.ceil(math.hypot(bx - ax, by - ay) / step))
        share = np.arange(1, count + 1)[:, None] / count
        pieces.append(np.array([[ax, ay]]) + share * np.array([[bx - ax, by - ay]]))
    return np.concatenate(pieces)


def _meet(a: Box, b: Box) -> bool:
    gap = _CLEARANCE
    return a[0] < b[2] + gap and b[0] < a[2] + gap and a[1] < b[3] + gap and b[1] < a[3] + gap


def _turn(angle: float) -> float:
    """The angle in (-pi, pi]."""
    return math.remainder(angle, 2 * math.pi)
