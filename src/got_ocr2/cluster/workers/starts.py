"""How often a process that ends before it can work is started again, and when."""

from __future__ import annotations

import time
from collections.abc import Callable

_MOST = 3  # in a row
_PATIENCE = 120.0  # seconds of further ones where such a process is known to work
_PAUSE = 0.5  # seconds after the first, twice as long after each further one
_LONGEST = 30.0  # seconds


class Starts:
    """Counts the starts of one worker that failed in a row; used by the threads of its `Supervisor`.

    Attributes:
        failed: how many.
    """

    def __init__(self, proven: Callable[[], bool]) -> None:
        """Args:
        proven: whether there is work of the run that such a process has done, here or elsewhere. Then what ends a
            start comes from outside (a kill, other work that takes the memory) and may pass.
        """
        self._proven = proven
        self._opened = False
        self._since = 0.0
        self.failed = 0

    def fail(self) -> None:
        """One more ended too early."""
        if not self.failed:
            self._since = time.monotonic()
        self.failed += 1

    def succeed(self, *, opened: bool) -> None:
        """A process works.

        Args:
            opened: whether it has opened the model for that.
        """
        self.failed = 0
        self._opened |= opened

    @property
    def used_up(self) -> bool:
        """Whether it is of no use to try again."""
        if self.failed < _MOST:
            return False
        if not self._opened and not self._proven():
            return True
        return time.monotonic() - self._since >= _PATIENCE

    @property
    def pause(self) -> float:
        """Seconds to wait before the next, 0.5 to 30."""
        return min(_LONGEST, _PAUSE * 2 ** max(0, self.failed - 1))
