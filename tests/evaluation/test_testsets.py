"""The frozen test sets: all of them open, every picture is there, nothing of training is in them; and their report."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from fake_ocr import fake_ocr
from got_ocr2.evaluation import load_dataset
from got_ocr2.synth.corpora.catalog import corpora

ROOT = Path(__file__).parents[2]
SETS = sorted(path.parent for path in (ROOT / "testsets").glob("*/data.jsonl"))


def script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"benchmarks/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for their annotations
    spec.loader.exec_module(module)
    return module


def test_every_kind_has_a_small_set():
    kinds = {page.kind for folder in SETS for page in load_dataset(folder, "jsonl").pages}
    assert kinds == {
        "text", "region", "multipage", "crop", "formula", "table", "page", "molecule", "music", "geometry", "chart",
        "negative",
    }  # fmt: skip
    files = [file for folder in SETS for file in folder.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 6 * 2**20
    named = {file for folder in SETS for page in load_dataset(folder, "jsonl").pages for file in page.files}
    assert named == {file for file in files if file.name != "data.jsonl"}


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: folder.name)
def test_a_set_is_whole(folder):
    pages = load_dataset(folder, "jsonl").pages
    assert 10 <= len(pages) <= 24
    assert len({page.id for page in pages}) == len(pages)
    for page in pages:
        sizes = []
        for file in page.files:
            with Image.open(file) as image:
                image.verify()
                sizes.append(image.size)
        if page.task.box is not None:
            x1, y1, x2, y2 = page.task.box
            assert 0 <= x1 < x2 <= sizes[0][0]
            assert 0 <= y1 < y2 <= sizes[0][1]
        assert (page.kind == "negative") == (page.text == "")
        assert page.task.multi_page == (len(page.files) > 1)
    if folder.name == "region":
        assert {page.task.color for page in pages} >= {None, "red"}
        assert {page.task.box is None for page in pages} == {True, False}


def test_no_sentence_is_one_that_training_draws():
    """Checked with the texts inside the package; others are held out by the same rule."""
    train = {
        sentence for corpus in corpora("en") for sentence in corpus.sentences("train") if len(sentence) > 60
    }
    for folder in SETS:
        for page in load_dataset(folder, "jsonl").pages:
            flat = re.sub(r"\s+", " ", page.text)
            found = [s for s in re.split(r"(?<=[.!?]) ", flat) if s in train]
            assert not found, page.id


def test_the_report_is_one_table_and_a_file_a_set(tmp_path, monkeypatch, capsys):
    testsets = script("testsets")

    class Facade:
        from_pretrained = staticmethod(lambda *_, **__: fake_ocr())

    monkeypatch.setattr(testsets, "OCR", Facade)
    names = ["formula", "negative", "text-words"]
    only = [f"--only={name}" for name in names]
    assert testsets.main(["default", "--out", str(tmp_path), "--limit", "2", *only]) == 0
    table = (tmp_path / "README.md").read_text("utf-8")
    for name in names:
        assert f"| [{name}]({name}.md) | 2 | " in table
        page = (tmp_path / f"{name}.md").read_text("utf-8")
        for link in re.findall(r"!\[.*?\]\((.*?)\)", page):
            assert (tmp_path / link).resolve().is_file()
    assert "formula_match" in table
    numbers = json.loads((tmp_path / "numbers.json").read_text("utf-8"))
    assert list(numbers) == names
    assert "s of reading" in capsys.readouterr().out
    assert testsets.main(["--out", str(tmp_path), "--only", "none"]) == 5


def test_the_generator_draws_what_it_says(tmp_path, monkeypatch, capsys):
    draw = script("make_testsets")
    for out in ("a", "b"):
        monkeypatch.setattr(
            "sys.argv",
            ["make", "--out", str(tmp_path / out), "--only", "text-degraded-lines", "--count", "2"],
        )
        assert draw.main() == 0
    for file in (tmp_path / "a").rglob("*.*"):
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()
    assert draw.main() == 1
    assert "is not empty" in capsys.readouterr().err
    assert {path.name for path in SETS} == set(draw.SETS)
