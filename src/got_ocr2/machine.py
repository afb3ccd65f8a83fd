"""What a measurement ran on: versions and hardware, for reports and benchmarks."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from ._version import __version__

# What decides how memory is handed out and how threads wait; any of them can change a timing by a factor.
_SETTINGS = (
    "MALLOC_",
    "OMP_",
    "GOMP_",
    "KMP_",
    "MKL_",
    "OPENBLAS_",
    "LD_PRELOAD",
    "PYTORCH_",
    "TORCH_",
    "CUDA_",
)

_PACKAGES = (
    "torch",
    "numpy",
    "pillow",
    "tokenizers",
    "nltk",
    "jieba",
    "apted",
    "rapidfuzz",
    "rdkit",
    "transformers",
)


def describe(device: str | None = None) -> dict[str, Any]:
    """Versions, processor and, for a CUDA device, the graphics card.

    Args:
        device: where the model ran, e.g. "cpu" or "cuda:0".
    """
    found: dict[str, Any] = {
        "got-ocr2": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": _cores(),
        "packages": {name: version for name in _PACKAGES if (version := version_of(name))},
    }
    if device is not None:
        found["device"] = device
        if device.startswith("cuda"):
            import torch

            found["accelerator"] = torch.cuda.get_device_name(device)
    return found


def settings() -> dict[str, Any]:
    """The C library and what the environment says about its allocator and about threads.

    Returns:
        `libc`, e.g. "glibc 2.36"; `environment`, the variables that are set, by name.
    """
    libc = " ".join(part for part in platform.libc_ver() if part)
    chosen = {name: value for name, value in sorted(os.environ.items()) if name.startswith(_SETTINGS)}
    return {"libc": libc or "unknown", "environment": chosen}


def peak_memory() -> int | None:
    """The most memory that this process has held at once, in bytes; None where the system does not tell."""
    try:
        # Not `ru_maxrss`: on Linux a child starts with its parent's.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None


def version_of(package: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
