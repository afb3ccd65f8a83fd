"""Pages read line by line before a larger model reads them whole: for a draft of its text, and for places."""

from __future__ import annotations

from collections.abc import Sequence

from ..documents import Page
from ..results import PageResult
from .lines.line_writer import LineWriter
from .options import ReadOptions
from .page_loading import Unit


class FirstReading:
    """Reads pages with a reader of lines, in the thread that asks."""

    def __init__(self, writer: LineWriter) -> None:
        """Takes what submits the lines; its engine may be another than the larger model's."""
        self._writer = writer

    def read(self, pages: Sequence[Page]) -> list[PageResult]:
        """A result for each page, with lines and words that have places.

        Raises:
            Exception: whatever the first page that could not be read failed with.
        """
        return [self._read(page) for page in pages]

    def _read(self, page: Page) -> PageResult:
        engine = self._writer.engine
        reading = self._writer.begin(Unit((page,)), engine)
        try:
            while not reading.go_on():
                reading.new_text()  # nobody reads along
                engine.wait(lambda: reading.grown)
        except BaseException:
            reading.cancel()
            raise
        return reading.result()


def first_options(options: ReadOptions) -> ReadOptions:
    """What is asked of the reader of lines: the same part of the page, in the same time."""
    return ReadOptions(box=options.box, color=options.color, deadline=options.deadline)
