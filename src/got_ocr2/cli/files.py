"""Where results are written: one file, or one file a document in a folder; whole or not at all."""

from __future__ import annotations

import os
import urllib.parse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileAccessError, InvalidOptionError
from ..wording import printable

_NOT_IN_A_NAME = dict.fromkeys((*range(0x20), *map(ord, '<>:"/\\|?*')), "_")


@dataclass(frozen=True)
class Job:
    """One document to read.

    Attributes:
        source: its path or address, or several of them that are read as one text.
        target: the file to write; None for standard output.
    """

    source: str | Path | tuple[str | Path, ...]
    target: Path | None = None

    @property
    def partial(self) -> Path:
        """Where the result goes if pages failed, so that it is never taken for the whole."""
        assert self.target is not None
        return self.target.with_name(f"{self.target.stem}.partial{self.target.suffix}")


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
    path = Path(output)
    wants_folder = folder_given or len(found) > 1 or output.endswith(("/", os.sep))
    if not path.is_dir() and not wants_folder:
        return [Job(found[0].source, path)]
    if path.exists() and not path.is_dir():
        raise InvalidOptionError(
            f"{printable(path)} is a file, but a folder is needed for what is read from a folder or from "
            "several documents."
        )
    names = _names(found, suffix)
    return [Job(document.source, path / name) for document, name in zip(found, names, strict=True)]


def check_free(jobs: Sequence[Job]) -> None:
    """Refuses to overwrite.

    Raises:
        FileAccessError: an output file is there already.
    """
    there = [job.target for job in jobs if job.target is not None and job.target.exists()]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise FileAccessError(
            f"{printable(there[0])}{more} would be overwritten; choose --force or --skip-existing."
        )


def write_atomically(path: Path, data: str | bytes) -> None:
    """Writes a file that appears whole, with its folders; text as UTF-8.

    Raises:
        FileAccessError: it cannot be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if isinstance(data, str):
                data = data.encode("utf-8", "backslashreplace")
            aside.write_bytes(data)
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as e:
        raise FileAccessError(f"{printable(path)} cannot be written: {e.strerror or e}.") from e


def _names(found: Sequence[Found], suffix: str) -> list[Path]:
    """A file name for each document, all different, also where case does not count.

    The stem if no other document has it; else the full name; else that with a number.
    """
    counts = Counter(_folded(document.name) for document in found)
    taken = {name for name, count in counts.items() if count == 1}
    names: list[Path] = []
    for document in found:
        name = document.name
        if counts[_folded(name)] > 1:
            name, number = document.full_name, 1
            while _folded(name) in taken:
                number += 1
                name = document.full_name.with_name(f"{document.full_name.name}-{number}")
            taken.add(_folded(name))
        names.append(name.with_name(name.name + suffix))
    return names


def _folded(path: Path) -> str:
    return str(path).casefold()
