"""Which files `got-ocr2 read` writes, and what writes them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import GotOcr2Error, InvalidOptionError
from .files import Found, Job, check_apart, check_free, plan
from .outputs import Files, JsonLines, Output, PipedText, TerminalText
from .terminal import note
from .writing import Existing

if TYPE_CHECKING:
    from ...reading import ReadOptions
    from ..options.reading import OutputOptions
    from .rendered_files import RenderedFiles


@dataclass(frozen=True)
class Wanted:
    """Where the text goes, and as what.

    Attributes:
        asked: the command's options.
        password: of documents that are opened again to write them in other formats.

    Raises:
        InvalidOptionError: options that exclude each other, or that need another one.
    """

    asked: OutputOptions
    password: str | None = None

    def __post_init__(self) -> None:
        asked = self.asked
        if asked.verbose and asked.quiet:
            raise InvalidOptionError("--verbose and --quiet exclude each other.")
        if asked.skip_existing and asked.force:
            raise InvalidOptionError("--skip-existing and --force exclude each other.")
        if asked.output in (None, "-") and (asked.skip_existing or asked.force):
            name = "--force" if asked.force else "--skip-existing"
            raise InvalidOptionError(f"{name} is about output files; it needs --output.")
        if asked.to is not None and asked.json:
            raise InvalidOptionError(
                "--to and --json exclude each other; --to json writes the tree of a page."
            )
        if asked.confidence != "page" and not asked.json:
            raise InvalidOptionError(f"--confidence {asked.confidence} is about JSON; it needs --json.")
        if asked.boxes and not asked.json and asked.to is None:
            raise InvalidOptionError(
                "--boxes is about places, which text has not; it needs --json, or --to with hocr, tsv, ..."
            )

    @property
    def _existing(self) -> Existing:
        return "replace" if self.asked.force else "refuse"

    @cached_property
    def _rendered(self) -> RenderedFiles | None:
        if self.asked.to is None:
            return None
        from .rendered_files import RenderedFiles

        return RenderedFiles(
            self.asked.to,
            verbose=self.asked.verbose,
            quiet=self.asked.quiet,
            existing=self._existing,
            password=self.password,
        )

    def _files(self, job: Job) -> list[Job]:
        return [job] if self._rendered is None else self._rendered.files(job)

    def jobs(self, inputs: Sequence[str], options: ReadOptions) -> list[Job]:
        """Every document behind the inputs, and the file that its result goes to.

        An input that cannot be expanded, such as a folder without pictures, stays a job and fails when it is read, so
        that the others are read all the same.

        Raises:
            InvalidOptionError: several documents and one output file.
            FileAccessError: an output would replace an input or another output.
        """
        from ...documents import expand

        found: list[Found] = []
        folder_given = False
        for name in inputs:
            try:
                documents: list[Any] = expand(name, recursive=options.recursive)
            except GotOcr2Error:
                documents = [name]
            expanded = documents != [name]
            folder_given |= expanded
            inside = Path(name) if expanded and os.path.isdir(name) else None
            found += [Found.of(one, inside) for one in documents]
        if options.multi_page:
            first = Found.of(inputs[0])
            found = [Found(tuple(inputs), first.name, first.full_name)]
            folder_given = False
        rendered = self._rendered
        suffix = rendered.suffix if rendered is not None else ".json" if self.asked.json else ".txt"
        several = rendered is not None and rendered.several
        jobs = plan(found, self.asked.output, suffix, folder_given=folder_given or several)
        check_apart([file for job in jobs for file in self._files(job)])
        return jobs

    def left_to_do(self, jobs: list[Job]) -> list[Job]:
        """The jobs without those that are to be skipped.

        Raises:
            FileAccessError: an output file is there, and it is neither to be skipped nor to be replaced.
        """
        if not self.asked.skip_existing:
            if not self.asked.force:
                check_free([file for job in jobs for file in self._files(job)])
            return jobs
        kept = [
            job
            for job in jobs
            if not all(f.target is not None and os.path.lexists(f.target) for f in self._files(job))
        ]
        if self.asked.verbose and len(kept) < len(jobs):
            note(f"{len(jobs) - len(kept)} of {len(jobs)} documents have their output already.")
        return kept

    def on_terminal(self, jobs: Sequence[Job]) -> bool:
        """Whether text appears on a terminal as it is written."""
        return (
            jobs[0].target is None and not self.asked.json and self.asked.to is None and sys.stdout.isatty()
        )

    def sink(self, jobs: Sequence[Job]) -> Output:
        """What writes the results of the jobs.

        Raises:
            InvalidOptionError: the formats cannot go to standard output.
        """
        to_stdout = jobs[0].target is None
        if self._rendered is not None:
            if to_stdout:
                self._rendered.check_stdout()
            return self._rendered
        if not to_stdout:
            return Files(json=self.asked.json, verbose=self.asked.verbose, existing=self._existing)
        if self.asked.json:
            return JsonLines()
        return TerminalText() if self.on_terminal(jobs) else PipedText()
