"""The commands of docs/reading.md run as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from got_ocr2.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
BLOCKS, PYTHON = (re.findall(rf"```{language}\n(.*?)```", PAGE, re.S) for language in ("sh", "python"))
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]


@pytest.mark.slow
def test_the_commands_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) >= 8
    for line in COMMANDS:
        program, *words = shlex.split(line, comments=True)
        target = words.pop() if ">" in words else None
        words = [word for word in words if word != ">"]
        assert program == "got-ocr2"
        assert main(words) == 0, line
        out = capsys.readouterr().out
        assert out.strip(), line
        if target is not None:
            Path(target).write_text(out, encoding="utf-8")


@pytest.mark.slow
def test_the_python_runs(monkeypatch):
    (code,) = [block for block in PYTHON if "examples/" in block]
    monkeypatch.chdir(ROOT)
    exec(code, {})
