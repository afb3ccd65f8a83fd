"""Where the words of a line stand: its text laid over the gaps in its ink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cutting import Piece, gaps_of
from .lines import Box, sag

_NARROW, _WIDE = frozenset("iljtfrI.,:;'’|!()[]1-"), frozenset("mwMW@—%")
_SPACE = 0.7  # of a letter's width
_REACH = 1.0  # heights of the line: how far a gap may lie from where it is looked for


def word_boxes(piece: Piece, text: str) -> tuple[Box, ...]:
    """The upright box of every word, in pixels of the page.

    Letters are taken to be about as wide as they usually are; the gap in the ink that is nearest to where two words
    should part is where they do.

    Args:
        piece: a cut line.
        text: what it says; its words are what stands between white space.
    """
    words = text.split()
    if not words:
        return ()
    pixels = np.asarray(piece.image.convert("L"))
    first, last, gaps = gaps_of(pixels)
    edges = _edges(words, float(first), float(last), gaps, pixels.shape[0])
    width = piece.image.width
    return tuple(_box(piece, a / width, b / width) for a, b in edges)


def _edges(
    words: list[str], first: float, last: float, gaps: NDArray[np.float64], height: int
) -> list[tuple[float, float]]:
    """Left and right end of each word, in pixels of the piece."""
    sizes = [sum(0.55 if c in _NARROW else 1.4 if c in _WIDE else 1.0 for c in word) for word in words]
    unit = (last - first) / (sum(sizes) + _SPACE * (len(words) - 1))
    edges: list[tuple[float, float]] = []
    middles, widths = gaps.mean(1), gaps[:, 1] - gaps[:, 0]
    start = x = first
    for size in sizes[:-1]:
        expected = x + unit * size + unit * _SPACE / 2
        x += unit * (size + _SPACE)
        left, right = expected - unit * _SPACE / 2, expected + unit * _SPACE / 2
        off = abs(middles - expected)
        near = (gaps[:, 0] >= start) & (off < _REACH * height)
        if near.any():
            cost = np.where(near, off - 0.8 * widths, np.inf)
            left, right = gaps[int(cost.argmin())].tolist()
            x = right  # the next word is looked for from here
            unit = max(0.2 * unit, (last - x) / max(1e-9, _rest(sizes, len(edges) + 1)))
        edges.append((start, max(start, left)))
        start = max(start, right)
    return [*edges, (start, max(start, last))]


def _rest(sizes: list[float], first: int) -> float:
    return sum(sizes[first:]) + _SPACE * (len(sizes) - first - 1)


def _box(piece: Piece, start: float, end: float) -> Box:
    a, b, c, d = piece.quad
    sags = [sag(piece.quad, piece.bend, along) for along in (start, end)]
    xs, ys = (
        [
            p[axis] + (q[axis] - p[axis]) * along + low[axis]
            for p, q in ((a, b), (d, c)) for along, low in zip((start, end), sags, strict=True)
        ]
        for axis in (0, 1)
    )  # fmt: skip
    return min(xs), min(ys), max(xs), max(ys)
