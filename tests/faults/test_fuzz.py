"""Hostile documents of every kind in one run: a row each, and no error but ours. `benchmarks/fuzz.py` has 10,000."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def fuzz(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import fuzz

    yield fuzz
    sys.modules.pop("fuzz")


def test_every_hostile_document_has_a_row(fuzz, tmp_path):
    made = fuzz.make(tmp_path / "documents", 66, 5)
    again = fuzz.make(tmp_path / "again", 66, 5)
    assert made == again
    assert all(
        (tmp_path / "documents" / n).read_bytes() == (tmp_path / "again" / n).read_bytes() for n in made
    )
    found = fuzz.read(tmp_path / "documents", tmp_path / "out", made, workers=1)
    assert found["rows_missing"] == 0
    assert found["foreign_errors"] == 0
    assert found["statuses"]["complete"] > 5
    assert found["statuses"]["failed"] > 5
