"""Standard output and standard error: UTF-8, one line a message, and never mixed up with a progress bar."""

from __future__ import annotations

import io
import sys

# Escape sequences in the text of a page must not drive the terminal.
_CONTROL = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def prepare_streams() -> None:
    """Makes a pipe or file UTF-8 everywhere, and keeps a terminal from failing on a character it lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def note(message: str) -> None:
    """Writes one line to standard error; a progress bar that is shown stays below it."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def visible(text: str) -> str:
    """Text that is safe to show: control characters other than tab and newline become U+FFFD."""
    return text.translate(_CONTROL)
