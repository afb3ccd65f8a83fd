"""OCRmyPDF run with the plugin, as its users run it; a script reads the pages in place of a model."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pypdfium2 as pdfium
import pytest
from PIL import Image

from got_ocr2.integrations import ocrmypdf as plugin

# Gives the plugin a reader that knows where the letters of the test's page are, and then is OCRmyPDF.
RUN = textwrap.dedent("""
    import sys
    from PIL import Image
    from got_ocr2 import OCR, PageResult
    from got_ocr2.results import TextPart

    class Reader:
        def read(self, source, **how):
            assert how == {"lines": True, "confidence": "word"}, how
            with Image.open(source) as picture:
                width, height = picture.size
            text = "Found by\\nthe plugin"
            lines = (
                TextPart("Found by", 0, 8, 0.9, (0.1 * width, 0.1 * height, 0.3 * width, 0.15 * height), 0.0, 0),
                TextPart("the plugin", 9, 19, 0.9, (0.1 * width, 0.2 * height, 0.35 * width, 0.25 * height), 0.0, 0),
            )
            return PageResult(text, "complete", "stop", source=str(source), width=width, height=height, lines=lines)

    def opened(model=None, *, device="auto"):
        assert (model, device) == ("some/model", "cpu")
        return Reader()

    OCR.from_pretrained = opened
    from ocrmypdf.__main__ import run
    sys.exit(run(sys.argv[1:]))
""")


@pytest.mark.slow
@pytest.mark.parametrize("renderer", ["auto", "sandwich"])
def test_ocrmypdf_writes_a_pdf_that_can_be_searched(tmp_path, renderer):
    pytest.importorskip("ocrmypdf")
    Image.new("L", (850, 1100), 255).save(tmp_path / "page.pdf", resolution=100)
    command = [
        sys.executable, "-c", RUN, "--plugin", "got_ocr2.integrations.ocrmypdf", "--got-model", "some/model",
        "--got-device", "cpu", "--pdf-renderer", renderer, "--output-type", "pdf", "--jobs", "1", "--use-threads",
        "--sidecar", str(tmp_path / "page.txt"), str(tmp_path / "page.pdf"), str(tmp_path / "out.pdf"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    layer = pdfium.PdfDocument(tmp_path / "out.pdf")[0].get_textpage()
    assert layer.get_text_range().split() == ["Found", "by", "the", "plugin"]
    left, bottom, right, top = layer.get_rect(0) if layer.count_rects() else (0, 0, 0, 0)
    assert left == pytest.approx(61.2, abs=3)
    assert 0.84 * 792 < bottom < top < 0.91 * 792
    assert right < 0.32 * 612
    assert (tmp_path / "page.txt").read_text().split() == ["Found", "by", "the", "plugin"]


def test_the_engine_answers_what_ocrmypdf_asks():
    pytest.importorskip("ocrmypdf")
    engine = plugin.get_ocr_engine()
    assert "got-ocr2" in str(engine)
    assert "got-ocr2" in engine.creator_tag(None)
    assert engine.languages(type("Options", (), {"languages": {"deu", "eng"}})()) == {"deu", "eng"}
    assert engine.get_orientation(None, None) == (0, 0.0)
    assert not engine.supports_generate_ocr()
