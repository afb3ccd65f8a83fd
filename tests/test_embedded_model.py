"""The model that comes with the package: it opens offline, is small, and reads as well as the README says."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from got_ocr2 import OCR
from got_ocr2.evaluation.metrics.edit_distance import levenshtein
from got_ocr2.ocr import EMBEDDED_MODEL
from got_ocr2.synth.composing.negatives import NegativeEngine
from got_ocr2.synth.corpora.content import ContentMixture
from got_ocr2.synth.text.engine import TextEngine

EXAMPLES = Path(__file__).parents[1] / "examples"
# The pictures that the figure was measured on: lines and paragraphs of four sources.
MEASURED = ("brochure", "huckleberry", "printout", "segmentation")
# What the README states, and room for another machine's arithmetic.
SLACK = 0.01
EXAMPLES_CER = 0.002
UNSEEN_LINES_CER = 0.0015


@pytest.fixture(scope="module")
def ocr():
    return OCR.from_pretrained()


def character_error_rate(pairs):
    """Edits over characters, all pages together; each pair is what was read and what stands there."""
    return sum(levenshtein(a, b) for a, b in pairs) / sum(len(b) for _, b in pairs)


def test_it_opens_without_a_network(monkeypatch):
    def refuse(*_args, **_options):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert OCR.from_pretrained().model.config.text_config.vocab_size < 1000


def test_it_is_small(ocr):
    assert sum(p.numel() for p in ocr.model.parameters()) < 30e6
    assert sum(f.stat().st_size for f in EMBEDDED_MODEL.iterdir()) < 64e6


def test_it_reads_real_scans_and_photos(ocr):
    found = sorted(path for name in MEASURED for path in EXAMPLES.glob(f"{name}_*.png"))
    pages = [page for page in found if not page.stem.endswith("_page")]
    assert len(pages) == 12
    results = ocr.read_many(pages, batch_size=4)
    right = [page.with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n") for page in pages]
    pairs = [(result.text, text) for result, text in zip(results, right, strict=True)]
    assert character_error_rate(pairs) < EXAMPLES_CER + SLACK


def test_it_reads_lines_in_fonts_it_never_saw(ocr):
    engine = TextEngine(
        layouts={"line": 1.0}, canvas=ocr.processor.image_processor.size, em=(16.0, 32.0),
        mixture=ContentMixture(1, 0, 0), split="test",
    )  # fmt: skip
    samples = [engine.sample(2026, index) for index in range(24)]
    read = [result.text for result in ocr.read_many((s.image for s in samples), batch_size=24)]
    assert (
        character_error_rate([(a, s.text) for a, s in zip(read, samples, strict=True)])
        < UNSEEN_LINES_CER + SLACK
    )


def test_textures_have_no_text(ocr):
    """Each of these has shapes that look like letters."""
    engine = NegativeEngine()
    results = ocr.read_many((engine.sample(9, index).image for index in (34, 73, 90, 95)), batch_size=4)
    assert [(result.text, result.status) for result in results] == [("", "empty")] * 4


@pytest.mark.slow
def test_of_pictures_without_text_hardly_any_gets_text(ocr):
    """Blank paper, textures, noise and photos: at most one in a hundred."""
    engine, count = NegativeEngine(), 500
    results = ocr.read_many((engine.sample(2026, index).image for index in range(count)), batch_size=8)
    read = {number: result.text for number, result in enumerate(results) if result.text}
    assert len(read) <= count // 100, read


def test_answers_end_by_themselves(ocr):
    result = ocr.read(EXAMPLES / "segmentation_heading.png")
    assert result.status == "complete"
    assert result.finish_reason == "stop"
