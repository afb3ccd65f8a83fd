"""A prefix of an object store, by fsspec.

There is no rename and none is needed: an object of S3 or of Google's store appears whole when its upload ends, or not
at all, and every later read sees it. Other kinds of addresses promise less, or were not tried, so they are not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TypeVar

from ...errors import FileAccessError
from ...wording import printable, reason
from ..addresses import file_system
from .lease import hold
from .place import Lock

SCHEMES = ("s3", "s3a", "gs", "gcs")

T = TypeVar("T")


class Objects:
    """See `Place`. A folder is what keys have before a /; there are none that are empty."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._system, self._inside = file_system(self._address)

    @property
    def root(self) -> str:
        return self._address

    def where(self, key: str) -> str:
        return printable(f"{self._address}/{key}" if key else self._address)

    def create(self, folders: tuple[str, ...]) -> None:
        pass

    def read(self, key: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return self._do(key, "read", lambda: self._system.cat_file(self._at(key)))
        return None

    def write(self, key: str, data: bytes, *, sync: bool = True) -> None:
        try:
            self._do(key, "written", lambda: self._system.pipe_file(self._at(key), data))
        except FileNotFoundError as e:
            raise FileAccessError(f"{self.where(key)} cannot be written: there is no such bucket.") from e

    def add(self, key: str, data: bytes) -> bool:
        """Writes a file if there is none of that name, which the store decides; False if there is."""
        try:
            self._do(key, "written", lambda: self._system.pipe_file(self._at(key), data, mode="create"))
        except FileExistsError:
            return False
        except FileNotFoundError as e:
            raise FileAccessError(f"{self.where(key)} cannot be written: there is no such bucket.") from e
        return True

    def exists(self, key: str) -> bool:
        with suppress(FileNotFoundError):
            return self._do(key, "read", lambda: self._system.info(self._at(key)))["type"] == "file"
        return False

    def names(self, folder: str) -> list[str]:
        at = self._at(folder)
        with suppress(FileNotFoundError):
            found = self._do(folder, "listed", lambda: self._system.ls(at, detail=False))
            return sorted(name.rstrip("/").rpartition("/")[2] for name in found if name.rstrip("/") != at)
        return []

    def remove(self, key: str) -> None:
        with suppress(FileNotFoundError):
            self._do(key, "removed", lambda: self._system.rm_file(self._at(key)))

    def remove_folder(self, folder: str) -> None:
        with suppress(FileNotFoundError):
            self._do(folder, "removed", lambda: self._system.rm(self._at(folder), recursive=True))

    def clear_halves(self, folders: tuple[str, ...]) -> None:
        """Uploads that were broken off are no objects; the store drops them by its own rules."""

    @contextmanager
    def locked(self) -> Generator[Lock]:
        """By an object that the run renews; see `lease`."""
        with hold(self) as lease:
            yield lease

    def _at(self, key: str) -> str:
        return f"{self._inside}/{key}" if key else self._inside

    def _do(self, key: str, what: str, call: Callable[[], T]) -> T:
        """Calls, with errors of the store's own in one sentence; missing and present ones are told by their types."""
        try:
            return call()
        except (FileNotFoundError, FileExistsError):
            raise
        except Exception as e:  # each store has errors of its own
            raise FileAccessError(
                f"{self.where(key)} cannot be {what}: {reason(e)}; what is done is kept, go on with --resume."
            ) from e
