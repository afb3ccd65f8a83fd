"""Jobs on disk: what is to be read, how far it is, and what came of it, in SQLite and a folder for each job."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, Literal

from ...errors import FileAccessError
from ...wording import printable, reason

JobStatus = Literal["waiting", "running", "done", "cancelled"]
DocumentStatus = Literal["waiting", "running", "done", "failed", "cancelled"]

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, created REAL NOT NULL, ended REAL,
    status TEXT NOT NULL, options TEXT NOT NULL, formats TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS documents (
    job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE, number INTEGER NOT NULL, name TEXT NOT NULL,
    url TEXT, bytes INTEGER NOT NULL, status TEXT NOT NULL, pages INTEGER NOT NULL DEFAULT 0, error TEXT,
    PRIMARY KEY (job, number)
);
CREATE INDEX IF NOT EXISTS waiting ON documents (status, number);
"""


@dataclass(frozen=True)
class NewDocument:
    """A document of a job that is about to be made: bytes, or an address to fetch."""

    name: str
    data: bytes | None = None
    url: str | None = None


@dataclass(frozen=True)
class JobDocument:
    """A document of a job; numbers begin with 1, `pages` are those that were read."""

    job: str
    number: int
    name: str
    url: str | None
    bytes: int
    status: DocumentStatus
    pages: int
    error: str | None


@dataclass(frozen=True)
class Job:
    """A job; times are seconds since 1970, `ended` None while it goes on."""

    id: str
    owner: str
    created: float
    ended: float | None
    status: JobStatus
    options: dict[str, Any]
    formats: list[str]


