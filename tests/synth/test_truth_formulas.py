"""Formulas read back: an independent LaTeX parser finds in the answer the very characters that were drawn."""

from __future__ import annotations

import pytest
from mathpix_reading import math_text, normal, read, record_drawn_text

from got_ocr2.synth.formulas import engine as formulas
from got_ocr2.synth.formulas.engine import FormulaEngine

mathra = pytest.importorskip("mathra")
pytest.importorskip("typst")


def check(monkeypatch, count: int, seed: int) -> None:
    drawn = record_drawn_text(monkeypatch, formulas)
    engine = FormulaEngine(renderer="typst")
    for index in range(count):
        drawn.clear()
        sample = engine.sample(seed, index)
        assert normal("".join(drawn)) == normal(read(sample.text).text), (index, sample.text)


def test_what_is_drawn_is_what_is_answered(monkeypatch):
    check(monkeypatch, 40, 31)


@pytest.mark.slow
def test_what_is_drawn_is_what_is_answered_a_thousand_times(monkeypatch):
    check(monkeypatch, 1000, 32)


def test_mathra_understands_what_another_parser_reads():
    engine = FormulaEngine(renderer="mathra")
    for index in range(40):
        for part in engine.sample(33, index).text.split("\n\n"):
            tex = part[3:-3].replace("\n", " ").split(" \\tag")[0]
            if any(word in tex for word in ("\\stackrel", "\\sqrt[", "\\xrightarrow")):
                continue  # its plain text leaves small marks out
            letters = [{c: n for c, n in normal(text).items() if c.isalnum()}
                       for text in (mathra.render(tex)["text"], math_text(tex))]  # fmt: skip
            assert letters[0] == letters[1], tex


def test_the_check_sees_a_missing_sign(monkeypatch):
    drawn = record_drawn_text(monkeypatch, formulas)
    sample = FormulaEngine(renderer="typst", sentences=0).sample(31, 0)
    letter = next(char for char in sample.text if char.isdigit())
    assert normal("".join(drawn)) != normal(read(sample.text.replace(letter, "", 1)).text)
