"""Mended lines on disk, as training data that `got-ocr2 finetune` takes as it is.

    FOLDER/data.jsonl            a piece of a line each: image, text, and where it was
    FOLDER/images/ID-0.png       its picture, straight, dark on light

A line that is mended again replaces what was kept of it: its id is that of its picture.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from PIL import Image

from ...errors import FileAccessError, InputError
from ...layout import line_at, line_pieces, pieces_with_text
from ...wording import printable, reason

ROWS, IMAGES = "data.jsonl", "images"
LONGEST_TEXT = 2000  # characters of a line


@dataclass(frozen=True)
class Correction:
    """A line with what it says.

    Attributes:
        id: of the line's picture, 16 hexadecimal digits.
        text: what a person says that stands there.
        source: name of the document.
        page: number of the page, from 1.
        box, angle: where the line lies on it, as in `results.TextPart`.
        created_at: seconds since 1970.
        pieces: pictures that the line was cut into.
    """

    id: str
    text: str
    source: str
    page: int
    box: tuple[float, ...]
    angle: float
    created_at: int
    pieces: int


class CorrectionStore:
    """A folder of mended lines; safe to use from several threads of one process.

    Args:
        folder: made when the first line is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()

    def add(
        self, image: Image.Image, box: Sequence[float], angle: float, text: str, *, source: str, page: int
    ) -> Correction:
        """Keeps a line of a page.

        Args:
            image: the page, as a person sees it.
            box, angle: as for `layout.line_at`.
            text: what stands there; white space counts once.
            source, page: where it is from.

        Raises:
            InvalidOptionError: there can be no line at that place.
            InputError: the text is empty or longer than `LONGEST_TEXT`.
            FileAccessError: the folder cannot be written.
        """
        text = " ".join(text.split())
        if not 0 < len(text) <= LONGEST_TEXT:
            raise InputError(f"A mended line has 1 to {LONGEST_TEXT} characters, got {len(text)}.")
        place = line_at(image, box, angle)
        pieces = pieces_with_text(image, place, text)
        (whole,) = line_pieces(image, place, longest=math.inf)
        line = hashlib.sha256(whole.image.tobytes()).hexdigest()[:16]
        now = int(datetime.now(timezone.utc).timestamp())
        source = printable(source)
        kept = Correction(line, text, source, page, tuple(float(v) for v in box), angle, now, len(pieces))
        rows: list[dict[str, Any]] = []
        with self._lock:
            before = self._rows()
            try:
                (self.folder / IMAGES).mkdir(parents=True, exist_ok=True)
                for number, (piece, part) in enumerate(pieces):
                    name = f"{IMAGES}/{line}-{number}.png"
                    piece.image.save(self.folder / name, "PNG")
                    rows.append(
                        {"id": f"{line}-{number}", "image": name, "text": part, "line": line, "whole": text,
                         "source": source, "page": page, "box": list(kept.box), "angle": angle, "created_at": now}
                    )  # fmt: skip
                self._write([*(row for row in before if row["line"] != line), *rows])
                used = {row["image"] for row in rows}
                self._unlink(row for row in before if row["line"] == line and row["image"] not in used)
            except OSError as e:
                raise FileAccessError(f"The mended line cannot be kept: {reason(e)}.") from e
        return kept

    def all(self) -> list[Correction]:
        """The mended lines, the newest last."""
        with self._lock:
            rows = self._rows()
        pieces: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            pieces.setdefault(row["line"], []).append(row)
        return [
            Correction(
                line, row["whole"], row["source"], row["page"], tuple(row["box"]), row["angle"],
                row["created_at"], len(parts),
            )
            for line, parts in pieces.items() for row in parts[:1]
        ]  # fmt: skip

    def picture(self, line: str, piece: int = 0) -> bytes:
        """A kept picture as PNG.

        Raises:
            KeyError: there is no such line or piece.
        """
        with self._lock:
            for row in self._rows():
                if row["id"] == f"{line}-{piece}":
                    return (self.folder / row["image"]).read_bytes()
        raise KeyError(line)

    def remove(self, line: str) -> None:
        """Forgets a line.

        Raises:
            KeyError: there is no such line.
            FileAccessError: the folder cannot be written.
        """
        with self._lock:
            rows = self._rows()
            gone = [row for row in rows if row["line"] == line]
            if not gone:
                raise KeyError(line)
            try:
                self._write([row for row in rows if row["line"] != line])
                self._unlink(gone)
            except OSError as e:
                raise FileAccessError(f"The mended line cannot be removed: {reason(e)}.") from e

    def write_zip(self, file: BinaryIO) -> None:
        """Writes the data set as a zip archive with one folder, `corrections/`."""
        with self._lock, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            rows = self._rows()
            archive.writestr(f"corrections/{ROWS}", _lines(rows))
            for row in rows:
                archive.write(self.folder / row["image"], f"corrections/{row['image']}", zipfile.ZIP_STORED)

    def _rows(self) -> list[dict[str, Any]]:
        path = self.folder / ROWS
        if not path.is_file():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]

    def _unlink(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            (self.folder / row["image"]).unlink(missing_ok=True)

    def _write(self, rows: Iterable[dict[str, Any]]) -> None:
        """Replaces the file as a whole, so that a stop in the middle loses nothing."""
        new = self.folder / f".{ROWS}.new"
        with new.open("w", encoding="utf-8", newline="\n") as file:
            file.write(_lines(rows))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / ROWS)


@cache
def store_at(folder: Path) -> CorrectionStore:
    """The one store of a folder in this process: its lock is shared."""
    return CorrectionStore(folder)


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
