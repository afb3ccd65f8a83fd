"""From `sys.argv` to a command, and from what goes wrong to one sentence and an exit code."""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from .. import __version__
from ..errors import GotOcr2Error, InvalidOptionError
from ..wording import reason
from .commands import COMMANDS, Command
from .output.terminal import StdoutError, checked_stdout, drop_stdout, note, prepare_streams, quiet_libraries

# They open documents of the user's, so that lines which C libraries print about them are dropped. Other commands keep
# such lines: what CUDA or a worker prints when training fails is needed.
READS = {"evaluate", "layout", "read", "render"}
IMPLIED = {"--ray": "auto"}  # options whose value may be left out, which typer has not
INTERRUPTED = 130  # 128 + SIGINT, as shells count
PIPE_CLOSED = 141  # 128 + SIGPIPE

EXIT_CODES = (
    "Exit codes: 0 everything was read; 1 wrong arguments; 2 bad input; 3 a missing dependency; 4 the model "
    "repeated itself and a text was cut; 5 a file cannot be reached; 8 a password is needed; 15 anything else, or "
    "several of these; 130 interrupted; 141 the reader of the output went away."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `got-ocr2`; never raises.

    Args:
        arguments: without the program's name; `sys.argv[1:]` when None.

    Returns:
        The exit code.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    prepare_streams()
    with checked_stdout(), warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            code = _run(arguments or ["--help"])
            sys.stdout.flush()
        except BrokenPipeError:
            return _pipe_closed()
        except StdoutError as e:  # the last words did not fit on the disk
            drop_stdout()
            note(str(e))
            return e.exit_code
    return code


def _run(arguments: list[str]) -> int:
    command = next((c for c in COMMANDS if c.name == arguments[0]), None)
    app, name = (_root(), "got-ocr2") if command is None else (_app(command), f"got-ocr2 {command.name}")
    rest = arguments if command is None else with_implied(arguments[1:])
    import typer

    try:
        with quiet_libraries() if command is not None and command.name in READS else nullcontext():
            code = app(args=rest, prog_name=name, standalone_mode=False)
    except KeyboardInterrupt:
        return _interrupted()
    except typer.Abort:
        return _interrupted()
    except BrokenPipeError:
        raise
    except GotOcr2Error as e:
        if isinstance(e, StdoutError):
            drop_stdout()
        note(str(e))
        return e.exit_code
    except Exception as e:
        # typer's usage errors have had several homes; what they share is this method.
        usage = getattr(e, "format_message", None)
        if usage is not None:
            said = " ".join(usage().split()).rstrip(".")
            note(f"{said}; see {name} --help.")
            return InvalidOptionError.exit_code
        hint = "; set GOT_OCR2_TRACEBACK=1 to see where it comes from"
        if os.environ.get("GOT_OCR2_TRACEBACK"):
            traceback.print_exc()
            hint = ""
        note(f"got-ocr2 did not expect this error: {type(e).__name__}: {reason(e)}{hint}.")
        return GotOcr2Error.exit_code
    return code if isinstance(code, int) else 0


def with_implied(words: Sequence[str]) -> list[str]:
    """The same words with the values of options that stand without one: last, or before another option."""
    found: list[str] = []
    for word, following in zip(words, [*words[1:], "-"], strict=False):
        found.append(word)
        if word in IMPLIED and following.startswith("-"):
            found.append(IMPLIED[word])
    return found


def _root() -> Any:
    """The app that knows `--version` and `--help`, and each command by name and line."""
    import typer

    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show_version(asked: bool) -> None:
        if asked:
            typer.echo(f"got-ocr2 {__version__}")
            raise typer.Exit

    @app.callback(help="GOT-OCR2: reads pages, formulas, tables, music and more.", epilog=EXIT_CODES)
    def root(
        version: bool = typer.Option(
            False, "--version", help="Show the version.", is_eager=True, callback=show_version
        ),
    ) -> None: ...

    for command in COMMANDS:
        app.command(command.name, help=command.help)(_nothing)
    return app


def _nothing() -> None:
    """Stands for a command in the list; `_run` goes to the real one before."""


def _app(command: Command) -> Any:
    import typer

    target = command.load()
    if isinstance(target, typer.Typer):
        return target
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    # typer keeps the line breaks of a docstring, where they mean nothing.
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.getdoc(target) or "")
    app.command(command.name, help=text, epilog=EXIT_CODES)(_guarded(target))
    return app


def _guarded(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """Ends interrupted and unwanted work here, because versions of typer each do it in their own way."""

    @functools.wraps(function)
    def guarded(*args: Any, **options: Any) -> int | None:
        try:
            return function(*args, **options)
        except KeyboardInterrupt:
            return _interrupted()
        except BrokenPipeError:
            return _pipe_closed()

    return guarded


def _interrupted() -> int:
    note("\nInterrupted." if sys.stdout.isatty() else "Interrupted.")
    return INTERRUPTED


def _pipe_closed() -> int:
    drop_stdout()
    return PIPE_CLOSED


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    note(f"warning: {message}")
