"""Uploaded files: kept for a while in a folder that nobody else may read."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from ..problems import Problem
from ..settings import Settings


@dataclass(frozen=True)
class Upload:
    """A file of a client's.

    Attributes:
        id: nobody can guess it.
        filename: as the client calls it.
        bytes: its size.
        created_at, expires_at: seconds since 1970.
        owner: name of the API key that it came with.
        purpose: what the client said it was for.
        path: where it lies.
    """

    id: str
    filename: str
    bytes: int
    created_at: int
    expires_at: int
    owner: str
    purpose: str
    path: Path

    def read(self) -> bytes:
        """What is in it.

        Raises:
            Problem: it has expired meanwhile.
        """
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            raise missing(self.id) from None


def missing(id: str) -> Problem:
    """There is no such file, or it is another client's."""
    return Problem(404, f"There is no file {id[:80]!r}; files are kept for a while only.", param="file_id")


class Uploads:
    """All uploads of a server; any thread may use it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="got-ocr2-"))  # for its owner alone
        self._files: dict[str, Upload] = {}
        self._coming = 0  # bytes of files that are being written
        self._lock = Lock()

    async def keep(self, chunks: AsyncIterator[bytes], filename: str, owner: str, purpose: str) -> Upload:
        """Writes a file as it comes.

        Raises:
            Problem: it is empty, above `max_bytes`, or there is no room for it.
        """
        id = f"file-{secrets.token_hex(16)}"
        path = self._folder / id
        size = 0
        try:
            with open(path, "xb") as file:
                async for chunk in chunks:
                    self._reserve(len(chunk))
                    size += len(chunk)
                    if size > self._settings.max_bytes:
                        limit = self._settings.max_bytes
                        raise Problem(
                            413, f"{filename} has more bytes than the limit of {limit:,} (max_bytes)."
                        )
                    file.write(chunk)
            if size == 0:
                raise Problem(422, f"{filename} is empty (0 bytes).", type="InputError", param="file")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            self._reserve(-size, check=False)
        now = int(time.time())
        upload = Upload(id, filename, size, now, now + int(self._settings.file_seconds), owner, purpose, path)
        with self._lock:
            self._files[id] = upload
        return upload

    def _reserve(self, count: int, *, check: bool = True) -> None:
        self.expire()
        with self._lock:
            self._coming += count
            used = self._coming + sum(one.bytes for one in self._files.values())
            if check and used > self._settings.files_bytes:
                self._coming -= count
                soonest = min((one.expires_at for one in self._files.values()), default=time.time() + 60)
                raise Problem(
                    503,
                    f"Uploaded files take all of the {self._settings.files_bytes:,} bytes that there are for them "
                    "(files_bytes).",
                    retry_after=soonest - time.time(),
                )

    def get(self, id: str, owner: str) -> Upload:
        """Finds a file.

        Raises:
            Problem: there is none of this id and owner.
        """
        self.expire()
        upload = self._files.get(id)
        if upload is None or upload.owner != owner:
            raise missing(id)
        return upload

    def of(self, owner: str) -> list[Upload]:
        """All files of an owner, the oldest first."""
        self.expire()
        return [one for one in list(self._files.values()) if one.owner == owner]

    def open(self, id: str, owner: str) -> BinaryIO:
        """A file to read from; see `get`."""
        return open(self.get(id, owner).path, "rb")

    def forget(self, id: str) -> None:
        """Deletes a file, if it is there."""
        with self._lock:
            upload = self._files.pop(id, None)
        if upload is not None:
            upload.path.unlink(missing_ok=True)

    def expire(self) -> None:
        """Deletes the files whose time has come."""
        now = time.time()
        for one in list(self._files.values()):
            if one.expires_at <= now:
                self.forget(one.id)

    def close(self) -> None:
        """Deletes them all."""
        self._files.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
