"""Where the data engines keep what is slow to work out: the font index and the texts taken from packages."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path


def cache_dir() -> Path:
    """The folder of cached files: `GOT_OCR2_CACHE` if set, else the user's cache. Not created here."""
    if chosen := os.environ.get("GOT_OCR2_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "got-ocr2"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "got-ocr2" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "got-ocr2"


def read_cached(name: str) -> bytes | None:
    """The cached file `name`, or None where there is none."""
    try:
        return (cache_dir() / name).read_bytes()
    except OSError:
        return None


def write_cached(name: str, data: bytes) -> None:
    """Writes the cached file `name` in one step, so that a reader in another process never sees half of it.

    A cache that cannot be written (a read-only home) costs time, not correctness, so that is no error.
    """
    with contextlib.suppress(OSError):
        folder = cache_dir()
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=name + ".")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, folder / name)
