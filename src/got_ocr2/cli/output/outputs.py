"""What becomes of results: text on a terminal, text or JSON lines in a pipe, files."""

from __future__ import annotations

from contextlib import suppress

from ...results import DocumentResult, PageResult
from ...wording import printable
from .files import Job, free_partial
from .terminal import note, put, visible
from .writing import Existing, is_own_partial, is_stream, marked_partial, write_whole


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
            put("\n")
        self._new_page = False
        put(visible(text))
        self._last = text[-1]

    def page(self, result: PageResult) -> None:
        if not self._new_page and self._last != "\n":
            put("\n")
            self._last = "\n"
        self._new_page = True


class PipedText(Output):
    """Text comes page by page; an empty line stands between two pages."""

    def __init__(self) -> None:
        self._anything = False

    def page(self, result: PageResult) -> None:
        if result.text:
            put("\n" * self._anything + _ended(result.text))
            self._anything = True


class JsonLines(Output):
    """One JSON object a document, each on one line."""

    def document(self, job: Job, result: PageResult | DocumentResult) -> None:
        put(result.to_json() + "\n")


class Files(Output):
    """One file a document, with `.partial` in its name if a page failed; no file where nothing was read."""

    def __init__(self, *, json: bool, verbose: bool, existing: Existing = "refuse") -> None:
        self._json = json
        self._verbose = verbose
        self._existing: Existing = existing

    def document(self, job: Job, result: PageResult | DocumentResult) -> None:
        assert job.target is not None
        assert job.partial is not None
        failed = result.status == "failed"
        if failed and not self._json and not result.text:
            return
        if is_stream(job.target) or not failed:
            path, existing = job.target, self._existing
        else:
            # What this program wrote there for an earlier run is replaced, and nothing else.
            path, existing = free_partial(job.partial), "replace"
        text = result.to_json(indent=2) + "\n" if self._json else _ended(result.text)
        if path != job.target and not self._json:
            text = marked_partial(text, _missing(result))
        write_whole(path, text, existing)
        if not failed and is_own_partial(job.partial):  # of an earlier run
            with suppress(OSError):
                job.partial.unlink()
        if self._verbose:
            note(f"Wrote {printable(path)}.")


def _missing(result: PageResult | DocumentResult) -> str:
    """Which pages could not be read."""
    pages = result.pages if isinstance(result, DocumentResult) else (result,)
    numbers = [str(number) for page in pages if page.error is not None for number in page.page_numbers]
    return f"page {numbers[0]} is missing" if len(numbers) == 1 else f"pages {', '.join(numbers)} are missing"


def _ended(text: str) -> str:
    """Text that ends its last line; nothing stays nothing."""
    return text if not text or text.endswith("\n") else text + "\n"
