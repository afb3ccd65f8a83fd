"""Pages read back: an independent parser finds in the answer the very characters that were drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mathpix_reading import normal, read, record_drawn_text

from got_ocr2.synth.pages import engine as pages
from got_ocr2.synth.pages.engine import PageEngine

pytest.importorskip("typst")


def check(monkeypatch, count: int, seed: int) -> None:
    """Without what the format leaves out (running heads, the word "Abstract"), picture and answer are the same."""
    drawn = record_drawn_text(monkeypatch, pages)
    look = pages.random_style
    monkeypatch.setattr(
        pages,
        "random_style",
        lambda *a: replace(look(*a), header="", footer="", abstract_label="", bullet="•"),
    )
    engine = PageEngine()
    for index in range(count):
        drawn.clear()
        sample = engine.sample(seed, index)
        assert normal("".join(drawn)) == normal(read(sample.text).text), (index, sample.text)


def test_what_is_drawn_is_what_is_answered(monkeypatch):
    check(monkeypatch, 10, 51)


@pytest.mark.slow
def test_what_is_drawn_is_what_is_answered_hundreds_of_times(monkeypatch):
    check(monkeypatch, 400, 52)
