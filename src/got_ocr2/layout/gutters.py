"""Wide gaps on one level: within a line that is stretched, or gutters between columns and cells.

A gutter is a strip without print that runs past several lines, up or down, with print on both sides of it. Any other
gap belongs to its line, however wide it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .chains import Groups, connected
from .letters import Letters
from .row import Row
from .screens import Gray

_ALIKE = 1.9  # most ratio of the heights of letters in one line
_BANDS_ALIKE = 1.5  # and of the bands in which they stand
WIDEST = 200.0  # letter heights of a gap within a line
MOST_GAPS = 5000  # that are looked at on a page; more are left as they are
_CELLS = 4  # of the map in a letter's height
_REACH = 16.0  # letter heights that a gutter is followed up and down
_FLANK = 14.0  # letter heights beside it in which there must be print
_NARROWEST = 0.8  # letter heights of a gutter
# How many lines a gutter must pass: the narrower, the more. (widest gap in letter heights, lines)
_NEEDED = ((1.6, 7), (3.0, 5), (8.0, 4), (np.inf, 3))
_OPEN = 2.5  # a gap as wide as this that nothing ends need pass one line only
_FAR = 4.0  # a gap as wide as this parts a column from what stands beside one of its lines
_BESIDE = 4  # lines of such a column, above and below
_FLUSH = 0.7  # letter heights between the left edges of a column's lines
_COLUMN = 10.0  # letter heights up and down in which they are counted
_ROUNDS = 3  # stretched lines that were put together tell of those near them
_WHOLE = 3  # lines of a justified column that are not parted
_ANYWHERE = 0.6  # share of what stands right of a gap that begins where it ends; of a column it is more
_CAPITALS = 1.5  # and figures are less than this higher than small letters
_BY_CHANCE = 2  # lines that begin there
_ASIDE = 5.0  # letter heights from the ends of a running line to the columns' gutter
_APART = 1.2  # and to the columns
_FEW = 2  # lines with print on both sides: no columns, a heading of two words
_MARK = 2.5  # widths of a bullet or a number in letter heights
_MARK_GAP = 4.0
_LONE_GAP = 8.0  # letter heights between a line and a speck
_LONE_REACH = 30.0


@dataclass(frozen=True)
class _Gap:
    """Between two rows on one level; in pixels."""

    x1: float
    x2: float
    foot: float
    height: float

    @property
    def width(self) -> float:
        return (self.x2 - self.x1) / self.height


def bridged_rows(rows: Sequence[Row], small: Letters, walls: Letters, dark: Gray) -> Groups:
    """Which line each row is a part of: int64 `(n,)`.

    Args:
        rows: of the page.
        small: dots and other small parts, sorted by their left edges: leaders bridge gaps.
        walls: upright rules, which no line goes through.
        dark: of `ink_of`; no line goes through an edge of what is dark.
    """
    if len(rows) < 2:
        return np.zeros(len(rows), np.int64)
    page = _Map(rows)
    gaps = [(i, j, gap) for i, j, gap in _gaps(rows) if not _walled(gap, walls) and not _has_edge(gap, dark)]
    inner = {j for _, j, _ in gaps}  # marks are first on their level
    bridged = [
        (i not in inner and _is_mark(rows[i], rows[j], gap))
        or _is_led(gap, small)
        or not (
            page.is_speck(rows[i], gap)
            or page.is_speck(rows[j], gap)
            or _ends_at_column(rows, gap)
            or page.is_gutter(gap)
        )
        for i, j, gap in gaps
    ]
    for _ in range(_ROUNDS):
        column = _Justified(rows, _lines(rows, gaps, bridged))
        bridged = [one or column.is_stretched(gap) for one, (_, _, gap) in zip(bridged, gaps, strict=True)]
    return _lines(rows, gaps, bridged)


def _lines(rows: Sequence[Row], gaps: list[tuple[int, int, _Gap]], bridged: list[bool]) -> Groups:
    pairs = [(i, j) for (i, j, _), one in zip(gaps, bridged, strict=True) if one]
    joined = np.array(pairs, np.int64).reshape(-1, 2)
    return connected(len(rows), joined[:, 0], joined[:, 1])


def _gaps(rows: Sequence[Row]) -> list[tuple[int, int, _Gap]]:
    """Each row with the next one on its level."""
    boxes = np.array([row.box for row in rows])
    tall = boxes[:, 3] - boxes[:, 1]
    heights, bands = (
        np.array(one) for one in zip(*((row.x_height, row.height) for row in rows), strict=True)
    )
    starts = np.array([row.level(row.x1) for row in rows])
    ends = np.array([row.level(row.x2) for row in rows])
    few = np.array([row.letters <= 2 for row in rows])
    by_foot = np.argsort(starts, kind="stable")
    feet = starts[by_foot]
    found: list[tuple[int, int, _Gap]] = []
    for i in range(len(rows)):
        h = heights[i]
        first, last = np.searchsorted(feet, (ends[i] - 2.5 * h, ends[i] + 2.5 * h))
        others = by_foot[first:last]
        high = np.maximum(heights[others], h)
        overlap = np.minimum(boxes[others, 3], boxes[i, 3]) - np.maximum(boxes[others, 1], boxes[i, 1])
        # Of broken letters the height of small ones is not known so well as how far they reach up and down.
        alike = (high <= _ALIKE * np.minimum(heights[others], h)) | (
            np.maximum(bands[others], bands[i]) <= _BANDS_ALIKE * np.minimum(bands[others], bands[i])
        )
        level = (abs(starts[others] - ends[i]) < 0.5 * high) & alike
        distance = boxes[others, 0] - boxes[i, 2]
        # Quotes and other marks stand where they like between the tops and the bottoms of letters.
        mark = (few[others] | few[i]) & (distance < _MARK_GAP * high)
        level |= mark & (overlap > 0.8 * np.minimum(tall[others], tall[i]))
        others = others[
            level & (others != i) & (distance > boxes[i, 0] - boxes[i, 2]) & (distance <= WIDEST * high)
        ]
        if not len(others):
            continue
        # The nearest may be a comma or an accent within the row: what comes after the row's end counts too.
        for some in (others, others[boxes[others, 2] > boxes[i, 2]]):
            j = int(some[np.argmin(boxes[some, 0])]) if len(some) else i
            if boxes[j, 0] > boxes[i, 0] and (not found or found[-1][:2] != (i, j)):
                foot = float(ends[i] + starts[j]) / 2
                found.append((i, j, _Gap(boxes[i, 2], boxes[j, 0], foot, float(max(h, heights[j])))))
        if len(found) >= MOST_GAPS:
            break
    return found


def _is_mark(row: Row, text: Row, gap: _Gap) -> bool:
    """Whether a bullet or a number stands before the gap, no wider than the letters behind it allow."""
    return row.letters <= 3 and row.x2 - row.x1 < _MARK * text.x_height and gap.width < _MARK_GAP


def _ends_at_column(rows: Sequence[Row], gap: _Gap) -> bool:
    """Whether other lines, above and below, begin where a wide gap ends: a column stands there."""
    if gap.width < _FAR:
        return False
    h = gap.height
    near = [row.level(row.x1) - gap.foot for row in rows if abs(row.x1 - gap.x2) < _FLUSH * h]
    near = [down for down in near if h < abs(down) < _COLUMN * h]
    return len(near) >= _BESIDE and min(near) < 0 < max(near)


class _Justified:
    """Tells gaps in the stretched lines of a justified column from gutters."""

    def __init__(self, rows: Sequence[Row], lines: Groups) -> None:
        """Takes the rows, and which line each is a part of as far as that is known."""
        count = int(lines.max()) + 1
        self._x1, self._x2, self._foot = np.full(count, np.inf), np.zeros(count), np.zeros(count)
        np.minimum.at(self._x1, lines, [row.x1 for row in rows])
        np.maximum.at(self._x2, lines, [row.x2 for row in rows])
        np.maximum.at(self._foot, lines, [row.foot for row in rows])

    def is_stretched(self, gap: _Gap) -> bool:
        """Whether whole lines of one width run across the gap near it.

        They do so above and below, or what is right of the gap begins anywhere.
        """
        flush = _FLUSH * gap.height
        near = abs(self._foot - gap.foot) < _REACH * gap.height
        level = near & (abs(self._foot - gap.foot) < 0.5 * gap.height)
        whole = near & (self._x1 < gap.x1) & (self._x2 > gap.x2)
        if whole.sum() < _WHOLE:
            return False
        x1, x2 = np.median(self._x1[whole]), np.median(self._x2[whole])
        whole &= (abs(self._x1 - x1) < flush) & (abs(self._x2 - x2) < flush)
        ends = level & (abs(self._x2 - x2) < flush) & (self._x1 > gap.x1)
        if whole.sum() < _WHOLE or not ends.any():
            return False
        above = whole & (self._foot < gap.foot)
        if min(above.sum(), (whole & ~above).sum()) >= _WHOLE - 1:
            return True
        beside = near & (self._x1 > gap.x1) & (self._x2 < x2 + flush)
        aligned = beside & (abs(self._x1 - gap.x2) < flush)
        return bool(aligned.sum() <= max(_BY_CHANCE, _ANYWHERE * beside.sum()))


def _is_led(gap: _Gap, small: Letters) -> bool:
    """Whether dots lead from one side to the other."""
    if gap.width < 2:
        return False
    first, last = np.searchsorted(small.x1, (gap.x1, gap.x2))
    part = small[np.arange(first, last)]
    h = gap.height
    dots = part[(abs(part.y2 - gap.foot) < 0.4 * h) & (part.height < 0.6 * h)]
    if len(dots) < 3:
        return False
    places = np.concatenate([[gap.x1], dots.x1, [gap.x2]])
    return bool(np.diff(places).max() < 3 * h)


def _walled(gap: _Gap, walls: Letters) -> bool:
    middle = gap.foot - 0.5 * gap.height
    slack = 0.2 * gap.height
    return bool(
        (
            (walls.x1 > gap.x1 - slack)
            & (walls.x2 < gap.x2 + slack)
            & (walls.y1 < middle)
            & (walls.y2 > middle)
        ).any()
    )


def _has_edge(gap: _Gap, dark: Gray) -> bool:
    """Whether a dark surface begins or ends in the gap."""
    row = min(len(dark) - 1, max(0, round(gap.foot - 0.5 * gap.height)))
    surface = dark[row, max(0, round(gap.x1)) : max(0, round(gap.x2))]
    return bool(surface.size and surface.min() != surface.max())


class _Map:
    """Where there is print, in cells of a quarter of a letter."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._height = float(np.median([row.x_height for row in rows]))
        self._scale = _CELLS / self._height
        x2 = max(row.x2 for row in rows)
        y2 = max(row.box[3] for row in rows)
        self._cells = np.zeros((int(y2 * self._scale) + 2, int(x2 * self._scale) + 2), np.uint8)
        for row in rows:
            x = np.array([row.x1, *row.bends, row.x2])
            feet = row.line.at(x)
            band = np.concatenate([np.stack([x, feet - row.x_height], 1), np.stack([x, feet], 1)[::-1]])
            cv2.fillPoly(self._cells, [np.round(band * self._scale).astype(np.int32)], (1,))

    def is_speck(self, row: Row, gap: _Gap) -> bool:
        """Whether a piece or two, far from the line, stand where no other line has print above or below them."""
        if row.letters > 2 or gap.width < _LONE_GAP:
            return False
        x1, y1, x2, y2 = (round(value * self._scale) for value in row.box)
        reach = round(_LONE_REACH * gap.height * self._scale)
        columns = slice(max(0, x1), x2 + 1)
        above, below = (
            self._cells[max(0, y1 - reach) : max(0, y1), columns],
            self._cells[y2 + 1 : y2 + reach, columns],
        )
        return not (above.any() or below.any())

    def is_gutter(self, gap: _Gap) -> bool:
        """Whether the strip under a gap runs past enough lines."""
        wide = gap.width
        if wide <= 0:
            return False
        h = gap.height * self._scale
        left, right = int(np.ceil(gap.x1 * self._scale)) + 1, int(gap.x2 * self._scale)
        free = max(1, round(min(_NARROWEST * h, 0.7 * wide * h)))
        if right - left < free:
            return False
        foot = gap.foot * self._scale
        top, bottom = round(foot - 1.35 * h), round(foot + 0.35 * h)
        reach, flank = round(_REACH * h), round(_FLANK * h)
        columns = slice(max(0, left - flank), right + flank)
        above = self._cells[max(0, top - reach) : max(0, top), columns][::-1]
        below = self._cells[max(0, bottom) : max(0, bottom + reach), columns]
        start, end = left - columns.start, right - columns.start
        up = _followed(above, start, end, free)
        down = _followed(below, start, end, free)
        band = 1 + (_CELLS if _CELLS < h < _CAPITALS * _CELLS else h)  # a cell higher than it measures
        lines = (up.flanked + down.flanked) / band
        if right - left > 0.5 * self._cells.shape[1] and _is_running_line(up, down, start, end, h):
            return False
        if wide >= _OPEN and up.is_open and down.is_open and up.flanked + down.flanked >= h + 1:
            return True
        if wide >= _FAR and (up.before + down.before) / band >= _BESIDE:
            return True
        return lines >= next(least for widest, least in _NEEDED if wide < widest)


