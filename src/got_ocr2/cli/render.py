"""`got-ocr2 render`."""

from __future__ import annotations

import sys
from pathlib import Path

from ..errors import FileAccessError, GotOcr2Error, InputError, InvalidOptionError
from ..wording import printable, reason
from .options import rendering as own
from .options import shared
from .output.files import Job, check_apart
from .output.terminal import StdoutError, note, stdin_bytes
from .output.writing import check_new, write_whole


def render(
    file: own.File,
    to: own.To,
    kind: own.Kind = "auto",
    plain: own.Plain = False,
    strict: own.Strict = False,
    output: own.Output = None,
    force: shared.Force = False,
    quiet: own.Quiet = False,
) -> int:
    """Write text that was read as files that other programs open.

    Any text of the model will do, whoever ran it. What is wrong with it is said on standard error, with its line,
    and the file shows what could be made of it.
    """
    from ..rendering import render as render_text
    from ..rendering.kinds import kind_of
    from ..rendering.registry import formats_of, writer

    formats = formats_of(to)
    text = _text(file)
    kind = kind_of(text) if kind == "auto" and not plain else "page" if kind == "auto" else kind
    options = {"plain": True} if plain else {}
    if plain and kind != "page":
        raise InvalidOptionError(f"--plain is about pages, got --kind {kind}.")
    for name in formats:
        writer(kind, name)  # what cannot be written is refused before anything is
    stem = "stdin" if file == "-" else Path(file).stem
    targets = _targets(formats, output, stem)
    check_apart([Job(file, target) for target in targets])
    if not force:
        check_new(targets)
    codes: set[int] = set()
    said: set[str] = set()
    for name, target in zip(formats, targets, strict=True):
        try:
            done = render_text(text, name, kind, strict=strict, **options)
        except GotOcr2Error as e:
            note(f"{printable(file)}: {e}")
            codes.add(e.exit_code)
            continue
        for problem in done.problems:
            if not quiet and str(problem) not in said:
                said.add(str(problem))
                note(f"{printable(file)}, {problem}.")
        if target is None:
            _to_stdout(done.data, binary=not _is_text(name))
        else:
            write_whole(target, done.data, "replace" if force else "refuse")
    return codes.pop() if len(codes) == 1 else GotOcr2Error.exit_code if codes else 0


def _text(file: str) -> str:
    """The text of a file or of standard input.

    Raises:
        FileAccessError: the file is missing or may not be read.
        InputError: it is not UTF-8.
    """
    try:
        data = stdin_bytes() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as e:
        raise FileAccessError(f"{printable(file)} cannot be read: {reason(e)}.") from e
    except UnicodeDecodeError as e:
        raise InputError(f"{printable(file)} is not UTF-8 text: {reason(e)}.") from e


def _targets(formats: list[str], output: str | None, stem: str) -> list[Path | None]:
    """The file for each format; None for standard output.

    Raises:
        InvalidOptionError: several formats and no folder for them.
    """
    from ..rendering import FORMATS

    if output is None or output == "-":
        if len(formats) > 1:
            raise InvalidOptionError(
                f"{len(formats)} formats cannot all go to standard output; name a folder with --output."
            )
        return [None]
    path = Path(output)
    if len(formats) == 1 and not path.is_dir() and not output.endswith("/"):
        return [path]
    if path.exists() and not path.is_dir():
        raise InvalidOptionError(f"{printable(path)} is a file, but a folder is needed for several formats.")
    return [path / f"{stem}{FORMATS[name].suffix}" for name in formats]


def _is_text(name: str) -> bool:
    from ..rendering import FORMATS

    return FORMATS[name].textual


def _to_stdout(data: bytes, *, binary: bool) -> None:
    if binary and sys.stdout.isatty():
        raise InvalidOptionError("A file that is not text does not go to a terminal; name it with --output.")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, AttributeError) as e:  # closed streams have no buffer
        raise StdoutError(f"Standard output cannot be written: {reason(e)}.") from e
