"""The files of data sets: text, JSON lines, pictures, and the tasks that JSON names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import FileAccessError, InputError
from ..synth.sample import Task

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSON-lines file, each with its place ("FILE line N") for messages; blank lines
    skipped.

    Raises:
        InputError: a line is no JSON object.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path} line {number}"
        try:
            value = json.loads(line)
        except ValueError as e:
            raise InputError(f"{where} is not JSON: {e}.") from e
        if not isinstance(value, dict):
            raise InputError(f"{where} is not a JSON object but {type(value).__name__}.")
        yield where, value


def read_text(path: Path) -> str:
    """A UTF-8 file, line breaks unified.

    Raises:
        FileAccessError: it cannot be opened.
        InputError: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as e:
        raise FileAccessError(f"{path} cannot be read: {e.strerror or e}.") from e
    except UnicodeDecodeError as e:
        raise InputError(f"{path} is not UTF-8 text: {e.reason} at byte {e.start}.") from e


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def task_from(fields: dict[str, Any]) -> Task:
    """A task from JSON; a box becomes a tuple.

    Raises:
        TypeError: a field that tasks do not have.
    """
    box = fields.get("box")
    return Task(**{**fields, "box": None if box is None else tuple(float(v) for v in box)})