@dataclass(frozen=True)
class _Strip:
    """What a gap becomes above or below it.

    Attributes:
        flanked: cells along which there is print on both sides.
        before: cells along which there is print on the left.
        is_open: nothing ends it.
        middle: the column where it ends.
        distance: cells to the first print beside it.
    """

    flanked: int
    before: int
    is_open: bool
    middle: int
    distance: int


def _is_running_line(up: _Strip, down: _Strip, start: int, end: int, height: float) -> bool:
    """Whether a header or footer is laid over columns.

    On one side of it is nothing; on the other, at some distance, a gutter far from its ends, or hardly any.
    """
    ends = [one for one, other in ((up, down), (down, up)) if other.is_open and not other.flanked]
    first, last = start + _ASIDE * height, end - _ASIDE * height
    return any(
        one.distance > _APART * height and (first < one.middle < last or one.flanked < _FEW * (height + 1))
        for one in ends
    )


def _followed(cells: NDArray[np.uint8], start: int, end: int, free: int) -> _Strip:
    """Follows a strip without print.

    Args:
        cells: from the gap outwards.
        start, end: the columns of the gap.
        free: how many columns of the strip must stay without print.
    """
    if not len(cells):
        return _Strip(0, 0, True, start, 0)
    strip = np.maximum.accumulate(cells[:, start:end], axis=0)
    sums = np.concatenate([np.zeros((len(strip), 1), np.int64), np.cumsum(strip, axis=1)], axis=1)
    clear = sums[:, free:] == sums[:, :-free]
    is_open = clear.any(1)
    length = len(cells) if is_open.all() else int(np.argmin(is_open))
    if not length:
        return _Strip(0, 0, False, start, 0)
    places = np.flatnonzero(clear[length - 1])
    middle = start + int(places[len(places) // 2]) + free // 2
    sides = cells[:length, :middle].max(1), cells[:length, middle:].max(1, initial=0)
    flanked = min(int(side.sum()) for side in sides)
    distance = int(np.argmax(np.maximum(*sides)))
    return _Strip(flanked, int(sides[0].sum()), length == len(cells), middle, distance)
