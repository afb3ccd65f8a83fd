"""Decoders fitted to int4 by reading pages."""

from __future__ import annotations

import pytest
import torch

from got_ocr2 import AutoProcessor
from got_ocr2.calibration import calibrate_int4
from got_ocr2.conversion import convert
from got_ocr2.errors import GotOcr2Error, InvalidOptionError
from got_ocr2.kernels.quantize import quantize_weight
from got_ocr2.modeling import load_model


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_copy_holds_the_numbers_that_int4_keeps(byte_folder, page_image, tmp_path, dtype):
    page = tmp_path / "page.png"
    page_image.save(page)
    plain = load_model(convert(byte_folder, tmp_path / "plain", dtype=dtype))
    fitted = load_model(convert(byte_folder, tmp_path / "fitted", dtype=dtype, int4_pages=[page]))
    assert fitted.dtype == plain.dtype
    changed = {
        name
        for name, value in fitted.state_dict().items()
        if not torch.equal(value, plain.state_dict()[name])
    }
    layers = plain.model.language_model.layers.named_modules()
    linears = {
        f"model.language_model.layers.{name}.weight"
        for name, part in layers
        if isinstance(part, torch.nn.Linear)
    }
    assert changed == linears
    for name in linears:
        weight = fitted.state_dict()[name]
        assert torch.equal(quantize_weight(weight, "int4").dequantized(), weight.float())


def test_inputs_are_watched_only_while_pages_are_read(byte_folder, page_image):
    model, processor = load_model(byte_folder), AutoProcessor.from_pretrained(byte_folder)
    once = calibrate_int4(model, processor, [page_image])
    assert once > 9  # the tokens of the picture, and others
    assert not any(part._forward_pre_hooks for part in model.modules())
    model = load_model(byte_folder)
    assert calibrate_int4(model, processor, [page_image, page_image]) == 2 * once


def test_what_cannot_be_calibrated_is_refused(byte_folder, blank_page, tmp_path):
    processor = AutoProcessor.from_pretrained(byte_folder)
    with pytest.raises(InvalidOptionError, match="float16 cannot hold int4 numbers"):
        calibrate_int4(load_model(byte_folder, dtype="float16"), processor, [blank_page])
    with pytest.raises(InvalidOptionError, match="Nothing was read"):
        calibrate_int4(load_model(byte_folder), processor, [blank_page])
    with pytest.raises(GotOcr2Error, match=r"missing\.png"):
        convert(byte_folder, tmp_path / "copy", int4_pages=[tmp_path / "missing.png"])
    assert not (tmp_path / "copy").exists()


@pytest.fixture
def blank_page():
    from PIL import Image

    return Image.new("RGB", (96, 96), "white")
