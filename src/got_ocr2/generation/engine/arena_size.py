"""How large an arena may be: a budget in bytes, by default a share of what is free."""

from __future__ import annotations

import os
import re

import torch

from ...errors import InvalidOptionError
from .runner import Runner

# Of the memory that is free when the arena is made. On a CPU other programs and the system's file cache want their
# part; on CUDA the rest is for activations.
_CPU_SHARE, _CUDA_SHARE = 0.5, 0.7

# A prompt with several pictures and the default number of new tokens.
_ONE_PAGE = 6144

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def parse_bytes(value: int | str) -> int:
    """A size such as 2000000000, "2GB" or "1.5 G" in bytes; K, M, G and T are powers of 1000.

    Raises:
        InvalidOptionError: it is no size, or below 1.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", str(value), re.IGNORECASE)
    size = 0 if found is None else int(float(found[1]) * _UNITS[found[2].upper()])
    if isinstance(value, bool) or size < 1:
        raise InvalidOptionError(f'kv_memory is a size such as "2GB" or a number of bytes, got {value!r}.')
    return size


def affordable_positions(runner: Runner, kv_memory: int | None = None) -> int:
    """How many positions of the runner's arena the budget pays for, >= 0.

    Args:
        runner: tells its device and the bytes of a position.
        kv_memory: bytes, or None for half of the free memory of a CPU, seven tenths of that of a CUDA device.
    """
    if kv_memory is None:
        kv_memory = _free_bytes(runner.device)
    return kv_memory // runner.bytes_per_position


def arena_positions(runner: Runner, context: int, rows: int, kv_memory: int | None = None) -> int:
    """How large to make an arena that many calls will share.

    Args:
        runner: tells its device and the bytes of a position.
        context: most positions of a page, those that the model knows.
        rows: most pages that run at a time.
        kv_memory: bytes that the arena may take at most. None takes a share of what is free, but enough for a
            page of `_ONE_PAGE` positions in any case.

    Returns:
        What all rows could need at most, or what the budget pays for, whichever is less.

    Raises:
        InvalidOptionError: the budget does not pay for a single position.
    """
    positions = affordable_positions(runner, kv_memory)
    if kv_memory is None:
        positions = max(positions, min(context, _ONE_PAGE))
    if positions < 1:
        raise InvalidOptionError(
            f"kv_memory of {kv_memory} bytes is less than the {runner.bytes_per_position} of a single token."
        )
    return min(positions, rows * context)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        # What torch holds but does not use is free as well.
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(_CUDA_SHARE * (free + held))
    return int(_CPU_SHARE * _available_memory())


def _available_memory() -> int:
    """Bytes that a program may take without pushing others out; half of all memory where nobody says."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):  # Windows
        return 4 * 2**30
