"""What works through jobs, beside the requests, a few documents at a time."""

from __future__ import annotations

import asyncio
import secrets
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path

from ..errors import GotOcr2Error
from ..results import DocumentResult
from .api.given import Given, Named, at_address
from .api.options import read_options
from .api.outputs import files_of
from .api.shapes import Options
from .log import log_failure
from .problems import Problem, of_exception
from .reads import Reads, Task
from .settings import Settings
from .stores.job_store import Job, JobDocument, JobStore

_BEFORE_AGAIN = 1.0  # seconds

_AT_A_TIME = 4  # documents of jobs that are read at a time, at most


class Jobs:
    """Reads the documents of jobs.

    Attributes:
        store: where they are kept.
    """

    def __init__(self, store: JobStore, reads: Reads, settings: Settings) -> None:
        self.store = store
        self._reads = reads
        self._settings = settings
        self._news = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._reading: dict[str, set[asyncio.Task[None]]] = {}

    def start(self) -> None:
        """Begins to work; at least half of what can be read at a time is left to requests."""
        for _ in range(max(1, min(_AT_A_TIME, self._settings.max_running // 2))):
            self._workers.append(asyncio.create_task(self._work()))
        self._news.set()

    def wake(self) -> None:
        """There is a new job."""
        self._news.set()

    def cancel(self, id: str) -> None:
        """Gives a job up."""
        self.store.cancel(id)
        for task in self._reading.get(id, ()):
            task.cancel()

    def expire(self) -> None:
        """Deletes what has been kept long enough."""
        for id in self.store.expired(self._settings.job_seconds):
            self.store.forget(id)

    async def stop(self) -> None:
        """Stops; what is being read waits for the next start."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers.clear()

    async def _work(self) -> None:
        for id in self.store.running():  # the server may have ended just before they did
            await self._end_if_ready(id)
        while True:
            taken = self.store.take()
            if taken is None:
                self._news.clear()
                await self._news.wait()
                continue
            job, document = taken
            # A task of its own: cancelling the job must not end the worker.
            task = asyncio.create_task(self._read(job, document))
            self._reading.setdefault(job.id, set()).add(task)
            try:
                await asyncio.shield(asyncio.wait([task]))
            except asyncio.CancelledError:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                raise
            finally:
                self._reading[job.id].discard(task)
                if not self._reading[job.id]:
                    del self._reading[job.id]

    async def _read(self, job: Job, document: JobDocument) -> None:
        error, pages = None, 0
        try:
            pages, error = await self._result(job, document)
        except asyncio.CancelledError:
            self.store.give_back(document)
            raise
        except (GotOcr2Error, Problem) as e:
            problem = of_exception(e)
            if problem.status_code == 503:  # about to end
                self.store.give_back(document)
                await asyncio.sleep(_BEFORE_AGAIN)
                return
            error = problem.detail
        except Exception as e:
            log_failure(e)
            error = "The server failed; its log says why."
        self.store.finish(document, pages, error)
        await self._end_if_ready(job.id)

    async def _end_if_ready(self, id: str) -> None:
        if self.store.ready(id):
            await self._reads.call(partial(_pack, self.store, id))
            self.store.end(id, "done")

    async def _result(self, job: Job, document: JobDocument) -> tuple[int, str | None]:
        """Reads a document and writes what came of it; pages, and what went wrong with some of them."""
        options = read_options(Options(**job.options), self._settings)
        given = _given(self.store, document, self._settings)
        opened, results = await self._reads.whole(Task([given], options), patient=True)
        data, password = opened.documents[0].getvalue(), options.password
        folder, formats = self.store.outputs(document), job.formats
        await self._reads.call(lambda: _write(results[0], formats, folder, document=data, password=password))
        errors = [page.error.message for page in results[0].pages if page.error is not None]
        return len(results[0].pages), errors[0] if errors else None


def _given(store: JobStore, document: JobDocument, settings: Settings) -> Given:
    if document.url is not None:
        return at_address(document.url, settings)
    return lambda: Named(store.input(document).read_bytes(), document.name)


def _write(
    result: DocumentResult, formats: list[str], folder: Path, *, document: bytes, password: str | None
) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "result.json").write_text(result.to_json(), "utf-8")
    if formats and any(page.error is None for page in result.pages):
        for file in files_of(result, formats, document=document, password=password):
            (folder / file.name).write_bytes(file.data)


def _pack(store: JobStore, id: str) -> None:
    """All that came of a job in one archive: a folder for each document."""
    target = store.archive(id)
    part = target.with_name(f"{secrets.token_hex(4)}.part")  # two documents may end at once
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for document in store.documents(id):
            folder = store.outputs(document)
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                archive.write(file, f"{document.number}-{document.name}/{file.name}")
    part.replace(target)
