"""`got-ocr2 evaluate` from its arguments to its exit code."""

import json
from pathlib import Path

import pytest
from PIL import Image

from fake_ocr import fake_ocr
from got_ocr2.cli import main
from got_ocr2.errors import InputError
from got_ocr2.ocr import OCR


@pytest.fixture
def folder(tmp_path):
    """Two pictures whose right text is their size, as the stand-in reads it, and one with another text."""
    for name, size, text in (("a", (50, 20), "50x20"), ("b", (60, 30), "60x30"), ("c", (70, 40), "70x41")):
        image = Image.new("RGB", size, "white")
        image.putpixel((9, 9), (0, 0, 0))  # or the larger ones would be blank pages
        image.save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.txt").write_text(text + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def opened(monkeypatch):
    """What `OCR.from_pretrained` was called with; it gives the stand-in."""
    calls = []

    def from_pretrained(model=None, **options):
        calls.append((model, options))
        return fake_ocr()

    monkeypatch.setattr(OCR, "from_pretrained", staticmethod(from_pretrained))
    return calls


def test_scores_go_to_standard_output(folder, opened, capsys):
    assert main(["evaluate", "default", str(folder)]) == 0
    out, err = capsys.readouterr()
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0] == ["group", "metric", "value", "low", "high", "pages"]
    assert rows[1][:3] == ["text", "cer", "0.0667"]
    assert rows[1][5] == "3"
    assert err == ""
    assert opened == [(None, {"device": "auto", "dtype": "auto"})]


def test_json_report_and_limit(folder, opened, capsys, tmp_path):
    report = tmp_path / "report"
    command = [
        "evaluate",
        "some/model",
        str(folder),
        "-o",
        str(report),
        "--json",
        "--limit",
        "2",
        "--device",
        "cpu",
    ]
    assert main(command) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert (data["model"], data["pages"], data["pages_in_set"]) == ("some/model", 2, 3)
    assert data["groups"]["text"]["exact"]["value"] == 1
    assert err == f"Report: {report / 'report.md'}\n"
    assert opened[0] == ("some/model", {"device": "cpu", "dtype": "auto"})
    assert main(command) == 1
    assert "--force replaces it" in capsys.readouterr().err
    assert len(opened) == 1, "nothing is read when the report cannot be written"
    assert main([*command, "--force"]) == 0


def test_a_page_that_fails_is_named_and_the_exit_code_says_so(folder, monkeypatch, capsys):
    ocr = fake_ocr(lambda pages: InputError("It is wet.") if pages[0].width == 60 else "x")
    monkeypatch.setattr(OCR, "from_pretrained", staticmethod(lambda *_, **__: ocr))
    assert main(["evaluate", "default", str(folder)]) == 15
    assert capsys.readouterr().err == "b: It is wet.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--level", "page"], 1, "--level must be word or character"),
        (["--layout", "heap"], 1, "The layout is 'heap'"),
        (["--limit", "0"], 1, "limit"),
        (["--layout", "jsonl"], 5, "data.jsonl cannot be read"),
    ],
)
def test_wrong_arguments(folder, opened, capsys, arguments, code, said):
    assert main(["evaluate", "default", str(folder), *arguments]) == code
    assert said in capsys.readouterr().err
    assert not opened


def test_a_missing_folder(capsys, opened):
    assert main(["evaluate", "default", "/nowhere"]) == 5
    assert "There is no folder /nowhere" in capsys.readouterr().err


def test_the_examples_are_a_data_set(opened, capsys):
    examples = Path(__file__).parents[2] / "examples"
    assert main(["evaluate", "default", str(examples), "--json"]) == 0
    pictures = [path for path in examples.iterdir() if path.suffix in (".png", ".jpg")]
    assert json.loads(capsys.readouterr().out)["pages"] == len(pictures)
