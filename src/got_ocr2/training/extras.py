"""Optional packages of the extra `train`, imported where they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import MissingDependencyError


def need(module: str, purpose: str) -> Any:
    """Imports `module`, or says which extra brings it and what it is for.

    Raises:
        MissingDependencyError: the package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as e:
        package = e.name.partition(".")[0] if e.name else module.partition(".")[0]
        raise MissingDependencyError(
            f"{purpose} needs the package {package}; install it with: pip install 'got-ocr2[train]'."
        ) from e
