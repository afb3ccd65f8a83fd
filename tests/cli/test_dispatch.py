from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from importlib import import_module

import pytest
import typer

import got_ocr2
from got_ocr2.cli import commands, dispatch
from got_ocr2.cli.commands import COMMANDS, Command
from got_ocr2.errors import MissingDependencyError

HEAVY = ("torch", "numpy", "PIL", "tokenizers", "huggingface_hub", "pypdfium2", "safetensors", "transformers")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["read", "--help"], ["nonsense"], ["read"]])
def test_nothing_heavy_is_imported_before_it_is_needed(arguments):
    code = (
        "import sys\nfrom got_ocr2.cli import main\n"
        f"code = main({arguments!r})\n"
        f"sys.stderr.write('heavy: ' + ' '.join(set({HEAVY!r}) & set(sys.modules)))\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith("heavy: ")
    assert done.returncode == (1 if arguments in (["nonsense"], ["read"]) else 0)


def test_importing_the_command_line_does_not_even_import_typer():
    code = "import sys, got_ocr2.cli; sys.exit('typer' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "got_ocr2", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"got-ocr2 {got_ocr2.__version__}\n")


def test_help_lists_every_command_and_the_exit_codes(cli):
    for arguments in ([], ["--help"], ["-h"]):
        ran = cli(*arguments)
        assert (ran.code, ran.err) == (0, "")
        assert all(command.name in ran.out for command in COMMANDS)
        assert "130 interrupted" in " ".join(ran.out.split())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_of_the_table_exists_and_explains_itself(cli, command):
    command.load()
    ran = cli(command.name, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"got-ocr2 {command.name}" in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["--nonsense"], "No such option"),
        (["read"], "Missing argument"),
        (["read", "x", "--nonsense"], "No such option"),
        (["read", "x", "--max-patches", "0"], "whole number >= 1, got '0'"),
        (["read", "x", "--max-patches", "many"], "whole number >= 1, got 'many'"),
        (["read", "x", "--dpi", "nan"], "number above 0, got 'nan'"),
        (["read", "x", "--output"], "requires an argument"),
    ],
)
def test_wrong_arguments_are_one_sentence_and_exit_1(cli, arguments, message):
    ran = cli(*arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert message in ran.err
    assert "--help." in ran.err


@pytest.fixture
def command(monkeypatch):
    """Puts a function or `typer.Typer` into the table as the command `try`."""

    def put(target) -> None:
        module = import_module("got_ocr2.cli.commands")
        monkeypatch.setattr(module, "target_of_a_test", target, raising=False)
        monkeypatch.setattr(dispatch, "COMMANDS", (Command("try", "commands:target_of_a_test", "Tries."),))

    assert commands.COMMANDS is COMMANDS
    return put


def raises(error: BaseException):
    def target() -> None:
        """Raises."""
        raise error

    return target


@pytest.mark.parametrize(
    ("target", "code", "err"),
    [
        (lambda: None, 0, ""),
        (lambda: 7, 7, ""),
        (raises(MissingDependencyError("Install got-ocr2[x].")), 3, "Install got-ocr2[x].\n"),
        (raises(KeyboardInterrupt()), 130, "Interrupted.\n"),
        (raises(typer.Abort()), 130, "Interrupted.\n"),
        (raises(typer.Exit(4)), 4, ""),
    ],
)
def test_what_a_command_ends_with_becomes_the_exit_code(cli, command, target, code, err):
    command(target)
    ran = cli("try")
    assert (ran.code, ran.out, ran.err) == (code, "", err)


def test_an_unexpected_error_is_one_sentence_with_a_way_to_see_more(cli, command, monkeypatch):
    command(raises(ZeroDivisionError("by zero")))
    ran = cli("try")
    assert (ran.code, ran.err.count("\n")) == (15, 1)
    assert "ZeroDivisionError: by zero" in ran.err
    assert "Traceback" not in ran.err
    monkeypatch.setenv("GOT_OCR2_TRACEBACK", "1")
    assert "Traceback" in cli("try").err


def test_a_disk_that_is_full_elsewhere_is_not_blamed_on_standard_output(cli, command):
    command(raises(OSError(errno.ENOSPC, "No space left on device")))
    ran = cli("try")
    assert (ran.code, "Standard output" in ran.err, "No space left" in ran.err) == (15, False, True)


def test_warnings_are_one_line(cli, command):
    def warns() -> None:
        import warnings

        warnings.simplefilter("always")
        warnings.warn("mind the gap", stacklevel=1)

    command(warns)
    ran = cli("try")
    assert (ran.code, ran.err) == (0, "warning: mind the gap\n")


def test_a_command_may_have_commands_of_its_own(cli, command):
    app = typer.Typer(add_completion=False)

    @app.command()
    def one() -> int:
        return 1

    @app.command()
    def two() -> None:
        raise MissingDependencyError("Install two.")

    command(app)
    assert cli("try", "one").code == 1
    assert cli("try", "two").code == 3
    assert "got-ocr2 try" in cli("try", "--help").out
    assert cli("try", "three").code == 1


# --- in a process of its own ----------------------------------------------------------------------------

SCRIPT = """
import signal, sys, time
# A run in the background may have inherited "ignore"; a person's terminal does not.
signal.signal(signal.SIGINT, signal.default_int_handler)
from got_ocr2.cli import commands, dispatch
def target() -> None:
    {body}
commands.target = target
dispatch.COMMANDS = (commands.Command("try", "commands:target", "Tries."),)
sys.exit(dispatch.main(["try"]))
"""


def process(body: str, **options) -> subprocess.Popen:
    command = [sys.executable, "-c", SCRIPT.format(body=body)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
@pytest.mark.parametrize(
    "body", ["while True: print('words')", "print('words', flush=True); print('w' * 10**6)"]
)
def test_a_reader_that_goes_away_ends_the_work_quietly(body):
    with process(body) as run:
        assert run.stdout.read(5) == b"words"
        run.stdout.close()
        assert (run.wait(), run.stderr.read()) == (141, b"")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_control_c_ends_without_a_traceback():
    with process("print('working', flush=True); time.sleep(600)") as run:
        assert run.stdout.readline() == b"working\n"
        run.send_signal(signal.SIGINT)
        assert run.communicate() == (b"", b"Interrupted.\n")
        assert run.returncode == 130


def test_text_in_a_pipe_is_utf_8_whatever_the_locale():
    environment = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with process("print(chr(0x65E5) + chr(0xE9))", env=environment) as run:
        out, err = run.communicate()
    assert (out.decode("utf-8").strip(), err, run.returncode) == ("日é", b"", 0)


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        (["in", "-o", "out", "--ray"], ["in", "-o", "out", "--ray", "auto"]),
        (["in", "--ray", "--resume"], ["in", "--ray", "auto", "--resume"]),
        (["--ray", "10.0.0.1:6379", "in"], ["--ray", "10.0.0.1:6379", "in"]),
        (["--ray=here", "in"], ["--ray=here", "in"]),
        ([], []),
    ],
)
def test_a_cluster_without_an_address_is_the_one_that_is_known(given, understood):
    assert dispatch.with_implied(given) == understood
