"""The picture of what hours of training gave: drawn from a table, or the table's mistake in one sentence."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]


@pytest.fixture
def draw():
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location("learning_curve", ROOT / "benchmarks/learning_curve.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda table, out: module.main([str(table), "--out", str(out)])


def test_the_models_own_table_is_drawn(draw, tmp_path):
    assert draw(ROOT / "docs/training-log/accuracy.csv", tmp_path / "a.png") == 0
    with Image.open(tmp_path / "a.png") as picture:
        picture.load()
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 8  # a colour a set, and their shades


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("hours,lines\n1,.1\n", "no rows with a column 'core_hours'"),
        ("core_hours,lines\n", "no rows"),
        ("core_hours,lines\n1,few\n", "column 'lines': could not convert string to float: 'few'"),
    ],
)
def test_a_table_that_is_none(draw, tmp_path, capsys, content, said):
    table = tmp_path / "table.csv"
    table.write_text(content, "utf-8")
    assert draw(table, tmp_path / "a.png") != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()