class JobStore:
    """All jobs of a server; any thread may use it.

    Raises:
        FileAccessError: the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "jobs"
        self._lock = RLock()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._base = sqlite3.connect(
                folder / "jobs.sqlite", check_same_thread=False, isolation_level=None
            )
            self._base.executescript(_TABLES)
            self._base.execute("PRAGMA foreign_keys = ON")
            # What was being read when the server ended is read again.
            self._base.execute("UPDATE documents SET status = 'waiting' WHERE status = 'running'")
        except (OSError, sqlite3.Error) as e:
            raise FileAccessError(f"Jobs cannot be kept in {printable(folder)}: {reason(e)}.") from e

    def add(
        self, owner: str, documents: Sequence[NewDocument], options: dict[str, Any], formats: Sequence[str]
    ) -> Job:
        """Makes a job of some documents, numbered from 1."""
        id = f"job-{secrets.token_hex(12)}"
        folder = self._folder / id
        folder.mkdir()
        try:
            for number, document in enumerate(documents, 1):
                if document.data is not None:
                    (folder / f"{number}.in").write_bytes(document.data)
            with self._lock, self._base:
                self._base.execute("BEGIN")
                self._base.execute(
                    "INSERT INTO jobs VALUES (?, ?, ?, NULL, 'waiting', ?, ?)",
                    (id, owner, time.time(), json.dumps(options), json.dumps(list(formats))),
                )
                self._base.executemany(
                    "INSERT INTO documents (job, number, name, url, bytes, status) VALUES (?, ?, ?, ?, ?, 'waiting')",
                    [
                        (id, number, one.name, one.url, len(one.data or b""))
                        for number, one in enumerate(documents, 1)
                    ],
                )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return self.get(id, owner)  # pyright: ignore[reportReturnType]

    def get(self, id: str, owner: str) -> Job | None:
        """A job of this owner; None if there is none."""
        found = self._jobs("WHERE id = ? AND owner = ?", (id, owner))
        return found[0] if found else None

    def of(self, owner: str) -> list[Job]:
        """All jobs of an owner, the newest first."""
        return self._jobs("WHERE owner = ? ORDER BY created DESC", (owner,))

    def documents(self, id: str) -> list[JobDocument]:
        """The documents of a job."""
        return self._documents("WHERE job = ? ORDER BY number", (id,))

    def count(self) -> tuple[int, int]:
        """Jobs that are kept, and bytes of documents that are not read yet."""
        with self._lock:
            (jobs,) = self._base.execute("SELECT count(*) FROM jobs").fetchone()
            (size,) = self._base.execute(
                "SELECT coalesce(sum(bytes), 0) FROM documents WHERE status IN ('waiting', 'running')"
            ).fetchone()
        return jobs, size

    def take(self) -> tuple[Job, JobDocument] | None:
        """The next document to read, which is "running" from now on; the jobs take turns."""
        with self._lock:
            found = self._documents(
                "JOIN jobs ON jobs.id = documents.job WHERE documents.status = 'waiting' "
                "ORDER BY number, jobs.created LIMIT 1",
                (),
            )
            if not found:
                return None
            self._mark(found[0], "running")
            self._base.execute("UPDATE jobs SET status = 'running' WHERE id = ?", (found[0].job,))
            return self._jobs("WHERE id = ?", (found[0].job,))[0], found[0]

    def give_back(self, document: JobDocument) -> None:
        """It was not read to its end and waits again, unless its job was cancelled."""
        with self._lock:
            self._base.execute(
                "UPDATE documents SET status = 'waiting' WHERE job = ? AND number = ? AND status = 'running'",
                (document.job, document.number),
            )

    def finish(self, document: JobDocument, pages: int, error: str | None) -> None:
        """It was read, or failed; its bytes are no longer needed."""
        with self._lock:
            self._mark(document, "done" if error is None else "failed", pages, error)
        self.input(document).unlink(missing_ok=True)

    def ready(self, id: str) -> bool:
        """Whether every document of a job that goes on has been read, so that `end` may be called."""
        with self._lock:
            left = self._documents("WHERE job = ? AND status IN ('waiting', 'running')", (id,))
            return not left and bool(self._jobs("WHERE id = ? AND status = 'running'", (id,)))

    def running(self) -> list[str]:
        """Jobs that have begun and not ended."""
        return [job.id for job in self._jobs("WHERE status = 'running'", ())]

    def end(self, id: str, status: JobStatus) -> None:
        """The job is over; what would open its documents is forgotten."""
        with self._lock:
            self._base.execute(
                "UPDATE jobs SET status = ?, ended = ?, options = json_remove(options, '$.password') "
                "WHERE id = ? AND ended IS NULL",
                (status, time.time(), id),
            )

    def cancel(self, id: str) -> None:
        """What has not been read will not be."""
        with self._lock:
            self._base.execute(
                "UPDATE documents SET status = 'cancelled' WHERE job = ? AND status IN ('waiting', 'running')",
                (id,),
            )
            self.end(id, "cancelled")

    def forget(self, id: str) -> None:
        """Deletes a job with all that belongs to it."""
        with self._lock:
            self._base.execute("DELETE FROM jobs WHERE id = ?", (id,))
        shutil.rmtree(self._folder / id, ignore_errors=True)

    def expired(self, seconds: float) -> list[str]:
        """Jobs that ended longer ago."""
        return [job.id for job in self._jobs("WHERE ended < ?", (time.time() - seconds,))]

    def input(self, document: JobDocument) -> Path:
        """Where the bytes of a document lie."""
        return self._folder / document.job / f"{document.number}.in"

    def outputs(self, document: JobDocument) -> Path:
        """The folder of what came of a document."""
        return self._folder / document.job / str(document.number)

    def archive(self, id: str) -> Path:
        """The file to download."""
        return self._folder / id / "result.zip"

    def close(self) -> None:
        """Ends it; what stands in it stays."""
        with self._lock:
            self._base.close()

    def _mark(
        self, document: JobDocument, status: DocumentStatus, pages: int = 0, error: str | None = None
    ) -> None:
        self._base.execute(
            "UPDATE documents SET status = ?, pages = ?, error = ? "
            "WHERE job = ? AND number = ? AND status != 'cancelled'",
            (status, pages, error, document.job, document.number),
        )

    def _jobs(self, where: str, values: Iterable[Any]) -> list[Job]:
        with self._lock:
            rows = self._base.execute(
                f"SELECT id, owner, created, ended, status, options, formats FROM jobs {where}", tuple(values)
            ).fetchall()
        return [
            Job(id, owner, created, ended, status, json.loads(options), json.loads(formats))
            for id, owner, created, ended, status, options, formats in rows
        ]

    def _documents(self, where: str, values: Iterable[Any]) -> list[JobDocument]:
        columns = ", ".join(
            f"documents.{name}"
            for name in ("job", "number", "name", "url", "bytes", "status", "pages", "error")
        )
        with self._lock:
            rows = self._base.execute(f"SELECT {columns} FROM documents {where}", tuple(values)).fetchall()
        return [JobDocument(*row) for row in rows]
