"""Writes a pack: the fonts and texts at hand in one folder, to be carried to a machine without packages."""

from __future__ import annotations

import json
import lzma
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import FileAccessError, InvalidOptionError
from .corpora.catalog import all_paragraphs, corpora
from .fonts.catalog import FontFile, all_faces, coverage_ranges
from .sources.packed import FORMAT, INDEX, LICENCES

_LARGEST_LATIN = (
    2 << 20
)  # bytes; larger files are Chinese ones, or variable fonts with axes that are not used here

_SLACK = 1000  # bytes of the index that speak of texts


@dataclass(frozen=True)
class Packed:
    """What a pack holds.

    Attributes:
        faces, families, texts: how many.
        left_out: font files that had no place, by name.
        size: in bytes.
    """

    faces: int
    families: int
    texts: int
    left_out: tuple[str, ...]
    size: int


def write_pack(folder: Path, *, languages: Sequence[str] = ("en",), limit: int = 48 << 20) -> Packed:
    """Writes all texts in some languages and as many font files as there is room for.

    Every family has its smallest file before any has a second one. With room for all of them, the pack draws the same
    samples as the machine that wrote it.

    Args:
        folder: new or empty.
        languages: ISO 639-1 codes.
        limit: most bytes of the pack.

    Raises:
        InvalidOptionError: the texts alone do not fit, or an unknown language.
        FileAccessError: the folder is not empty, or cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileAccessError(f"{folder} is not empty; give a new folder for the pack.")
    texts = corpora(languages)
    packed = {text.name: lzma.compress("\n".join(all_paragraphs(text)).encode(), preset=1) for text in texts}
    size = sum(map(len, packed.values()))
    if size > limit:
        raise InvalidOptionError(f"The texts alone take {size:,} bytes; the limit is {limit:,}.")
    largest = limit if "zh" in languages else _LARGEST_LATIN
    chosen, left_out = _that_fit(all_faces(), limit - size - _SLACK, largest)
    try:
        (folder / "text").mkdir(parents=True)
        for name, data in packed.items():
            (folder / "text" / f"{name}.xz").write_bytes(data)
        rows: list[dict[str, Any]] = []
        for number, (path, faces) in enumerate(sorted(chosen.items())):
            copy = folder / "fonts" / f"{number:03}" / Path(path).name
            copy.parent.mkdir(parents=True)
            shutil.copyfile(path, copy)
            rows += [_row(face, copy.relative_to(folder).as_posix()) for face in faces]
        licences = sorted({f"{row['path']}\t{row['licence']}\t{row['source']}" for row in rows})
        licences += [f"text/{text.name}.xz\t{text.licence}\t{text.source}" for text in texts]
        (folder / LICENCES).write_text("\n".join(licences) + "\n", "utf-8")
        index = {"format": FORMAT, "faces": rows, "texts": {text.name: text.source for text in texts}}
        (folder / INDEX).write_text(json.dumps(index) + "\n", "utf-8")
    except OSError as e:
        raise FileAccessError(f"The pack cannot be written to {folder}: {e.strerror or e}.") from e
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Packed(len(rows), len({row["family"] for row in rows}), len(texts), tuple(left_out), size)


def _that_fit(
    faces: Sequence[FontFile], room: int, largest: int
) -> tuple[dict[str, list[FontFile]], list[str]]:
    """The faces of each file that is taken, and the names of the files that are not."""
    by_file: dict[str, list[FontFile]] = defaultdict(list)
    for face in faces:
        by_file[face.path].append(face)
    by_family: dict[str, list[str]] = defaultdict(list)
    sizes = {
        path: Path(path).stat().st_size + sum(_listed_bytes(face) for face in found)
        for path, found in by_file.items()
    }
    for path in sorted(by_file, key=lambda path: (sizes[path], path)):
        by_family[by_file[path][0].family].append(path)
    turns = [(turn, path) for paths in by_family.values() for turn, path in enumerate(paths)]
    chosen: dict[str, list[FontFile]] = {}
    left_out: list[str] = []
    for _, path in sorted(turns, key=lambda pair: (pair[0], sizes[pair[1]], pair[1])):
        if sizes[path] > min(room, largest):
            left_out.append(Path(path).name)
            continue
        room -= sizes[path]
        chosen[path] = by_file[path]
    return chosen, left_out


def _row(face: FontFile, place: str) -> dict[str, Any]:
    """What the index says of a face."""
    return {**asdict(face), "path": place, "coverage": coverage_ranges(face)}


def _listed_bytes(face: FontFile) -> int:
    """What a face takes in the index and in the list of licences, at most."""
    return len(json.dumps(_row(face, face.path))) + len(face.licence) + len(face.source) + len(face.path) + 8
