"""`got-ocr2 read --to`: one file a format for every document."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from ..errors import GotOcr2Error, InvalidOptionError
from ..rendering.of_results import render_result
from ..rendering.registry import FORMATS, formats_of
from ..results import DocumentResult, PageResult
from ..wording import printable
from .files import Job, write_atomically
from .outputs import Output
from .terminal import note


class RenderedFiles(Output):
    """Writes each document in each format; a format that does not suit it is an error, the others are written.

    Args:
        to: the formats, such as "md,html".
        verbose, quiet: as the command has them.

    Raises:
        InvalidOptionError: an unknown format.
    """

    def __init__(self, to: str, *, verbose: bool, quiet: bool) -> None:
        self._formats = formats_of(to)
        self._verbose, self._quiet = verbose, quiet

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
        return [replace(job, target=self._path(job, name)) for name in self._formats]

    def _path(self, job: Job, name: str) -> Path | None:
        if job.target is None or not self.several:
            return job.target
        stem = job.target.name.removesuffix(self.suffix)
        return job.target.with_name(stem + FORMATS[name].suffix)

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
        done = render_result(result, name)
        if not self._quiet:
            for problem in done.problems:
                note(f"{printable(result.source)}, as {name}, {problem}.")
        path = self._path(job, name)
        if path is None:
            sys.stdout.write(done.text)
            sys.stdout.flush()
            return
        own = replace(job, target=path)
        failed = result.status == "failed"
        write_atomically(own.partial if failed else path, done.data)
        if not failed:
            own.partial.unlink(missing_ok=True)  # of an earlier run
        if self._verbose:
            note(f"Wrote {printable(own.partial if failed else path)}.")
