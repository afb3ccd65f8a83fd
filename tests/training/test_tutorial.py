"""The fine-tuning tutorial of docs/training.md, its own lines with fewer pictures and steps."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from got_ocr2.cli import main
from got_ocr2.training.records.log import read_log

ROOT = Path(__file__).parents[2]
SMALLER = {"--count": "4", "--steps": "4", "--batch-size": "2", "--learning-rate": "5e-5"}


def lines() -> list[list[str]]:
    """The words of each command of the tutorial."""
    page = (ROOT / "docs/training.md").read_text("utf-8")
    section = page[page.index("### Minutes") :]
    found = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return [shlex.split(line) for line in found[1].splitlines() if line]


def test_the_tutorial_runs_and_the_held_out_loss_falls(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    ran: list[str] = []
    for words in lines():
        for option, value in SMALLER.items():
            if option in words:
                words[words.index(option) + 1] = value
        if words[0] == "python":
            monkeypatch.setattr("sys.argv", words[1:])
            runpy.run_path(words[1], run_name="__main__")
        else:
            assert words[0] == "got-ocr2"
            fewer = {"evaluate": ["--limit", "2", "--max-new-tokens", "4"], "finetune": ["--workers", "0"],
                     "read": ["--max-new-tokens", "4"]}  # fmt: skip
            assert main([*words[1:], *fewer[words[1]]]) == 0, capsys.readouterr().err
            ran.append(words[1])
    assert ran == ["evaluate", "finetune", "evaluate", "read"]
    held = [row["held_out_loss"] for row in read_log(tmp_path / "run" / "training") if "held_out_loss" in row]
    assert held[-1] < 0.98 * held[0]
    assert (tmp_path / "run" / "log.png").is_file()
