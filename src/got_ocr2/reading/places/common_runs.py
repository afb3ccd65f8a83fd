"""Which letters two texts have in common, wherever they stand in them.

Method: greedy string tiling (Wise 1993): the longest run of letters that both texts have is taken first, each letter
once; so a column that stands elsewhere, or a passage that comes twice, costs nothing. What lies between two runs that
follow each other in both texts is then matched in order.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable
from difflib import SequenceMatcher
from itertools import pairwise

SHORTEST = 8  # letters of a run that may stand anywhere
_PLACES = 16  # of one run of `SHORTEST` letters that are looked at: figures and leaders repeat themselves
_LARGEST = 200_000  # letters of one gap times those of the other that are matched in order
_IN_ORDER = 2  # letters of a run that is found in a gap

Run = tuple[int, int, int]  # where it begins in `a`, where in `b`, its letters


def partners(a: str, b: str) -> list[int]:
    """For each letter of `b` the place in `a` of the letter that is the same one, or -1.

    Args:
        a, b: the texts; every character counts.
    """
    found = [-1] * len(b)
    taken = bytearray(len(a))

    def take(run: Run) -> None:
        at, to, size = run
        found[to : to + size] = range(at, at + size)
        taken[at : at + size] = b"\1" * size

    runs = _long_runs(a, b, found, taken, take)
    for a1, a2, b1, b2 in _gaps(runs, len(a), len(b)):
        for run in _in_order(a[a1:a2], b[b1:b2]):
            at, to, size = a1 + run[0], b1 + run[1], run[2]
            if not any(taken[at : at + size]) and max(found[to : to + size]) < 0:
                take((at, to, size))
    return found


def _long_runs(a: str, b: str, found: list[int], taken: bytearray, take: Callable[[Run], None]) -> list[Run]:
    """Takes all runs of at least `SHORTEST` letters, the longest first; gives them in the order of `a`."""
    by_size = _maximal_runs(a, b)
    accepted: list[Run] = []
    for size in range(max(by_size, default=0), SHORTEST - 1, -1):
        # Of equal runs the one that goes on from its neighbour in `a` as the texts do counts first.
        for _, at, to in sorted((_leap(accepted, at, to), at, to) for at, to in by_size.pop(size, ())):
            free = [k for k in range(size) if not taken[at + k] and found[to + k] < 0]
            if len(free) == size:
                take((at, to, size))
                insort(accepted, (at, to, size))
                continue
            start = 0
            for k in range(1, len(free) + 1):  # what is left of it
                if k == len(free) or free[k] != free[k - 1] + 1:
                    if k - start >= SHORTEST:
                        by_size[k - start].append((at + free[start], to + free[start]))
                    start = k
    return accepted


def _maximal_runs(a: str, b: str) -> defaultdict[int, list[tuple[int, int]]]:
    """Runs of both texts that cannot be made longer, by their letters."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for i in range(len(a) - SHORTEST + 1):
        places[a[i : i + SHORTEST]].append(i)
    by_size: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    ends: dict[int, int] = {}  # by `to - at`: where the last run there ends in `b`
    for to in range(len(b) - SHORTEST + 1):
        near = places.get(b[to : to + SHORTEST], ())
        if len(near) > _PLACES:
            middle = min(max(bisect_left(near, to * len(a) // len(b)) - _PLACES // 2, 0), len(near) - _PLACES)
            near = near[middle : middle + _PLACES]
        for at in near:
            if ends.get(to - at, 0) > to:
                continue  # inside a run that is known
            size = SHORTEST
            while at + size < len(a) and to + size < len(b) and a[at + size] == b[to + size]:
                size += 1
            ends[to - at] = to + size
            by_size[size].append((at, to))
    return by_size


def _leap(accepted: list[Run], at: int, to: int) -> int:
    """How far `to` lies from where it would be if the run went on as its nearest accepted neighbour in `a` does."""
    place = bisect_left(accepted, (at,))
    near = accepted[max(0, place - 1) : place + 1]
    return min((abs((to - at) - (b - a)) for a, b, _ in near), default=0)


def _gaps(runs: list[Run], end_a: int, end_b: int) -> list[tuple[int, int, int, int]]:
    """What lies before and behind each run in both texts, up to the next run in either: `(a1, a2, b1, b2)`."""
    bounds_b = sorted([(-1, 0), *((to, to + size) for _, to, size in runs), (end_b, end_b)])
    starts_b = [start for start, _ in bounds_b]
    edges = [(0, 0, 0), *runs, (end_a, end_b, 0)]
    gaps: list[tuple[int, int, int, int]] = []
    for (at, to, size), (next_at, next_to, _) in pairwise(edges):
        a1, a2 = at + size, next_at
        b1 = to + size
        behind = starts_b[bisect_left(starts_b, max(b1, 0))] if b1 < end_b else end_b
        gaps.append((a1, a2, b1, behind))
        if behind != next_to:
            before = bounds_b[bisect_left(starts_b, next_to) - 1][1] if next_to > 0 else 0
            gaps.append((a1, a2, before, next_to))
    return [gap for gap in gaps if gap[0] < gap[1] and gap[2] < gap[3]]


def _in_order(a: str, b: str) -> list[Run]:
    """Runs of at least `_IN_ORDER` letters, or of one whole side, that both have in the same order."""
    if len(a) * len(b) > _LARGEST:
        return []
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    least = min(_IN_ORDER, len(a), len(b))
    return [(m.a, m.b, m.size) for m in blocks if m.size >= least]
