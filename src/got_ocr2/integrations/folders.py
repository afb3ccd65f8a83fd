"""Which files a program that acts for somebody else may read and write."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..documents import expand
from ..documents.fetch import is_url
from ..errors import FileAccessError, GotOcr2Error, InvalidOptionError
from ..wording import printable, reason

_NAMED = 20  # documents that a message names


class Folders:
    """Folders whose documents may be read, and one that files may be written to.

    Every path is followed through links and ".." before it is compared, and one that lies elsewhere is refused in the
    same words whether there is such a file or not.
    """

    def __init__(
        self, readable: Sequence[str | os.PathLike[str]], writable: str | os.PathLike[str] | None = None
    ) -> None:
        """Takes folders that exist; `writable` may be None, and may lie anywhere.

        Raises:
            FileAccessError: one is missing or no folder.
            InvalidOptionError: none is readable, or one is the root of the file system.
        """
        if not readable:
            raise InvalidOptionError("At least one folder to read from is needed, got none.")
        self.readable = tuple(_folder(folder) for folder in readable)
        self.writable = None if writable is None else _folder(writable)

    def document(self, path: str) -> Path:
        """The file behind a path; a relative one is looked for in one folder after another.

        Raises:
            FileAccessError: it lies in none of the folders, is missing, or is a folder itself.
        """
        if is_url(path):
            raise FileAccessError(f"Addresses are not opened here; name a file in {self._names()}.")
        candidates = [_resolved(folder / path, path) for folder in self.readable]
        inside = [file for file in candidates if self._may_be_read(file)]
        if not inside:
            raise FileAccessError(f"{printable(path)} does not lie in {self._names()}.")
        file = next((file for file in inside if file.exists()), inside[0])
        if file.is_dir():
            raise FileAccessError(
                f"{printable(path)} is a folder; name one document, such as {_documents(file)}."
            )
        if not file.is_file():
            raise FileAccessError(f"{printable(path)} does not exist.")
        return file

    def write(self, name: str, data: bytes) -> Path:
        """Writes a new file; one that is there is left as it is.

        Args:
            name: a path below the writable folder.
            data: the whole file.

        Raises:
            FileAccessError: nothing may be written, the file is there or would lie elsewhere, or the disk refuses.
        """
        if self.writable is None:
            raise FileAccessError("No folder to write to was given; leave the file out to get its content.")
        path = _resolved(self.writable / name, name)
        if path == self.writable or not path.is_relative_to(self.writable):
            raise FileAccessError(f"{printable(name)} does not lie in {printable(self.writable)}.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as file:
                try:
                    file.write(data)
                    file.flush()
                except OSError:
                    path.unlink(missing_ok=True)
                    raise
        except FileExistsError as e:
            raise FileAccessError(f"{printable(name)} is there already and was not overwritten.") from e
        except OSError as e:
            raise FileAccessError(f"{printable(name)} cannot be written: {reason(e)}.") from e
        return path

    def _may_be_read(self, file: Path) -> bool:
        return any(file.is_relative_to(folder) for folder in self.readable)

    def _names(self) -> str:
        names = [printable(folder) for folder in self.readable]
        return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _folder(path: str | os.PathLike[str]) -> Path:
    folder = _resolved(Path(path), os.fspath(path))
    if not folder.is_dir():
        raise FileAccessError(f"{printable(path)} is not a folder.")
    if folder == Path(folder.anchor):
        raise InvalidOptionError(
            f"{printable(folder)} holds every file of this machine; name a smaller folder with --folder."
        )
    return folder


def _resolved(path: Path, name: str) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as e:  # a loop of links; a null byte
        raise FileAccessError(f"{printable(name)} cannot be read: {reason(e)}.") from e


def _documents(folder: Path) -> str:
    """The names of some documents in a folder, as the end of a sentence."""
    try:
        names = [Path(str(document)).name for document in expand(folder)]
    except GotOcr2Error:
        return "page.png (it holds none itself)"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(printable(name) for name in names[:_NAMED]) + more
