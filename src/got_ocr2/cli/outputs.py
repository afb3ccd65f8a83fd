"""What becomes of results: text on a terminal, text or JSON lines in a pipe, files."""

from __future__ import annotations

import sys

from ..results import DocumentResult, PageResult
from ..wording import printable
from .files import Job, write_atomically
from .terminal import note, visible


class Output:
    """Is told what happens while reading, in order; does nothing about it by itself."""

    def piece(self, text: str) -> None:
        """Some characters of the page being read."""

    def page(self, result: PageResult) -> None:
        """A page is done or has failed."""

    def document(self, job: Job, result: PageResult | DocumentResult) -> None:
        """A document is done."""


class TerminalText(Output):
    """Text appears as it is written; an empty line stands between two pages."""

    def __init__(self) -> None:
        self._last = ""  # the last character shown
        self._new_page = True

    def piece(self, text: str) -> None:
        if self._new_page and self._last:
            self._write("\n")
        self._new_page = False
        self._write(visible(text))
        self._last = text[-1]

    def page(self, result: PageResult) -> None:
        if not self._new_page and self._last != "\n":
            self._write("\n")
            self._last = "\n"
        self._new_page = True

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


class PipedText(Output):
    """Text comes page by page; an empty line stands between two pages."""

    def __init__(self) -> None:
        self._anything = False

    def page(self, result: PageResult) -> None:
        if result.text:
            sys.stdout.write("\n" * self._anything + _ended(result.text))
            sys.stdout.flush()
            self._anything = True


class JsonLines(Output):
    """One JSON object a document, each on one line."""

    def document(self, job: Job, result: PageResult | DocumentResult) -> None:
        sys.stdout.write(result.to_json() + "\n")
        sys.stdout.flush()


class Files(Output):
    """One file a document, with `.partial` in its name if a page failed; no file where nothing was read."""

    def __init__(self, *, json: bool, verbose: bool) -> None:
        self._json = json
        self._verbose = verbose

    def document(self, job: Job, result: PageResult | DocumentResult) -> None:
        assert job.target is not None
        failed = result.status == "failed"
        if failed and not self._json and not result.text:
            return
        path = job.partial if failed else job.target
        write_atomically(path, result.to_json(indent=2) + "\n" if self._json else _ended(result.text))
        if not failed:
            job.partial.unlink(missing_ok=True)  # of an earlier run
        if self._verbose:
            note(f"Wrote {printable(path)}.")


def _ended(text: str) -> str:
    """Text that ends its last line; nothing stays nothing."""
    return text if not text or text.endswith("\n") else text + "\n"
