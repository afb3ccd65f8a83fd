"""Memory for weights: on the boundaries that the kernels ask for, in large pages where the system has them."""

from __future__ import annotations

import ctypes
import mmap

import torch
from torch import Tensor

ALIGNMENT = 64
"""Bytes: a cache line, and a vector of AVX-512."""

# A matrix is read from front to back by every token. In pages of 4 kB, looking up their places costs a tenth of
# the time; smaller matrices stay in the cache anyway.
_LARGE = 4 * 2**20


def weight_memory(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """A tensor that is not filled yet."""
    count = 1
    for size in shape:
        count *= size
    size = count * dtype.itemsize
    if size >= _LARGE and hasattr(mmap, "MADV_HUGEPAGE"):
        area = mmap.mmap(-1, size)
        area.madvise(mmap.MADV_HUGEPAGE)
        room = torch.frombuffer(area, dtype=torch.uint8)
    else:
        room = torch.empty(size + ALIGNMENT, dtype=torch.uint8)
    start = -room.data_ptr() % ALIGNMENT
    return room[start : start + size].view(dtype).view(shape)


def give_back_memory() -> None:
    """Has the C library return what has been freed to the system, where it can be told to (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))
