"""A folder that all who work on it see: files are written beside their place and renamed into it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import FileAccessError, InvalidOptionError
from ...wording import printable, reason
from .place import Lock

_BESIDE = ".part-"


class Folder:
    """See `Place`."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    @property
    def root(self) -> str:
        return str(self._path.absolute())

    def where(self, key: str) -> str:
        return printable(self._path / key if key else self._path)

    def create(self, folders: tuple[str, ...]) -> None:
        if self._path.is_file():
            raise InvalidOptionError(f"{self.where('')} is a file; a run writes into a folder.")
        for folder in folders:
            try:
                (self._path / folder).mkdir(parents=True, exist_ok=True)
            except OSError as e:
                raise FileAccessError(f"{self.where('')} cannot be written: {reason(e)}.") from e

    def read(self, key: str) -> bytes | None:
        try:
            return (self._path / key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as e:
            raise FileAccessError(f"{self.where(key)} cannot be read: {reason(e)}.") from e

    def write(self, key: str, data: bytes, *, sync: bool = True) -> None:
        """Writes a file; below a top folder it makes folders, but top folders must be there: one that has gone is
        no place to begin anew."""
        path = self._path / key
        beside = path.with_name(f"{_BESIDE}{secrets.token_hex(6)}")
        try:
            if key.count("/") > 1:
                self._make_below(path.parent)
            try:
                with open(beside, "xb") as file:
                    file.write(data)
                    if sync:
                        file.flush()
                        os.fsync(file.fileno())
                os.replace(beside, path)
            finally:
                with suppress(FileNotFoundError):
                    beside.unlink()
        except OSError as e:
            raise FileAccessError(
                f"{self.where(key)} cannot be written: {reason(e)}; what is done is kept, go on with --resume."
            ) from e

    def _make_below(self, folder: Path) -> None:
        top = self._path / folder.relative_to(self._path).parts[0]
        os.stat(top)
        folder.mkdir(parents=True, exist_ok=True)

    def exists(self, key: str) -> bool:
        return (self._path / key).exists()

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(self._path / folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as e:
            raise FileAccessError(f"{self.where(folder)} cannot be listed: {reason(e)}.") from e

    def remove(self, key: str) -> None:
        try:
            (self._path / key).unlink(missing_ok=True)
        except OSError as e:
            raise FileAccessError(f"{self.where(key)} cannot be removed: {reason(e)}.") from e

    def remove_folder(self, folder: str) -> None:
        shutil.rmtree(self._path / folder, ignore_errors=True)

    def clear_halves(self, folders: tuple[str, ...]) -> None:
        inside = (path for folder in folders for path in (self._path / folder).rglob(f"{_BESIDE}*"))
        for path in (*self._path.glob(f"{_BESIDE}*"), *inside):
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def locked(self) -> Generator[Lock]:
        """The system ends it with the process, however that ends."""
        from filelock import FileLock, Timeout

        lock = FileLock(self._path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as e:
            raise InvalidOptionError(f"Another run is writing to {self.where('')}.") from e
        except (OSError, NotImplementedError) as e:
            raise FileAccessError(f"{self.where('')} cannot be locked: {reason(e)}.") from e
        try:
            yield _Held()
        finally:
            lock.release()


class _Held:
    """A lock that nobody can take."""

    def check(self) -> None:
        pass
