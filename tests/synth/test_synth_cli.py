"""The command: data sets, contact sheets, one sentence for what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from got_ocr2.cli import main, synth
from got_ocr2.synth.registry import KINDS


def run(*arguments: object) -> int:
    return main(["synth", *map(str, arguments)])


def test_every_kind_has_a_command_with_a_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    assert set(synth.ABOUT) == set(KINDS)
    for kind in (*KINDS, "preview", "pack"):
        assert f" {kind} " in shown


def test_a_data_set_is_written_and_continued(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    assert run("negative", "--count", 2, "--out", out, "--seed", 5, "--degrade", 0.5) == 0
    assert run("negative", "-n", 3, "-o", out, "--seed", 5, "--degrade", 0.5, "--conversations") == 0
    rows = [json.loads(line) for line in (out / "data.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["negative-000000", "negative-000001", "negative-000002"]
    assert len(json.loads((out / "conversations.json").read_text("utf-8"))) == 3
    assert "3 samples" in capsys.readouterr().err


def test_an_interrupted_run_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from got_ocr2.synth import dataset

    draw, drawn = dataset._draw, []

    def interrupted(*arguments) -> str:
        if len(drawn) == 2:
            raise KeyboardInterrupt
        drawn.append(arguments)
        return draw(*arguments)

    monkeypatch.setattr(dataset, "_draw", interrupted)
    assert run("negative", "-n", 5, "-o", tmp_path / "set") == 130
    assert "Stopped at 2 of 5 samples" in capsys.readouterr().err


def test_contact_sheets_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run("preview", "--out", tmp_path / "sheets", "--kind", "negative", "--kind", "text", "--count", 2)
        == 0
    )
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == ["negative.png", "text.png"]
    assert capsys.readouterr().out.count(".png") == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("poem", "-n", 1, "-o", "x"), "poem"),
        (("negative", "-o", "x"), "--count"),
        (("negative", "-n", -1, "-o", "x"), "-1"),
        (("text", "-n", 1, "-o", "x", "--language", "tlh"), "tlh"),
        (("text", "-n", 1, "-o", "x", "--split", "dev"), "dev"),
        (("negative", "-n", 1, "-o", "x", "--degrade", 3), "3"),
        (("negative", "-n", 1, "-o", "x", "--workers", 0), "0 workers"),
        (("negative", "-n", 1, "-o", "x", "--seed", -7), "-7"),
        (("preview", "-o", "x", "--kind", "poem"), "poem"),
        (("preview", "-o", "x", "--kind", "negative", "--count", 0), "0 samples"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: tuple[object, ...], named: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 1
    said = capsys.readouterr().err
    assert named in said
    assert said.count("\n") == 1
    assert not (tmp_path / "x").exists()
