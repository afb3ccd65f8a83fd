"""What freed arrays take goes back to the system at once."""

from __future__ import annotations

import ctypes
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's mallopt(3)
_LARGE = 1_000_000  # bytes


def return_freed_memory() -> bool:
    """Lets blocks of a megabyte and more be memory of their own, which ends with them; for the whole process.

    By itself glibc raises that limit, up to 32 MB, whenever a larger block is freed. Pages of pictures then lie in the
    heaps of all threads that ever opened one, between smaller blocks, and the process grows for hours.

    Returns:
        Whether it was done: on glibc, unless the environment has a setting for it (`MALLOC_MMAP_THRESHOLD_`).
    """
    if sys.platform != "linux" or "MALLOC_MMAP_THRESHOLD_" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGE)) and bool(mallopt(_TRIM_THRESHOLD, _LARGE))
