"""The order in which a person reads lines: blocks, columns, tables.

Blocks are ordered as in Breuel, "High Performance Document Layout Analysis" (2003): what is above comes first where two
share columns; what is left comes first where nothing that spans both stands between.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .blocks import FLUSH, MARK, Boxes, Order, blocks_of

_SHORT_CELL = 14.0  # letter heights
_RAGGED = 0.75
_SMALL = 3  # lines
_MOST_BLOCKS = 600  # that are looked at for tables and columns
_CENTRED = 4.0  # letter heights between the middles of a page and of the number under it
_HEAD_ROOM = 1.5  # letter heights between a running head and the page below it


def reading_order(boxes: Boxes, heights: NDArray[np.float64]) -> tuple[Order, Order]:
    """Orders lines.

    Args:
        boxes: `(n, 4)`, x1, y1, x2, y2 in pixels.
        heights: `(n,)`, of the letters.

    Returns:
        The numbers of the lines in reading order, and the block of each line (by the line's number, blocks counted in
        reading order).
    """
    members = blocks_of(boxes, heights)
    members = _with_tables(_with_running_heads(members, boxes, heights), boxes, heights)
    hulls = np.array([_hull(boxes[block]) for block in members])
    order: list[int] = []
    block_of = np.zeros(len(boxes), np.int64)
    head, foot = _head(hulls), _foot(members, hulls, boxes, heights)
    rest = np.array([block for block in range(len(members)) if block not in {*head, *foot}], np.int64)
    for number, block in enumerate([*head, *rest[_ordered(hulls[rest])], *foot]):
        lines = _row_by_row(members[block], boxes)
        block_of[lines] = number
        order += lines
    return np.array(order, np.int64), block_of


def _hull(boxes: Boxes) -> tuple[float, float, float, float]:
    return (
        float(boxes[:, 0].min()),
        float(boxes[:, 1].min()),
        float(boxes[:, 2].max()),
        float(boxes[:, 3].max()),
    )


def _with_running_heads(
    blocks: list[list[int]], boxes: Boxes, heights: NDArray[np.float64]
) -> list[list[int]]:
    """Lines that stand alone on the highest or the lowest level of the page, side by side, are one block."""
    alone = [block[0] for block in blocks if len(block) == 1]
    for way in (1, -1):
        # Mirrored, the foot of a page is its head.
        tops, feet = (boxes[:, 1], boxes[:, 3]) if way == 1 else (-boxes[:, 3], -boxes[:, 1])
        first = int(np.argmin(feet))
        level = [i for i in range(len(boxes)) if tops[i] < feet[first]]
        below = np.delete(tops, level)
        if len(level) < 2 or not set(level) <= set(alone) or not len(below):
            continue
        if below.min() - max(feet[i] for i in level) > _HEAD_ROOM * max(heights[i] for i in level):
            blocks = [block for block in blocks if not set(block) <= set(level)] + [level]
            alone = [i for i in alone if i not in level]
    return blocks


def _head(hulls: Boxes) -> list[int]:
    """The blocks at the top of the page that stand above all others: what is below may be columns."""
    rest = list(np.argsort(hulls[:, 1], kind="stable"))
    head: list[int] = []
    while len(rest) > 1 and hulls[rest[0], 3] <= hulls[rest[1:], 1].min():
        head.append(int(rest.pop(0)))
    return head


def _foot(blocks: list[list[int]], hulls: Boxes, boxes: Boxes, heights: NDArray[np.float64]) -> list[int]:
    """The number of the page, or another line in the middle, below all the rest of it."""
    last = int(np.argmax(hulls[:, 1]))
    others = np.delete(hulls, last, 0)
    if len(blocks[last]) > 1 or len(others) < 2:
        return []
    (line,) = blocks[last]
    room = (boxes[line, 1] - others[:, 3].max()) / heights[line]
    middle = (others[:, 0].min() + others[:, 2].max()) / 2
    centred = abs((boxes[line, 0] + boxes[line, 2]) / 2 - middle) < _CENTRED * heights[line]
    alone = _is_mark(boxes[line], heights[line]) and room > _HEAD_ROOM
    return [last] if alone or (centred and room > 0) else []


def _with_tables(blocks: list[list[int]], boxes: Boxes, heights: NDArray[np.float64]) -> list[list[int]]:
    """Blocks side by side whose lines stand on one level, and are short or ragged, are the columns of a table."""
    count = len(blocks)
    if count < 2 or count > _MOST_BLOCKS:
        return blocks
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    hulls = np.array([_hull(boxes[block]) for block in blocks])
    for a, parts in _columns_in_parts(blocks, hulls, heights):
        if _are_cells(blocks[a], [line for part in parts for line in blocks[part]], boxes, heights):
            for part in parts:
                parent[root(part)] = root(a)
    for a in range(count):
        beside = (np.minimum(hulls[:, 3], hulls[a, 3]) > np.maximum(hulls[:, 1], hulls[a, 1])).nonzero()[0]
        for b in beside[beside > a]:
            if root(a) != root(b) and _are_cells(blocks[a], blocks[b], boxes, heights):
                parent[root(b)] = root(a)
    groups: dict[int, list[int]] = {}
    for i in range(count):
        groups.setdefault(root(i), []).extend(blocks[i])
    return list(groups.values())


def _columns_in_parts(
    blocks: list[list[int]], hulls: Boxes, heights: NDArray[np.float64]
) -> Iterator[tuple[int, list[int]]]:
    """Blocks, each with short ones that stand beside it under each other, flush left or right: rows set far apart."""
    lone = np.array([len(block) < _SMALL for block in blocks])
    for a in np.flatnonzero(~lone):
        x1, y1, x2, y2 = hulls[a]
        beside = lone & (hulls[:, 3] > y1) & (hulls[:, 1] < y2)
        for side in (hulls[:, 2] <= x1, hulls[:, 0] >= x2):
            left = np.flatnonzero(beside & side)
            while len(left):
                flush = FLUSH * float(np.median(heights[blocks[left[0]]]))
                same = (abs(hulls[left] - hulls[left[0]])[:, [0, 2]] < flush).any(1)
                if same.sum() > 1:
                    yield int(a), left[same].tolist()
                left = left[~same]


def _are_cells(block: list[int], other: list[int], boxes: Boxes, heights: NDArray[np.float64]) -> bool:
    """Whether two blocks, as far as they stand side by side, are columns of one table."""
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    one, two = _between(block, boxes[other], middle), _between(other, boxes[block], middle)
    if not len(one) or not len(two):
        return False
    if min(boxes[one, 2].max(), boxes[two, 2].max()) > max(boxes[one, 0].min(), boxes[two, 0].min()):
        return False
    short = [_is_short(boxes[lines], heights[lines]) for lines in (block, other)]
    few, many = sorted((one, two), key=len)
    longest = max(len(block), len(other))
    marks = any(
        len(lines) == 1 and _is_mark(boxes[lines[0]], np.float64(heights[lines[0]])) for lines in (one, two)
    )
    # A few short lines beside a longer block are a note; beside a column of text, ends of its lines.
    if (
        not any(short)
        or (longest >= 2 * len(few) and not all(short))
        or (len(few) < _SMALL < longest and not marks)
    ):
        return False
    apart = abs(middle[few][:, None] - middle[many][None, :])
    near = 0.5 * np.minimum(heights[few][:, None], heights[many][None, :])
    return bool((apart < near).any(1).mean() >= 0.7)


def _between(block: list[int], others: Boxes, middle: NDArray[np.float64]) -> Order:
    """The lines of a block whose middles lie between the top and the foot of some others."""
    lines = np.array(block)
    inside = (middle[lines] > others[:, 1].min()) & (middle[lines] < others[:, 3].max())
    return lines[inside]


def _is_mark(box: NDArray[np.float64], height: np.float64) -> bool:
    """Whether a line is a number, a sign or a bullet alone."""
    return bool(box[2] - box[0] < MARK * height)


def _is_short(boxes: Boxes, heights: NDArray[np.float64]) -> bool:
    width = boxes[:, 2] - boxes[:, 0]
    middle = float(np.median(width))
    ragged = middle < _RAGGED * float(np.ptp(boxes[:, [0, 2]]))
    return middle < _SHORT_CELL * float(np.median(heights)) or (ragged and len(boxes) > 2)


def _row_by_row(block: list[int], boxes: Boxes) -> list[int]:
    """From top to bottom, and from left to right what stands on one level."""
    rest = sorted(block, key=lambda i: boxes[i, 1] + boxes[i, 3])
    out: list[int] = []
    while rest:
        first = rest[0]
        middle = (boxes[first, 1] + boxes[first, 3]) / 2
        reach = 0.4 * (boxes[first, 3] - boxes[first, 1])
        level = [i for i in rest if abs((boxes[i, 1] + boxes[i, 3]) / 2 - middle) <= reach]
        out += sorted(level, key=lambda i: boxes[i, 0])
        rest = [i for i in rest if i not in set(level)]
    return out


def _ordered(hulls: Boxes) -> list[int]:
    """Blocks in reading order."""
    n = len(hulls)
    x1, y1, x2, y2 = hulls.T
    middle = (y1 + y2) / 2
    width = np.minimum.outer(x2 - x1, x2 - x1)
    across = np.minimum.outer(x2, x2) - np.maximum.outer(x1, x1)
    share = across > 0.08 * width
    above = share & (middle[:, None] < middle[None, :])
    left = ~share & ((x1 + x2)[:, None] < (x1 + x2)[None, :])
    over = left.T & (y2[:, None] <= y1[None, :]) & _one_column(hulls, share, above, left).T
    left &= ~over.T
    for a in range(n):
        # What spans both and stands between keeps them apart.
        right, spanning = np.flatnonzero(left[a]), np.flatnonzero(share[a])
        low, high = np.minimum(middle[a], middle[right]), np.maximum(middle[a], middle[right])
        between = (middle[spanning] > low[:, None]) & (middle[spanning] < high[:, None])  # (right, spanning)
        left[a, right] = ~(between & share[np.ix_(right, spanning)]).any(1)
    before = above | over | left
    seen, order = np.zeros(n, bool), list[int]()
    for start in np.lexsort((x1, y1)):
        _visit(int(start), before, seen, order)
    return order


def _one_column(
    hulls: Boxes, share: NDArray[np.bool_], above: NDArray[np.bool_], left: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which two blocks, one left of the other, follow each other down the page, below what is as wide as both.

    In columns, these stand beside each other somewhere.
    """
    n = len(hulls)
    if n > _MOST_BLOCKS:
        return np.zeros((n, n), bool)
    beside = left & (hulls[:, None, 1] < hulls[None, :, 3]) & (hulls[None, :, 1] < hulls[:, None, 3])
    same, over = ((share | np.eye(n, dtype=bool)).astype(np.float32), above.astype(np.float32))
    return (over.T @ over > 0) & ~(same @ beside.astype(np.float32) @ same > 0)


def _visit(start: int, before: NDArray[np.bool_], seen: NDArray[np.bool_], order: list[int]) -> None:
    """Adds a block after all that come before it; a circle is broken where it is entered."""
    stack = [start]
    while stack:
        block = stack[-1]
        if seen[block]:
            stack.pop()
            continue
        open_ones = set(stack)
        waiting = [int(i) for i in np.flatnonzero(before[:, block] & ~seen) if int(i) not in open_ones]
        if waiting:
            stack.append(waiting[0])
        else:
            seen[block] = True
            order.append(block)
            stack.pop()
