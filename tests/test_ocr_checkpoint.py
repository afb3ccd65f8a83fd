"""`OCR` with a real checkpoint of tiny size."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import got_ocr2.ocr
from got_ocr2 import OCR
from got_ocr2 import kernels as native_kernels
from got_ocr2.errors import CheckpointError, GotOcr2Error, InvalidOptionError
from got_ocr2.modeling import load_model


def test_without_an_embedded_model_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(got_ocr2.ocr, "EMBEDDED_MODEL", tmp_path / "none")
    with pytest.raises(CheckpointError, match=r"no embedded model .* name a checkpoint folder"):
        OCR.from_pretrained()


@pytest.fixture(scope="module")
def tiny_ocr(byte_folder: Path) -> OCR:
    return OCR.from_pretrained(byte_folder, device="cpu")


def test_device_and_dtype_are_chosen_for_the_machine(byte_folder, tiny_ocr):
    assert (tiny_ocr.model.device.type, tiny_ocr.model.dtype) == ("cpu", torch.float32)
    chosen = OCR.from_pretrained(byte_folder, dtype="bfloat16").model
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert (chosen.device.type, chosen.dtype) == (best, torch.bfloat16)


def test_bad_devices_and_checkpoints_are_one_of_our_errors(byte_folder, tmp_path):
    with pytest.raises(InvalidOptionError, match="warp"):
        OCR.from_pretrained(byte_folder, device="warp")
    with pytest.raises(InvalidOptionError, match="float12"):
        OCR.from_pretrained(byte_folder, dtype="float12")
    with pytest.raises(GotOcr2Error):
        OCR.from_pretrained(tmp_path)


@pytest.mark.parametrize("kernels", ["torch", "auto"])
def test_kernels_do_not_change_the_text(byte_folder, tiny_ocr, page_image, kernels):
    ocr = OCR.from_pretrained(byte_folder, device="cpu", kernels=kernels, kv_memory="20MB", max_batch=2)
    pages = [page_image, page_image.rotate(90), page_image.resize((50, 90))]
    ours = ocr.read_many(pages, batch_size=3, max_new_tokens=7)
    assert [result.text for result in ours] == [tiny_ocr.read(page, max_new_tokens=7).text for page in pages]


@pytest.mark.skipif(not native_kernels.available(), reason="needs the native kernels")
@pytest.mark.parametrize("quantization", ["int8", "int4"])
def test_quantized_weights_replace_the_models_own(byte_folder, page_image, quantization):
    ocr = OCR.from_pretrained(byte_folder, device="cpu", quantization=quantization)
    assert ocr.read(page_image, max_new_tokens=5).tokens == 5
    assert ocr.model.lm_head.weight.device.type == "meta"
    ocr.close()
    assert ocr.read(page_image, max_new_tokens=5).tokens == 5  # the packed ones are still there


@pytest.mark.parametrize(
    "options",
    [{}, {"format": True}, {"box": (10, 10, 60, 40)}, {"color": "red"}, {"crop": True}, {"max_patches": 3}],
)
def test_reading_equals_generate(tiny_ocr, page_image, options):
    ours = tiny_ocr.read(page_image, max_new_tokens=6, **options)
    asked = {k: v for k, v in options.items() if k not in ("crop", "max_patches")}
    if "crop" in options or "max_patches" in options:
        asked |= {"crop_to_patches": True, "max_patches": options.get("max_patches")}
    inputs = tiny_ocr.processor(page_image, **asked)
    ids = tiny_ocr.model.generate(**inputs, max_new_tokens=6)
    length = inputs["input_ids"].shape[1]
    assert ours.text == tiny_ocr.processor.decode(ids[0, length:], skip_special_tokens=True)
    assert (ours.prompt_tokens, ours.tokens) == (length, ids.shape[1] - length)
    assert "".join(tiny_ocr.stream(page_image, max_new_tokens=6, **options)) == ours.text
    assert ours.mean_logprob < 0


def test_batches_read_as_pages_alone_do(tiny_ocr, page_image):
    pages = [page_image, page_image.rotate(180), page_image.resize((40, 90))]
    together = tiny_ocr.read_many(pages, batch_size=3, max_new_tokens=5)
    assert [result.text for result in together] == [
        tiny_ocr.read(page, max_new_tokens=5).text for page in pages
    ]


def test_several_pages_go_through_the_model_as_one_prompt(tiny_ocr, page_image):
    result = tiny_ocr.read([page_image, page_image], multi_page=True, max_new_tokens=3)
    single = tiny_ocr.read(page_image, max_new_tokens=3)
    assert result.prompt_tokens > single.prompt_tokens + 9
    assert result.page_numbers == (1, 2)


def test_a_box_outside_one_page_fails_that_page_alone(tiny_ocr, page_image):
    results = list(
        tiny_ocr.read_many([page_image, page_image.resize((20, 20))], box=[0, 0, 100, 50], max_new_tokens=2)
    )
    assert [result.status for result in results] == ["truncated", "failed"]
    assert results[1].error.exit_code == 1
    assert "reaches outside the image of 20x20" in results[1].error.message


@pytest.mark.skipif(not native_kernels.available(), reason="needs the native kernels")
@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16])
def test_the_kernels_take_the_weights_and_the_model_is_loaded_again(
    byte_folder, tmp_path, page_image, stored
):
    folder = shutil.copytree(byte_folder, tmp_path / "checkpoint")
    original = load_model(byte_folder).to(stored)
    original.save_pretrained(folder)
    ocr = OCR.from_pretrained(folder, device="cpu")
    plain = OCR.from_pretrained(folder, device="cpu", kernels="torch")
    assert ocr.read(page_image, max_new_tokens=6).text == plain.read(page_image, max_new_tokens=6).text
    assert (ocr.device.type, ocr.dtype, ocr._model.device.type) == ("cpu", torch.float32, "meta")
    assert ocr.model is ocr.model
    assert ocr.model.dtype == torch.float32
    for name, weight in ocr.model.state_dict().items():
        assert torch.equal(weight, original.state_dict()[name].float()), name
    assert ocr.read(page_image, max_new_tokens=6).text == plain.read(page_image, max_new_tokens=6).text


@pytest.mark.skipif(not native_kernels.available(), reason="needs the native kernels")
def test_a_model_changed_before_reading_is_what_reads(byte_folder, page_image):
    ocr = OCR.from_pretrained(byte_folder, device="cpu")
    unchanged = OCR.from_pretrained(byte_folder, device="cpu").read(page_image, max_new_tokens=6)
    with torch.no_grad():
        ocr.model.lm_head.weight.mul_(-1)
    assert ocr.read(page_image, max_new_tokens=6).text != unchanged.text
