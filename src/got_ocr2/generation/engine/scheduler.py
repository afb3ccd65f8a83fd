"""Who waits, who runs, and where in the arena: decisions about numbers only."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
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
    """Admits pages strictly in the order in which they came.

    The first page that waits enters as soon as there is a row and a contiguous span for it, and nobody overtakes
    it: as pages that run come to an end, every page gets its turn. A page is any hashable object, known once.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._arena = SpanAllocator(limits.positions)
        self._waiting: dict[Page, _Waiting] = {}  # dicts keep the order
        self._running: dict[Page, Span] = {}

    @property
    def running(self) -> tuple[Page, ...]:
        """Pages that have been admitted and have not left, in the order of their admission."""
        return tuple(self._running)

    @property
    def waiting(self) -> tuple[Page, ...]:
        """Pages that have not been admitted, the next one first."""
        return tuple(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether any page waits or runs."""
        return bool(self._waiting or self._running)

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

    def add(self, page: Page, prompt: int, new: int) -> None:
        """Puts a page at the end of the queue; arguments and errors are those of `check`."""
        self.check(prompt, new)
        self._waiting[page] = _Waiting(prompt, prompt + new)

    def admit(self) -> list[tuple[Page, Span]]:
        """Lets in who may run from this step on, in order; each now owns its span."""
        admitted: list[tuple[Page, Span]] = []
        tokens = 0
        for page, need in self._waiting.items():
            tokens += need.prompt
            if admitted and tokens > self.limits.prefill_tokens:
                break
            if len(self._running) == self.limits.rows:
                break
            span = self._arena.take(need.size)
            if span is None:
                break
            self._running[page] = span
            admitted.append((page, span))
        for page, _ in admitted:
            del self._waiting[page]
        return admitted

    def remove(self, page: Page) -> None:
        """Forgets a page, whether it runs, whose span is free then, or still waits; an unknown one is ignored."""
        self._waiting.pop(page, None)
        span = self._running.pop(page, None)
        if span is not None:
            self._arena.give(span)
