"""The typewriter of docs/page.md: sheets that are the same each time, and lines kept over HTTP."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from got_ocr2.layout import find_lines
from got_ocr2.training.data.examples import read_examples


@pytest.fixture
def typewriter(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with small sheets."""
    monkeypatch.setenv("GOT_OCR2_FONT_SOURCES", "bundled")
    spec = importlib.util.spec_from_file_location(
        "typewriter", Path(__file__).parents[2] / "docs/tutorial/typewriter.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROWS", 3)
    monkeypatch.setattr(module, "COLUMNS", 16)
    return module


def test_sheets_are_drawn_and_their_lines_kept(typewriter, serve, settings, tmp_path):
    typewriter.draw(tmp_path / "one", 2, 5)
    typewriter.draw(tmp_path / "two", 1, 5)
    picture = tmp_path / "one/0000.png"
    assert picture.read_bytes() == (tmp_path / "two/0000.png").read_bytes()
    assert picture.read_bytes() != (tmp_path / "one/0001.png").read_bytes()
    lines = picture.with_suffix(".txt").read_text("utf-8").splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= 16
    sheet = Image.open(picture)
    assert np.asarray(sheet.convert("L")).min() < 100
    found = find_lines(sheet).lines
    assert {round(sum(line.box[1::2]) / 2 - 60) // 40 for line in found} == {0, 1, 2}

    server = serve(lambda pieces: lines[1], reads="lines")  # a reader that knows one line
    typewriter.mend(picture, 1, server.url)
    examples = read_examples(settings.data / "corrections" / "of-anyone")
    assert " ".join(example.text for example in examples) == lines[1]
    with pytest.raises(SystemExit, match="Only 1 of 2 lines could be told"):
        typewriter.mend(picture, 2, server.url)
