"""`got-ocr2 read --to`: one file a format for every document."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import GotOcr2Error, InvalidOptionError
from ...rendering.of_results import render_result
from ...rendering.registry import FORMATS, formats_of
from ...results import DocumentResult, PageResult
from ...wording import printable
from .files import Job
from .outputs import Output
from .terminal import note, put
from .writing import Existing, is_stream, remove_partials, write_partial, write_whole


class RenderedFiles(Output):
    """Writes each document in each format; a format that does not suit it is an error, the others are written.

    Args:
        to: the formats, such as "md,html".
        verbose, quiet: as the command has them.
        existing: what becomes of files that are there.
        password: of encrypted PDFs, which a searchable PDF is made of.

    Raises:
        InvalidOptionError: an unknown format.
    """

    def __init__(
        self,
        to: str,
        *,
        verbose: bool,
        quiet: bool,
        existing: Existing = "refuse",
        password: str | None = None,
    ) -> None:
        self._formats = formats_of(to)
        self._verbose, self._quiet = verbose, quiet
        self._existing: Existing = existing
        self._password = password

    @property
    def suffix(self) -> str:
        """What the file of the first format ends in."""
        return FORMATS[self._formats[0]].suffix

    @property
    def several(self) -> bool:
        """A document has more than one file, so that a folder is needed."""
        return len(self._formats) > 1

    def check_stdout(self) -> None:
        """Standard output takes one format, and one that is text.

        Raises:
            InvalidOptionError: otherwise.
        """
        if self.several or not FORMATS[self._formats[0]].textual:
            raise InvalidOptionError(
                f"{', '.join(self._formats)} cannot go to standard output; name a file or folder with --output."
            )

    def files(self, job: Job) -> list[Job]:
        """The job once for each of its files."""
        return [
            replace(job, target=self._path(job.target, name), partial=self._path(job.partial, name))
            for name in self._formats
        ]

    def _path(self, first: Path | None, name: str) -> Path | None:
        if first is None or not self.several:
            return first
        return first.with_name(first.name.removesuffix(self.suffix) + FORMATS[name].suffix)

    def document(self, job: Job, result: PageResult | DocumentResult) -> None:
        failures: list[GotOcr2Error] = []
        for name in self._formats:
            try:
                self._write(name, job, result)
            except GotOcr2Error as e:
                failures.append(e)
        for e in failures[:-1]:
            note(f"{printable(result.source)}: {e}")
        if failures:
            last = failures[-1]
            raise type(last)(f"{printable(result.source)}: {last}")

    def _write(self, name: str, job: Job, result: PageResult | DocumentResult) -> None:
        if result.status == "failed" and not result.text:
            return  # it was said when the page failed
        options: dict[str, Any] = {"password": self._password} if name == "searchable-pdf" else {}
        done = render_result(result, name, **options)
        if not self._quiet:
            for problem in done.problems:
                note(f"{printable(result.source)}, as {name}, {problem}.")
        path, partial = self._path(job.target, name), self._path(job.partial, name)
        if path is None or partial is None:
            put(done.text)
            return
        if result.status == "failed" and not is_stream(path):
            path = write_partial(partial, done.data)
        else:
            write_whole(path, done.data, self._existing)
            if result.status != "failed":
                remove_partials(partial)
        if self._verbose:
            note(f"Wrote {printable(path)}.")
