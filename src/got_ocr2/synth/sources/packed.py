"""Reads a pack of fonts and texts: a folder that `got-ocr2 synth pack` wrote and `GOT_OCR2_PACK` names.

    PACK/
      pack.json      format, faces (fields of `FontFile`, its path relative, and its coverage) and texts
      fonts/NNN/     font files under their own names
      text/NAME.xz   one paragraph a line, both splits
      LICENCES.tsv   what each file may be used for, and where it is from

Where the variable is set, fonts and texts come from there alone: a machine without any of the packages draws what the
machine that packed draws.
"""

from __future__ import annotations

import json
import lzma
import os
from functools import cache
from pathlib import Path
from typing import Any

from ...errors import FileAccessError, InputError

VARIABLE = "GOT_OCR2_PACK"
INDEX = "pack.json"
LICENCES = "LICENCES.tsv"
FORMAT = 1


def pack_folder() -> Path | None:
    """The pack in use, if there is one."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def packed_faces(pack: Path) -> list[dict[str, Any]]:
    """Rows of fields of `fonts.FontFile`, their paths absolute, each with its `coverage` as ranges of code points."""
    rows: list[dict[str, Any]] = _index(pack)["faces"]
    return [{**row, "path": str(pack / row["path"])} for row in rows]


def packed_texts(pack: Path) -> dict[str, str]:
    """Name of each corpus -> the package that it was read from."""
    return _index(pack)["texts"]


def packed_paragraphs(pack: Path, name: str) -> tuple[str, ...]:
    """All paragraphs of a corpus.

    Raises:
        FileAccessError: its file is missing.
    """
    path = pack / "text" / f"{name}.xz"
    try:
        return tuple(lzma.decompress(path.read_bytes()).decode().splitlines())
    except OSError as e:
        raise FileAccessError(f"The pack's text {path} cannot be read: {e.strerror}.") from e


@cache
def _index(pack: Path) -> dict[str, Any]:
    path = pack / INDEX
    try:
        index = json.loads(path.read_text("utf-8"))
    except OSError as e:
        raise FileAccessError(f"{VARIABLE} names {pack}, which holds no pack: {path}: {e.strerror}.") from e
    except ValueError as e:
        raise InputError(f"{path} is not JSON: {e}.") from e
    if index.get("format") != FORMAT:
        raise InputError(f"{path} is of format {index.get('format')}, not {FORMAT}; pack again.")
    return index
