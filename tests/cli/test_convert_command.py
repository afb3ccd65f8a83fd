from __future__ import annotations

from pathlib import Path

import pytest

import got_ocr2.conversion
from got_ocr2.cli import main


def test_options_reach_the_conversion(monkeypatch, capsys):
    asked = []

    def convert(*args: object, **options: object) -> Path:
        asked.append((args, options))
        return Path("there")

    monkeypatch.setattr(got_ocr2.conversion, "convert", convert)
    assert (
        main(["convert", "a/b", "c", "--dtype", "float16", "--max-shard-size", "1MB", "--revision", "x"]) == 0
    )
    options = {"dtype": "float16", "dialect": None, "max_shard_size": "1MB", "revision": "x"}
    assert asked == [(("a/b", "c"), {**options, "int4_pages": ()})]
    assert main(["convert", "a", "b", "--int4-pages", "x.png", "--int4-pages", "scans/*.png"]) == 0
    assert asked[1][1]["int4_pages"] == ["x.png", "scans/*.png"]
    assert capsys.readouterr() == ("there\nthere\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["convert"], 1, "Missing argument"),
        (["convert", "a", "b", "--dialect", "french"], 1, "--dialect must be hf or original, got 'french'"),
        (["convert", "/nowhere/at/all", "b"], 2, "/nowhere/at/all"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(capsys, monkeypatch, tmp_path, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
