"""Standard output and standard error: UTF-8, one line a message, and never mixed up with a progress bar."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress

from ...errors import FileAccessError
from ...wording import reason

# Escape sequences in the text of a page must not drive the terminal.
_CONTROL = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


class StdoutError(FileAccessError):
    """What was read cannot be given out any more, so that going on makes no sense."""


class _ClosedOutput(io.TextIOBase):
    """Takes the place of a standard output that was closed before the program began."""

    def write(self, text: str) -> int:
        raise StdoutError("Standard output is closed; name a file with --output.")


class _CheckedOutput(io.TextIOWrapper):
    """Standard output whose failures can be told from those of files, whoever writes to it."""

    def write(self, text: str, /) -> int:
        with _as_stdout_error():
            return super().write(text)

    def flush(self) -> None:
        with _as_stdout_error():
            super().flush()


@contextmanager
def _as_stdout_error() -> Generator[None]:
    try:
        yield
    except (BrokenPipeError, StdoutError):
        raise
    except OSError as e:
        raise StdoutError(f"Standard output cannot be written: {reason(e)}.") from e


@contextmanager
def checked_stdout() -> Generator[None]:
    """While this lasts, a standard output that cannot be written raises `StdoutError`."""
    stream = sys.stdout
    if stream is not sys.__stdout__ or not isinstance(stream, io.TextIOWrapper):
        yield  # somebody has put another stream there
        return
    own = _CheckedOutput(
        stream.buffer,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    sys.stdout = own
    try:
        yield
    finally:
        sys.stdout = stream
        with suppress(OSError, ValueError):
            own.detach()


def prepare_streams() -> None:
    """Makes a pipe or file UTF-8 everywhere, keeps a terminal from failing on a character it lacks, and replaces
    streams that are closed: the next file to be opened would take their numbers, and what is written to them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    # What a shell closes, Python sets to None.
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stdout = _ClosedOutput()
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")


@contextmanager
def quiet_libraries() -> Generator[None]:
    """While this lasts, lines that C libraries (libtiff, PDFium ...) print to standard error themselves are dropped.

    They write to file number 2; Python's own messages go to a copy of it. With GOT_OCR2_TRACEBACK set, nothing is
    dropped.
    """
    stream = sys.stderr
    if os.environ.get("GOT_OCR2_TRACEBACK") or not isinstance(stream, io.TextIOWrapper) or stream.closed:
        yield
        return
    try:
        usual = stream.fileno() == 2
    except OSError:
        usual = False
    if not usual:  # somebody has put another stream there already
        yield
        return
    stream.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    own = io.TextIOWrapper(
        open(kept, "wb", closefd=False),  # noqa: SIM115
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=True,
    )
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = own
    try:
        yield
    finally:
        sys.stderr = stream
        with suppress(OSError):
            own.flush()
        os.dup2(kept, 2)
        os.close(kept)


def note(message: str) -> None:
    """Writes one line to standard error; a progress bar that is shown stays below it.

    Where nobody listens any more, there is nobody to tell it.
    """
    with suppress(OSError, ValueError):
        sys.stderr.write(message + "\n")
        sys.stderr.flush()


def put(text: str) -> None:
    """Writes to standard output, at once.

    Raises:
        BrokenPipeError: the reader of a pipe went away.
        StdoutError: it is closed, or the disk behind it is full.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (BrokenPipeError, StdoutError):
        raise
    except (OSError, ValueError) as e:
        raise StdoutError(f"Standard output cannot be written: {reason(e)}.") from e


def stdin_bytes() -> bytes:
    """All of standard input.

    Raises:
        FileAccessError: it is closed.
        OSError: it cannot be read.
    """
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise FileAccessError("Standard input is closed; there is nothing to read from it.")
    return sys.stdin.buffer.read()


def drop_stdout() -> None:
    """What is still buffered has nowhere to go, and must not raise again when Python ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        sys.stdout.flush()


def visible(text: str) -> str:
    """Text that is safe to show: control characters other than tab and newline become U+FFFD."""
    return text.translate(_CONTROL)
