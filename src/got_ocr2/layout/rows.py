"""From letters to lines: runs put together, small parts added, and the band in which each line's letters stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .baselines import FEET, baseline
from .chains import Groups, chained, merged_runs
from .dashes import with_dashes
from .gutters import bridged_rows
from .letters import Letters, Numbers, parted
from .ranks import median, quantiles
from .row import Row
from .screens import Gray

_Part = tuple[NDArray[np.int64], Row]  # the numbers of its letters

_DENSEST = 0.8  # share of ink in the boxes of letters; pictures have more, and so have fat letters
_DENSER = 0.12  # than the middle one of the page's letters, those of one word
_PART = 0.4  # of the high letters' height: what is lower is a part of a broken letter
_HIGHER = 1.5  # than its longest part: what is joined is no line
_WORD = 8  # pieces; in less, one broken letter counts
_END = 5  # letters at an end of a run
_FEW = 0.3  # share of small letters in a word that has any; fewer are parts of broken ones
_TAIL = 0.6  # likewise, of what hangs below the baseline: tails that broke off


@dataclass(frozen=True)
class _Usual:
    """Of the page's letters.

    Attributes:
        height: of a typical one, in pixels.
        densest: most share of ink in the boxes of a word's letters.
    """

    height: float
    densest: float


def rows_of(pieces: Letters, letters: Letters, height: float, dark: Gray) -> list[Row]:
    """The lines that letters make.

    Args:
        pieces: all pieces of ink, sorted by their left edges: dots, dashes and commas are among them.
        letters: those that may be letters, sorted likewise.
        height: of a typical letter.
        dark: of `ink_of`, uint8 `(H, W)`.
    """
    letters = parted(letters, height)
    filled = letters.area / (letters.width * letters.height)
    usual = _Usual(height, max(_DENSEST, median(filled) + _DENSER))
    runs = chained(letters)
    cores, heights = _cores(letters, runs)
    starts, ends = _at_ends(letters, runs, cores)
    order = np.argsort(cores.x1, kind="stable")
    lines_of_runs = np.empty(len(cores), np.int64)
    lines_of_runs[order] = merged_runs(starts[order], ends[order], heights[order])
    lines = lines_of_runs[runs]
    small = pieces[pieces.height < 0.9 * height]
    found = _found(letters, _members(lines), small, usual)
    rows = [row for _, row in found]
    walls = pieces[(pieces.height > 6 * pieces.width) & (pieces.height > 3 * height)]
    bridged: list[Row] = []
    for group in _members(bridged_rows(rows, small, walls, dark)):
        bridged += _joined([found[i] for i in group], letters, small, usual)
    return with_dashes(_without_inner(bridged), small)


def _joined(parts: list[_Part], letters: Letters, small: Letters, usual: _Usual) -> list[Row]:
    """The line of some parts, or several: too high a piece may have linked two lines, or a line and a picture."""
    longest = max((row for _, row in parts), key=lambda row: row.letters)
    high = [row for _, row in parts if row.height >= _HIGHER * longest.height]
    if line := _whole(parts, letters, small, usual, longest):
        return [line]
    out: list[Row] = []
    for level in _levels([part for part in parts if part[1] not in high], 0.5 * longest.height):
        line = _whole(level, letters, small, usual, longest)
        out += [line] if line else [row for _, row in level]
    return [*out, *high]


def _whole(parts: list[_Part], letters: Letters, small: Letters, usual: _Usual, longest: Row) -> Row | None:
    """The one line of some parts; None if they look like no print, or are higher than their longest part allows."""
    if len(parts) == 1:
        return parts[0][1]
    found = _found(letters, [np.concatenate([members for members, _ in parts])], small, usual)
    return found[0][1] if found and found[0][1].height < _HIGHER * longest.height else None


def _levels(parts: list[_Part], apart: float) -> list[list[_Part]]:
    """Parts by the height of their feet, those nearer than `apart` pixels together."""
    parts = sorted(parts, key=lambda part: part[1].foot)
    levels: list[list[_Part]] = []
    for part in parts:
        if levels and part[1].foot - levels[-1][-1][1].foot < apart:
            levels[-1].append(part)
        else:
            levels.append([part])
    return levels


def _members(groups: Groups) -> list[NDArray[np.int64]]:
    """The members of each group, by their numbers."""
    if not len(groups):
        return []  # `np.split` makes one group of nothing
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _found(
    letters: Letters, groups: list[NDArray[np.int64]], small: Letters, usual: _Usual
) -> list[tuple[NDArray[np.int64], Row]]:
    """The groups that look like print, each with its line."""
    rows = ((members, _row(letters[np.sort(members)], usual)) for members in groups)
    return [(members, _with_small_parts(row, small)) for members, row in rows if row is not None]


def _cores(letters: Letters, runs: NDArray[np.int64]) -> tuple[Letters, Numbers]:
    """A box for each run, as high as the middle of its letters, and how high those are."""
    count = int(runs.max()) + 1
    order = np.argsort(runs, kind="stable")
    starts = np.searchsorted(runs[order], np.arange(count))
    x1 = np.minimum.reduceat(letters.x1[order], starts)
    x2 = np.maximum.reduceat(letters.x2[order], starts)
    sizes = np.diff(np.append(starts, len(runs)))

    def middles(values: Numbers) -> Numbers:
        """The median of each run."""
        ranked = order[np.lexsort((values[order], runs[order]))]
        low, high = starts + (sizes - 1) // 2, starts + sizes // 2
        return (values[ranked[low]] + values[ranked[high]]) / 2

    heights = middles(letters.height)
    area = np.add.reduceat(letters.area[order], starts)
    return Letters(x1, middles(letters.y1), x2, middles(letters.y2), area), heights


def _at_ends(letters: Letters, runs: NDArray[np.int64], cores: Letters) -> tuple[Letters, Letters]:
    """The boxes of runs as high up as they are at their left and right ends, where they are long enough to bend."""
    starts, ends = (
        Letters(cores.x1, cores.y1.copy(), cores.x2, cores.y2.copy(), cores.area) for _ in range(2)
    )
    for members in _members(runs):
        if len(members) < 2 * _END:
            continue
        run = runs[members[0]]
        for core, part in ((starts, members[:_END]), (ends, members[-_END:])):
            core.y1[run], core.y2[run] = median(letters.y1[part]), median(letters.y2[part])
    return starts, ends


def _row(letters: Letters, usual: _Usual) -> Row | None:
    """The line of some letters; None if they look like no print."""
    n = len(letters)
    x1, x2 = float(letters.x1.min()), float(letters.x2.max())
    tall = median(letters.height)
    ink = float(letters.area.sum() / (letters.width * letters.height).sum())
    if ink > usual.densest or (n > 3 and float(letters.height.std()) > 0.9 * tall):
        return None
    if n < 3 and (tall < 0.7 * usual.height or x2 - x1 < 0.2 * tall):
        return None
    if n == 1 and tall > 2.2 * max(usual.height, x2 - x1):
        return None  # a brace
    line = baseline(letters, tall)
    foot = line.at((letters.x1 + letters.x2) / 2)
    rise, drop = foot - letters.y1, letters.y2 - foot
    (top,) = quantiles(rise, [0.9])
    whole = rise > _PART * top
    if n < _WORD:
        whole &= (drop < FEET * tall) | (rise > _TAIL * top)
    rise = rise[whole]
    low, high, highest = quantiles(rise, (0.15, 0.9, 0.95))
    small = rise[rise < (low + high) / 2]
    if high > 1.22 * low and n > 2 and len(small) >= (_FEW if n < _WORD else 0) * len(rise):
        x_height = median(small)
        ascent = max(highest, 1.45 * x_height)
    else:
        x_height = median(rise)
        ascent = max(float(rise.max()), 1.1 * x_height)
    ascent = min(ascent, 2.3 * x_height)
    descent = min(max(quantiles(drop, [0.97])[0], 0.36 * x_height), 0.85 * x_height)
    return Row(x1, x2, line, ascent, descent, x_height, n)


def _with_small_parts(row: Row, small: Letters) -> Row:
    """The row with the dots, commas, dashes and quotes at its ends."""
    for _ in range(3):  # an ellipsis is taken dot by dot
        reach = 1.0 * row.x_height
        first, last = np.searchsorted(small.x1, (row.x1 - 3 * reach, row.x2 + reach))
        part = small[np.arange(first, last)]
        x = (part.x1 + part.x2) / 2
        base = row.line.at(x)
        inside = (part.y1 > base - row.ascent - 0.25 * row.x_height) & (part.y2 < base + row.descent)
        inside &= (part.x2 > row.x1 - reach) & (part.height + part.width > 0.28 * row.x_height)
        inside &= part.width < 3 * row.x_height
        if not inside.any():
            return row
        x1, x2 = min(row.x1, float(part.x1[inside].min())), max(row.x2, float(part.x2[inside].max()))
        if (x1, x2) == (row.x1, row.x2):
            return row
        row = replace(row, x1=x1, x2=x2)
    return row


def _without_inner(rows: list[Row]) -> list[Row]:
    """The rows that do not lie within others: accents and halves of letters are no lines of their own."""
    if len(rows) < 2:
        return rows
    boxes = np.array([row.box for row in rows])
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[Row] = []
    for i, row in enumerate(rows):
        x1, y1, x2, y2 = boxes[i]
        across = np.minimum(boxes[:, 2], x2) - np.maximum(boxes[:, 0], x1)
        down = np.minimum(boxes[:, 3], y2) - np.maximum(boxes[:, 1], y1)
        shared = np.maximum(across, 0) * np.maximum(down, 0)
        shared[i] = 0
        if not ((shared > 0.65 * area[i]) & (area > area[i])).any():
            kept.append(row)
    return kept
