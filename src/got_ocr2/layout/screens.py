"""What screens and forms show beside plain print: pale words, and small dark panels with light letters on them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

_PAPER = 222  # paper is lighter, ink is darker, after the paper has been made white
_EVERY = 16  # rows that are looked at to tell a screen from paper
_FLAT = 0.97  # share of the steps between neighbours on a screen's paper that are of no or one level
_FAINT = 0.35  # share of a piece that is ink by the level of the rest
_MOST_PIECES = 5000
_LARGEST = 0.1  # of the page's sides, of a pale letter or a few that touch
_CELL = 4  # pixels of a page on which panels are looked for
_DARK = 0.6  # of the lightness of paper
_LOWEST, _HIGHEST = 12, 0.35  # pixels; share of the page
_WIDE = 1.5  # a panel is wider than its height by more
_LETTER, _FEWEST = 0.15, 2  # share of its height that a letter takes; letters (a clogged e has an eye)
_FILLED = 0.55  # share of a panel that no letters cover
_LETTERS = (0.02, 0.4)  # and that they do
_RIM = 0.9  # share of its first and last rows that is dark: its corners may be round
_SIDE = 0.6  # and of its first and last columns
_ONE_COLOUR = 12  # levels
_CONTRAST = 60  # levels


def with_pale_print(clean: Gray, ink: Gray) -> Gray:
    """The ink, and of a screen's page what is too pale for the level of the rest.

    Each pale piece has a level of its own, half-way between its darkest pixel and white. On paper such pieces are
    stains, and print of the other side.

    Args:
        clean: the page with its paper made white, uint8 `(H, W)`.
        ink: of the same shape.
    """
    rows = clean[::_EVERY].astype(np.int16)
    steps = abs(np.diff(rows, axis=1))[np.minimum(rows[:, 1:], rows[:, :-1]) > _PAPER]
    if not steps.size or np.count_nonzero(steps < 2) < _FLAT * steps.size:
        return ink
    apart = cv2.dilate(np.ascontiguousarray(ink[::3, ::3]), np.ones((3, 3), np.uint8)) == 0
    if not np.count_nonzero(apart[clean[::3, ::3] <= _PAPER]):
        return ink
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (clean <= _PAPER).astype(np.uint8), connectivity=8
    )
    area = stats[:, cv2.CC_STAT_AREA]
    share = np.bincount(labels[ink > 0], minlength=count) / np.maximum(area, 1)
    small = (stats[:, cv2.CC_STAT_WIDTH] < _LARGEST * clean.shape[1]) & (
        stats[:, cv2.CC_STAT_HEIGHT] < _LARGEST * clean.shape[0]
    )
    pale = np.flatnonzero(small & (share < _FAINT) & (area > 1))
    pale = pale[pale > 0]
    if not len(pale) or len(pale) > _MOST_PIECES:
        return ink
    ink = ink.copy()
    for piece in pale:
        x, y, w, h, _ = stats[piece]
        place = np.s_[y : y + h, x : x + w]
        own = labels[place] == piece
        level = (int(clean[place][own].min()) + 255) // 2
        ink[place][own & (clean[place] <= level)] = 255
    return ink


def panels_of(gray: Gray) -> list[tuple[int, int, int, int]]:
    """Small dark oblongs of one colour with light letters on them, as a button or the head of a table is.

    Args:
        gray: the page, uint8 `(H, W)`.

    Returns:
        Their boxes: x1, y1, x2, y2 in pixels, ends not included.
    """
    height, width = gray.shape
    if min(height, width) < _CELL:
        return []
    coarse = cv2.resize(gray, (width // _CELL, height // _CELL), interpolation=cv2.INTER_AREA)
    level = _DARK * float(np.percentile(coarse, 95))
    _, _, stats, _ = cv2.connectedComponentsWithStats((coarse <= level).astype(np.uint8), connectivity=4)
    w, h, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    oblong = (w + 1 > _WIDE * h) & (h * _CELL >= _LOWEST - _CELL) & (area > _FILLED * w * h)
    oblong &= h * _CELL <= _HIGHEST * height
    oblong[0] = False  # what is not dark
    found: list[tuple[int, int, int, int]] = []
    for x, y, w, h in stats[oblong, :4].tolist():
        left, top = max(0, _CELL * (x - 1)), max(0, _CELL * (y - 1))
        part = gray[top : _CELL * (y + h + 1), left : _CELL * (x + w + 1)]
        rows, columns = _drawn_in(part <= level)
        if _is_panel(part[rows, columns], level):
            found.append((left + columns.start, top + rows.start, left + columns.stop, top + rows.stop))
    return found


def _drawn_in(dark: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns without those at the sides that are less than half dark; nothing where all are."""
    rows = np.flatnonzero(dark.mean(1) > 0.5)
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    columns = np.flatnonzero(dark[rows[0] : rows[-1] + 1].mean(0) > 0.5)
    if not len(columns):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _is_panel(inner: Gray, level: float) -> bool:
    height, width = inner.shape
    if not _LOWEST <= height <= width / _WIDE:
        return False
    dark = inner <= level
    rows, sides = (dark[1:3], dark[-3:-1]), (dark[:, 1:3], dark[:, -3:-1])
    if min(rim.all(0).mean() for rim in rows) < _RIM or min(rim.all(1).mean() for rim in sides) < _SIDE:
        return False
    if not all(rim[:, height // 2 : -(height // 2)].all() for rim in rows):
        return False  # fat letters that touch, with nicks between them
    low, high = np.percentile(inner[dark], (10, 80))
    light = inner > int(high) + _CONTRAST
    if high - low > _ONE_COLOUR or not _LETTERS[0] < float(light.mean()) < _LETTERS[1]:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(light.astype(np.uint8), connectivity=8)
    heights = stats[1:, cv2.CC_STAT_HEIGHT]
    return int((heights >= max(_LOWEST / 3, _LETTER * height)).sum()) >= _FEWEST
