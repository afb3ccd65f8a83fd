"""Standard input, output and error in every state: a sentence or silence, the right exit code, no traceback."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX shells and devices")

# The command with a model whose answer is the size of the page.
SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from fake_ocr import fake_ocr
from got_ocr2.ocr import OCR
OCR.from_pretrained = lambda *a, **o: fake_ocr()
from got_ocr2.cli import main
sys.exit(main(sys.argv[1:]))
"""
STATES = {"open": "", "closed": "{n}>&-", "full": "{n}>/dev/full"}


def shell(command: str, *arguments: object, script: str = SCRIPT) -> subprocess.CompletedProcess:
    script = script.format(tests=os.path.dirname(os.path.dirname(__file__)))
    words = ["bash", "-c", f'"$0" -c "$1" "${{@:2}}" {command}', sys.executable, script]
    return subprocess.run([*words, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("out", "err"), list(itertools.product(STATES, STATES)))
@pytest.mark.parametrize("to_file", [False, True])
def test_output_and_error_in_every_state(picture, tmp_path, out, err, to_file):
    if "full" in (out, err) and not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    states = f"{STATES[out].format(n=1)} {STATES[err].format(n=2)}"
    missing = tmp_path / "missing.png"
    target = ["-o", tmp_path / "out"] if to_file else []
    ran = shell(f"{states} <&-", "read", picture("a.png", 60, 40), missing, *target)
    assert ran.returncode == 5  # both for the missing file and for an output that is closed or full
    assert ran.stdout == ("60x40\n" if out == "open" and not to_file else "")
    lost = not to_file and out != "open"
    said = {"closed": "Standard output is closed", "full": "Standard output cannot be written: No space left"}
    assert ("Traceback" in ran.stderr, "Exception" in ran.stderr) == (False, False)
    if err == "open":
        assert ran.stderr.count("\n") == 1
        assert (said[out] if lost else "missing.png does not exist") in ran.stderr
    else:
        assert ran.stderr == ""
    if to_file:
        assert (tmp_path / "out" / "a.txt").read_text() == "60x40\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "code", "said"),
    [
        ("<&-", 5, "Standard input is closed"),
        ("</dev/null", 2, "<stdin> is empty (0 bytes)"),
        ("0>/dev/null", 5, "Standard input cannot be read"),
    ],
)
def test_input_in_every_state(state, code, said):
    ran = shell(state, "read", "-")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (code, "", 1)
    assert said in ran.stderr


@pytest.mark.parametrize("state", ["closed", "full"])
def test_help_that_nobody_can_read(state):
    ran = shell(STATES[state].format(n=1), "--version", script="from got_ocr2.cli import main\nexit(main())")
    assert ran.returncode == 5
    assert (ran.stderr.count("\n"), "Standard output" in ran.stderr) == (1, True)


def test_all_streams_closed_still_writes_files(picture, tmp_path):
    ran = shell("<&- >&- 2>&-", "read", picture("a.png", 60, 40), "-o", tmp_path / "a.txt")
    assert (ran.returncode, (tmp_path / "a.txt").read_text()) == (0, "60x40\n")


def test_an_error_stream_whose_reader_went_away(tmp_path):
    ran = shell("2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}", "read", tmp_path / "none.png")
    assert ran.returncode == 5


def test_lines_of_c_libraries_are_dropped_and_ours_are_not(tmp_path):
    code = (
        "import os, sys\nfrom got_ocr2.cli.output.terminal import note, quiet_libraries\n"
        "note('before')\nwith quiet_libraries():\n    os.write(2, b'libtiff: nonsense')\n    note('ours')\n"
        "os.write(2, b'after')"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GOT_OCR2_TRACEBACK"}
    for more, expected in (
        ({}, "before\nours\nafter"),
        ({"GOT_OCR2_TRACEBACK": "1"}, "before\nlibtiff: nonsenseours\nafter"),
    ):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**environment, **more},
        )
        assert ran.stderr == expected
