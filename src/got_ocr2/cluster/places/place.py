"""What an output needs of the place where it lies."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Lock(Protocol):
    """The right to write."""

    def check(self) -> None:
        """Raises:
        InvalidOptionError: another run has taken it over, because this one was silent for too long.
        """
        ...


class Place(Protocol):
    """Files by key, such as "plan/part-00000012.json"; each appears whole, in place of an earlier one, or not at all.

    Every method raises FileAccessError, one sentence, where the place cannot be read or written.
    """

    @property
    def root(self) -> str:
        """The place, as any machine may open it: an absolute path or an address."""
        ...

    def where(self, key: str) -> str:
        """A file for messages."""
        ...

    def create(self, folders: tuple[str, ...]) -> None:
        """Makes what files of these folders need; what is there stays."""
        ...

    def read(self, key: str) -> bytes | None:
        """A file; None where there is none."""
        ...

    def write(self, key: str, data: bytes, *, sync: bool = True) -> None:
        """Writes a file.

        Args:
            sync: wait until it is on the disk; without, it may be lost with the power, but never with the process.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        ...

    def names(self, folder: str) -> list[str]:
        """Names of what lies in a folder, sorted; "" is the root. Nothing where there is no folder."""
        ...

    def remove(self, key: str) -> None:
        """Removes a file; one that is missing is fine."""
        ...

    def remove_folder(self, folder: str) -> None:
        """Removes a folder with all that is in it."""
        ...

    def clear_halves(self, folders: tuple[str, ...]) -> None:
        """Removes what a process that was killed had begun to write; nobody else may be writing."""
        ...

    def locked(self) -> AbstractContextManager[Lock]:
        """While this lasts, no other run can write here.

        Raises:
            InvalidOptionError: another run does.
        """
        ...
