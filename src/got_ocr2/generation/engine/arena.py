"""Which positions of the arena are free: contiguous spans, first fit. Plain numbers, no memory is touched here."""

from __future__ import annotations

from bisect import bisect_left

from .runner import Span


class SpanAllocator:
    """Hands out spans of an arena and takes them back; neighbouring gaps become one.

    First fit keeps pages at the low end of the arena, so that memory which was never needed is never touched.
    """

    def __init__(self, capacity: int) -> None:
        """All `capacity` positions are free at first, >= 0."""
        self.capacity = capacity
        self._gaps: list[Span] = (
            [Span(0, capacity)] if capacity else []
        )  # in order, never touching each other

    @property
    def free(self) -> int:
        """Positions that nobody owns; they need not be contiguous."""
        return sum(gap.size for gap in self._gaps)

    def take(self, size: int) -> Span | None:
        """The first free span of `size` >= 1 positions, or None if no gap is that long."""
        for index, gap in enumerate(self._gaps):
            if gap.size >= size:
                self._gaps[index : index + 1] = (
                    [Span(gap.start + size, gap.size - size)] if gap.size > size else []
                )
                return Span(gap.start, size)
        return None

    def give(self, span: Span) -> None:
        """Takes back a span that `take` handed out.

        Raises:
            ValueError: some of it is free already, or outside the arena.
        """
        at = bisect_left(self._gaps, span.start, key=lambda gap: gap.start)
        before = self._gaps[at - 1] if at else None
        after = self._gaps[at] if at < len(self._gaps) else None
        inside = span.start >= 0 and span.end <= self.capacity
        if not inside or (before and before.end > span.start) or (after and span.end > after.start):
            raise ValueError(f"{span} was given back, but is not owned by anybody.")
        first, last = at, at
        start, end = span.start, span.end
        if before and before.end == start:
            first, start = at - 1, before.start
        if after and after.start == end:
            last, end = at + 1, after.end
        self._gaps[first:last] = [Span(start, end - start)]
