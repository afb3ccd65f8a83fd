"""Clean pages of the text engine against a classical reader: picture and truth agree."""

from __future__ import annotations

import shutil
import statistics
import subprocess
from io import BytesIO

import pytest

from got_ocr2.evaluation.metrics.edit_distance import levenshtein
from got_ocr2.synth.corpora.content import ContentMixture
from got_ocr2.synth.text.engine import TextEngine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed"),
]


def test_tesseract_reads_clean_paragraphs():
    """Mean over all fonts, display and handwriting ones included, which Tesseract itself reads badly."""
    engine = TextEngine(
        layouts={"paragraph": 1.0}, canvas=(512, 1024), em=(28.0, 44.0), mixture=ContentMixture(1, 0, 0)
    )
    rates = []
    for index in range(30):
        sample = engine.sample(5, index)
        picture = BytesIO()
        sample.image.save(picture, "PNG")
        command = ["tesseract", "-", "-", "--psm", "6", "-l", "eng"]
        read = subprocess.run(
            command, input=picture.getvalue(), capture_output=True, check=True
        ).stdout.decode()
        truth = " ".join(sample.text.split())
        rates.append(levenshtein(" ".join(read.split()), truth) / len(truth))

    assert statistics.mean(rates) < 0.02
