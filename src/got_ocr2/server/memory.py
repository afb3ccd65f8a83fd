"""What freed pictures took goes back to the system."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from threading import Lock

EVERY = 1.0  # seconds between two times


class FreedMemory:
    """Gives memory back that is free, but that the C library keeps.

    glibc keeps blocks of up to 32 MB once such a one was freed. Pages of pictures then lie in the heaps of all threads
    that ever opened one, between smaller blocks, and a server grows for hours. Elsewhere nothing is done.
    """

    def __init__(self) -> None:
        self._trim = _malloc_trim()
        self._lock = Lock()
        self._next = 0.0

    def give_back(self) -> bool:
        """Does it, a few milliseconds, unless it was done within `EVERY` seconds; says whether."""
        with self._lock:
            now = time.monotonic()
            if self._trim is None or now < self._next:
                return False
            self._next = now + EVERY
        self._trim(0)
        return True


def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
