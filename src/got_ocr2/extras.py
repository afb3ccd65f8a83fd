"""Optional packages, imported where they are needed."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from .errors import MissingDependencyError


def need(module: str, purpose: str, *, extra: str) -> Any:
    """Imports `module`, or says which extra brings it and what it is for.

    Raises:
        MissingDependencyError: the package is not installed.
    """
    try:
        with warnings.catch_warnings():
            # What a package warns of while it is imported, such as jieba of pkg_resources, helps nobody here.
            warnings.simplefilter("ignore")
            return import_module(module)
    except ImportError as e:
        package = (e.name or module).partition(".")[0]
        raise MissingDependencyError(
            f"{purpose} needs the package {package}; install it with: pip install 'got-ocr2[{extra}]'."
        ) from e
