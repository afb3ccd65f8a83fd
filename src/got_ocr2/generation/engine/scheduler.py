"""Who waits, who runs, and where in the arena: decisions about numbers only."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Generic, TypeVar

from ...errors import InvalidOptionError
from .arena import SpanAllocator
from .runner import Span

Page = TypeVar("Page", bound=Hashable)


@dataclass(frozen=True)
class Limits:
    """What may go on at the same time.

    Attributes:
        positions: size of the arena, >= 1.
        rows: most pages that run at a time, >= 1.
        prefill_tokens: most prompt tokens that enter in one step, >= 1; one prompt alone may be longer.
    """

    positions: int
    rows: int
    prefill_tokens: int


@dataclass(frozen=True)
class _Waiting:
    prompt: int
    size: int


class Scheduler(Generic[Page]):
    """Admits the pages of each flow in the order in which they came, and a page of each flow in turn.

    Whoever has many pages waiting forms a flow of them, and does not keep those that came after him from theirs
    (round robin; Nagle 1987). The page whose turn it is enters as soon as there is a row and a contiguous span for it,
    and nobody overtakes it: as pages that run come to an end, every page gets its turn. A page is any hashable
    object, known once.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._arena = SpanAllocator(limits.positions)
        # Dicts keep the order: of the flows' turns, and of each flow's pages.
        self._flows: dict[Hashable, dict[Page, _Waiting]] = {}
        self._flow_of: dict[Page, Hashable] = {}  # of pages that wait
        self._running: dict[Page, Span] = {}

    @property
    def running(self) -> tuple[Page, ...]:
        """Pages that have been admitted and have not left, in the order of their admission."""
        return tuple(self._running)

    @property
    def waiting(self) -> tuple[Page, ...]:
        """Pages that have not been admitted, the next one first."""
        turns = zip_longest(*self._flows.values(), fillvalue=None)
        return tuple(page for turn in turns for page in turn if page is not None)

    @property
    def busy(self) -> bool:
        """Whether any page waits or runs."""
        return bool(self._flows or self._running)

    @property
    def free_positions(self) -> int:
        """Positions of the arena that no page owns."""
        return self._arena.free

    def check(self, prompt: int, new: int) -> None:
        """Refuses a page that could not be admitted even if it were alone.

        Args:
            prompt: tokens of its prompt, >= 1.
            new: most tokens it may gain, >= 1.

        Raises:
            InvalidOptionError: it needs more positions than there are.
        """
        if prompt + new > self.limits.positions:
            raise InvalidOptionError(
                f"A prompt of {prompt} tokens and {new} new ones need {prompt + new} positions of the cache, "
                f"but it holds {self.limits.positions}: allow more kv_memory or fewer max_new_tokens."
            )

    def add(self, page: Page, prompt: int, new: int, flow: Hashable = None) -> None:
        """Puts a page behind those of its flow, whose next turn comes after those of all others if it had none.

        Args:
            page, prompt, new: as for `check`, whose errors it raises.
            flow: whose page it is; None if it is alone.
        """
        self.check(prompt, new)
        self._flow_of[page] = flow = (page,) if flow is None else flow
        self._flows.setdefault(flow, {})[page] = _Waiting(prompt, prompt + new)

    def admit(self) -> list[tuple[Page, Span]]:
        """Lets in who may run from this step on, in order; each now owns its span."""
        admitted: list[tuple[Page, Span]] = []
        tokens = 0
        while self._flows and len(self._running) < self.limits.rows:
            flow, pages = next(iter(self._flows.items()))
            page, need = next(iter(pages.items()))
            tokens += need.prompt
            if admitted and tokens > self.limits.prefill_tokens:
                break
            span = self._arena.take(need.size)
            if span is None:
                break
            self._running[page] = span
            admitted.append((page, span))
            self._leave_queue(page)
            if pages:  # the flow's next turn comes after those of the others
                self._flows[flow] = self._flows.pop(flow)
        return admitted

    def remove(self, page: Page) -> None:
        """Forgets a page, whether it runs, whose span is free then, or still waits; an unknown one is ignored."""
        self._leave_queue(page)
        span = self._running.pop(page, None)
        if span is not None:
            self._arena.give(span)

    def _leave_queue(self, page: Page) -> None:
        if page not in self._flow_of:
            return
        flow = self._flow_of.pop(page)
        del self._flows[flow][page]
        if not self._flows[flow]:
            del self._flows[flow]
