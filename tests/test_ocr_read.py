"""`OCR.read`: one document, one result."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from fake_ocr import PROMPT, fake_ocr, picture, tiff
from got_ocr2 import DocumentResult, PageResult
from got_ocr2.errors import FileAccessError, InputError
from got_ocr2.results import Request
from make_pdf import make_pdf


def test_one_page_gives_a_page_result():
    result = fake_ocr().read(picture(30, 20))
    assert isinstance(result, PageResult)
    assert (result.text, result.status, result.finish_reason) == ("30x20", "complete", "stop")
    assert (result.source, result.page_numbers, result.width, result.height) == ("<image>", (1,), 30, 20)
    assert (result.prompt_tokens, result.tokens) == (PROMPT, len("30x20") + 1)
    assert result.mean_logprob == pytest.approx(-0.5)
    assert result.confidence == pytest.approx(math.exp(-0.5))
    assert result.seconds > 0
    assert result.error is None


def test_several_pages_give_a_document_result():
    result = fake_ocr().read(tiff((5, 4), (6, 3)))
    assert isinstance(result, DocumentResult)
    assert [(page.text, page.page) for page in result.pages] == [("5x4", 1), ("6x3", 2)]
    assert result.text == "5x4\n\n6x3"
    assert (result.source, result.status, result.tokens) == ("<bytes>", "complete", 8)


def test_a_chosen_page_keeps_its_number():
    result = fake_ocr().read(tiff((5, 4), (6, 3)), pages="2")
    assert isinstance(result, PageResult)
    assert (result.text, result.page) == ("6x3", 2)


def test_pages_can_be_read_as_one_text():
    ocr = fake_ocr()
    result = ocr.read(tiff((5, 4), (6, 3), (7, 2)), multi_page=True, pages="3,1", format=True)
    assert isinstance(result, PageResult)
    assert (result.text, result.page_numbers, result.width) == ("7x2 5x4", (3, 1), 7)
    assert ocr.processor.calls[0]["multi_page"] is True
    assert result.request == Request(format=True, multi_page=True)


def test_a_list_or_a_folder_can_be_one_document(tmp_path):
    for width in (9, 10):
        picture(width, 5).save(tmp_path / f"page{width}.png")
    ocr = fake_ocr()
    listed = ocr.read([picture(3, 2), tiff((5, 4), (6, 3))], multi_page=True)
    assert (listed.text, listed.page_numbers) == ("3x2 5x4 6x3", (1, 2, 3))
    assert listed.source == "<image> + <bytes>"
    folder = ocr.read(tmp_path, multi_page=True)
    assert (folder.text, folder.source) == ("9x5 10x5", str(tmp_path))
    assert ocr.read(tmp_path, multi_page=True, pages="2").text == "10x5"


def test_a_folder_read_page_by_page_names_each_file(tmp_path):
    for width in (9, 10):
        picture(width, 5).save(tmp_path / f"page{width}.png")
    result = fake_ocr().read(str(tmp_path))
    assert result.source == str(tmp_path)
    assert [Path(page.source).name for page in result.pages] == ["page9.png", "page10.png"]


def test_a_pdf_is_read_at_the_resolution_asked_for():
    data = make_pdf(["a", "b"], size=(72, 36))
    assert fake_ocr().read(data, dpi=100, skip_blank=False).text == "100x50\n\n100x50"
    assert (
        fake_ocr()
        .read(make_pdf(["a"], size=(72, 36), password="x"), dpi=72, password="x", skip_blank=False)
        .text
        == "72x36"
    )


def test_every_source_kind_is_read(tmp_path):
    path = tmp_path / "a.png"
    picture(4, 3).save(path)
    array = np.full((3, 4, 3), 255, np.uint8)
    for source in (path, str(path), path.read_bytes(), array, torch.ones(3, 3, 4), f"{tmp_path}/*.png"):
        assert fake_ocr().read(source).text == "4x3"


def test_what_is_asked_goes_to_the_processor():
    ocr = fake_ocr()
    result = ocr.read(picture(9, 9), box=[1, 2.5, 3, 4], color="red", format=True, max_patches=5)
    expected = {
        "format": True, "box": (1, 2.5, 3, 4), "color": "red", "multi_page": False,
        "crop_to_patches": True, "max_patches": 5,
    }  # fmt: skip
    assert ocr.processor.calls == [expected]
    assert result.request == Request(True, (1, 2.5, 3, 4), "red", False, True, 5)
    ocr.read(picture(9, 9), crop=True)
    assert ocr.processor.calls[1]["crop_to_patches"] is True
    assert ocr.processor.calls[1]["max_patches"] is None


def test_a_text_cut_by_the_limit_is_truncated():
    result = fake_ocr().read(picture(30, 20), max_new_tokens=3)
    assert (result.text, result.status, result.finish_reason, result.tokens) == (
        "30x",
        "truncated",
        "length",
        3,
    )


def test_half_a_character_at_the_limit_is_not_lost():
    result = fake_ocr(lambda _: "né").read(picture(1, 1), max_new_tokens=2)
    assert (result.text, result.status) == ("n\ufffd", "truncated")


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_page_without_text_is_empty(text):
    result = fake_ocr(lambda _: text).read(picture(1, 1))
    assert (result.text, result.status, result.finish_reason) == (text, "empty", "stop")


def test_read_raises_what_went_wrong(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"broken\.png"):
        fake_ocr().read(tmp_path / "broken.png")
    with pytest.raises(FileAccessError, match="does not exist"):
        fake_ocr().read(tmp_path / "none.png")
    with pytest.raises(RuntimeError, match="out of memory"):
        fake_ocr(lambda _: RuntimeError("out of memory")).read(picture(1, 1))
