"""Where results are written: one file, or one file a document in a folder, each under a name of its own."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import FileAccessError, InvalidOptionError
from ...wording import printable
from .writing import check_new, is_own_partial

_SUFFIX = 32  # bytes that are kept free for what a name ends in, and for the sum of an incomplete file
_LONGEST = 255  # bytes of a name on nearly every file system
_NOT_IN_A_NAME = dict.fromkeys((*range(0x20), *map(ord, '<>:"/\\|?*')), "_")


@dataclass(frozen=True)
class Job:
    """One document to read.

    Attributes:
        source: its path or address, or several of them that are read as one text.
        target: the file to write; None for standard output.
        partial: where the result goes if pages failed, so that it is never taken for the whole; no other job has
            this name, or that of the target. None for standard output.
    """

    source: str | Path | tuple[str | Path, ...]
    target: Path | None = None
    partial: Path | None = None


@dataclass(frozen=True)
class Found:
    """One document behind an input.

    Attributes:
        source: as in `Job`.
        name: path of its output below the output folder, without suffix.
        full_name: the same with the suffix of the document, in case another one has the same `name`.
    """

    source: str | Path | tuple[str | Path, ...]
    name: Path
    full_name: Path

    @classmethod
    def of(cls, source: str | Path, folder: Path | None = None) -> Found:
        """A document named on its own, or found in `folder`."""
        if isinstance(source, str) and source == "-":
            return cls(source, Path("stdin"), Path("stdin"))
        path = Path(source)
        if isinstance(source, str) and source.lower().startswith(("http://", "https://")):
            last = urllib.parse.unquote(urllib.parse.urlsplit(source).path.rstrip("/").rpartition("/")[2])
            path = Path(last.translate(_NOT_IN_A_NAME).lstrip(".") or "index")
        elif isinstance(source, str) and source[:5].lower() == "data:":
            path = Path("data")
        elif path.is_dir():
            path = Path(os.path.abspath(path))  # "." and ".." name nothing
        below = Path() if folder is None else path.parent.relative_to(folder)
        return cls(source, below / path.stem, below / path.name)


def plan(found: Sequence[Found], output: str | None, suffix: str, *, folder_given: bool) -> list[Job]:
    """Gives every document its output file.

    Args:
        found: the documents.
        output: what `--output` says; None or "-" for standard output.
        suffix: ".txt" or ".json".
        folder_given: an input is a folder or pattern, so that the output is one too.

    Raises:
        InvalidOptionError: several documents and one output file.
    """
    if output is None or output == "-":
        return [Job(document.source) for document in found]
    if not output:
        raise InvalidOptionError("The output is named by an empty text; it must be a file, a folder or -.")
    path = Path(output)
    wants_folder = folder_given or len(found) > 1 or output.endswith(("/", os.sep))
    if not path.is_dir() and not wants_folder:
        partial = path.with_name(_fitted(f"{path.stem}.partial", path.suffix, path.parent))
        return [Job(found[0].source, path, partial)]
    if path.exists() and not path.is_dir():
        raise InvalidOptionError(
            f"{printable(path)} is a file, but a folder is needed for what is read from a folder or from "
            "several documents."
        )
    names = _names(found, suffix, path)
    return [
        Job(document.source, path / name, path / partial)
        for document, (name, partial) in zip(found, names, strict=True)
    ]


def check_free(jobs: Sequence[Job]) -> None:
    """Refuses to overwrite; a terminal or pipe has nothing to lose.

    Raises:
        FileAccessError: an output file is there already.
    """
    check_new([job.target for job in jobs], "--force or --skip-existing")


def check_apart(jobs: Sequence[Job]) -> None:
    """Refuses outputs that are inputs, by whatever name.

    Raises:
        FileAccessError: a document would be replaced by its own text or that of another.
    """
    sources: dict[tuple[int, int], str] = {}
    for job in jobs:
        for source in job.source if isinstance(job.source, tuple) else (job.source,):
            found = _stat(source)
            if found is not None and stat.S_ISREG(found.st_mode):
                sources[found.st_dev, found.st_ino] = printable(source)
    for job in jobs:
        found = None if job.target is None else _stat(job.target)
        source = None if found is None else sources.get((found.st_dev, found.st_ino))
        if source is not None and job.target is not None:
            raise FileAccessError(
                f"{printable(job.target)} is where {source} is read from; choose another --output."
            )


def free_partial(path: Path) -> Path:
    """The path, or one with a number if something stands there that this program did not write."""
    number, candidate = 1, path
    while os.path.lexists(candidate) and not is_own_partial(candidate):
        number += 1
        candidate = path.with_name(_fitted(f"{path.stem}-{number}", path.suffix, path.parent))
    return candidate


def _stat(path: str | Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def _names(found: Sequence[Found], suffix: str, folder: Path) -> list[tuple[Path, Path]]:
    """For each document a file name and one for what is incomplete: all different, also where neither case nor the
    form of accents counts, and none the folder of another.

    The stem if no other document has it; else the full name; else that with a number.
    """
    counts = Counter(folded(document.name) for document in found)
    taken = {folded(parent) for document in found for parent in document.name.parents}
    once = [counts[folded(document.name)] == 1 for document in found]
    finals: dict[int, Path] = {}
    # Documents that nobody shares a stem with have the first choice, so that their names do not depend on others.
    for place in sorted(range(len(found)), key=lambda place: not once[place]):
        document = found[place]
        wanted = document.name if once[place] else document.full_name
        finals[place] = _taken(wanted, document.full_name, suffix, folder, taken)
    names: list[tuple[Path, Path]] = []
    for place in range(len(found)):
        final = finals[place]
        stem = final.with_name(final.name[: len(final.name) - len(suffix)] + ".partial")
        names.append((final, _taken(stem, stem, suffix, folder, taken)))
    return names


def _taken(wanted: Path, otherwise: Path, suffix: str, folder: Path, taken: set[str]) -> Path:
    """Takes the first name that is free: `wanted`, `otherwise`, `otherwise` with a number."""
    number = 0
    while True:
        stem = wanted.name if number == 0 else otherwise.name + (f"-{number}" if number > 1 else "")
        path = wanted.with_name(_fitted(stem, suffix, folder))
        number += 1
        if folded(path) not in taken:
            taken.add(folded(path))
            return path


def _fitted(stem: str, suffix: str, folder: Path) -> str:
    """Stem and suffix; a stem that is too long for the file system is cut, and a sum of it keeps it apart."""
    # One length for all formats, so that their names agree.
    most = _longest_name(folder) - max(_SUFFIX, len(os.fsencode(suffix)))
    if len(os.fsencode(stem)) <= most:
        return stem + suffix
    total = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    kept = stem
    while len(os.fsencode(kept)) > most - 9:
        kept = kept[:-1]
    return f"{kept}~{total}{suffix}"


def _longest_name(folder: Path) -> int:
    """Bytes of the longest name in a folder, or in the nearest one above it that exists."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    try:
        return max(32, min(_LONGEST, os.pathconf(folder, "PC_NAME_MAX")))
    except (AttributeError, OSError, ValueError):  # no such call on Windows
        return _LONGEST


def folded(path: Path) -> str:
    """A name as file systems see it to which neither case nor the form of accents counts."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())
