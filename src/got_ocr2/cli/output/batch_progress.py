"""How a run of many documents goes, on one line of standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from .terminal import note

if TYPE_CHECKING:
    from ...cluster.progress import Progress

_EVERY_TERMINAL, _EVERY_LOG = 0.2, 60.0  # seconds between two lines of progress


class ProgressLine:
    """One line of progress: rewritten on a terminal, a new one every minute elsewhere."""

    def __init__(self, *, shown: bool) -> None:
        """Args:
        shown: whether there is one at all; notes are written without, too.
        """
        self._shown = shown
        self._terminal = sys.stderr.isatty()
        self._last = time.monotonic() - (_EVERY_TERMINAL if self._terminal else 0.0)

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def show(self, progress: Progress) -> None:
        """The numbers, if it is time."""
        now = time.monotonic()
        if not self._shown or now - self._last < (_EVERY_TERMINAL if self._terminal else _EVERY_LOG):
            return
        self._last = now
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{progress.line()}")
            sys.stderr.flush()
        else:
            note(progress.line())

    def note(self, text: str) -> None:
        """A line that stays, above the line of progress."""
        self._clear()
        note(text)

    def _clear(self) -> None:
        if self._shown and self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
