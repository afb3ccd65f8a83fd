"""How many threads to start with: the cores that this process may really use."""

from __future__ import annotations

import os
from pathlib import Path


def default_threads(root: Path = Path("/")) -> int:
    """`OMP_NUM_THREADS` where it is set, else the cores this process may run on, as far as its share of them goes.

    Two processors of one core count once: both read through the same caches, and more threads than cores only
    wait for each other. A container's share of processor time counts, rounded up.

    Args:
        root: where `sys` is mounted, for tests.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    processors = _processors()
    cores = {_core(root, processor) for processor in processors}
    return max(1, min(len(cores), _share(root, len(processors))))


def _processors() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _core(root: Path, processor: int) -> str:
    """A name for the core that a processor belongs to; its own number where the system does not tell."""
    file = root / f"sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
    return _text(file) or str(processor)


def _share(root: Path, most: int) -> int:
    """Processors' worth of time that the control group (version 2, as a container sees its own) allows."""
    quota, _, period = _text(root / "sys/fs/cgroup/cpu.max").partition(" ")
    if not (quota.isdecimal() and period.isdecimal() and int(period) > 0):
        return most
    return -(-int(quota) // int(period))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""
