"""`OCR.stream`: text as it is written."""

from __future__ import annotations

import pytest
from PIL import Image

import got_ocr2.ocr
from fake_ocr import fake_ocr, picture, tiff
from got_ocr2.errors import InputError


def test_text_is_streamed_as_it_is_written():
    ocr = fake_ocr(lambda _: "aé")
    pieces = ocr.stream(picture(1, 1))
    assert ocr.runner.steps == 0
    assert next(pieces) == "a"
    assert ocr.runner.steps == 1
    assert next(pieces) == "é"
    assert ocr.runner.steps == 3
    assert list(pieces) == []


@pytest.mark.parametrize(
    "texts", [["a", "b", "c"], ["", "b", ""], ["a", "", "c"], ["", "", ""], ["ab", "é", " "]]
)
def test_the_pieces_of_several_pages_are_the_text_of_the_document(texts):
    source = tiff(*((n + 1, 1) for n in range(len(texts))))

    def answer(pages: list[Image.Image]) -> str:
        return texts[pages[0].width - 1]

    assert "".join(fake_ocr(answer).stream(source)) == fake_ocr(answer).read(source).text


def test_leaving_a_stream_stops_the_work():
    ocr = fake_ocr(lambda _: "a long text")
    pieces = ocr.stream(picture(1, 1))
    next(pieces)
    pieces.close()
    assert ocr.runner.steps == 1


def test_a_stream_raises_where_the_page_fails():
    pieces = fake_ocr().stream(
        tiff((5, 4), (6, 3)), box=[0, 0, 1, 1], limits=got_ocr2.ocr.Limits(max_pixels=19)
    )
    with pytest.raises(InputError, match="<bytes> is 5 x 4"):
        list(pieces)
