"""A thread that waits for something to come of the steps of another one."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Waiting:
    """Sleeps until what it waits for holds; whoever does the steps looks, so that nobody wakes in vain.

    Args:
        ready: says whether it holds.
    """

    def __init__(self, ready: Callable[[], bool]) -> None:
        self._ready = ready
        self._over = threading.Event()
        self._error: BaseException | None = None

    def look(self) -> None:
        """For the thread that steps, after each of them: wakes the other one if it is time."""
        try:
            over = self._ready()
        except BaseException as error:  # that of the one who waits
            over, self._error = True, error
        if over:
            self._over.set()

    def over(self, timeout: float | None) -> bool:
        """Waits; says whether it holds, which it may not after `timeout` seconds.

        Raises:
            BaseException: whatever `ready` raised.
        """
        over = self._over.wait(timeout)
        if self._error is not None:
            raise self._error
        return over
