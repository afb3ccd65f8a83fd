"""What a measurement ran on: versions and hardware, for reports and benchmarks."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from .._version import __version__

_PACKAGES = ("torch", "numpy", "pillow", "tokenizers", "nltk", "jieba", "apted", "rapidfuzz", "rdkit")


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
