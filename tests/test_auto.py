from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from got_ocr2 import (
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
    GotOcr2ForConditionalGeneration,
    GotOcr2ImageProcessor,
    GotOcr2Processor,
    GotOcr2Tokenizer,
)
from got_ocr2.errors import CheckpointError, FileAccessError, InputError, InvalidOptionError


def test_the_model(byte_folder):
    model = AutoModelForImageTextToText.from_pretrained(
        byte_folder, device_map="cpu", torch_dtype=torch.bfloat16
    )
    assert type(model) is GotOcr2ForConditionalGeneration
    assert model.dtype == torch.bfloat16
    assert not model.training


@pytest.mark.parametrize("use_fast", [None, True, False])
def test_the_processor(use_fast, byte_folder, page_image):
    processor = AutoProcessor.from_pretrained(str(byte_folder), use_fast=use_fast)
    assert type(processor) is GotOcr2Processor
    assert processor(page_image).pixel_values.shape == (1, 3, 96, 96)


def test_the_processor_needs_no_weights(byte_folder, tmp_path):
    for path in byte_folder.iterdir():
        if "safetensors" not in path.name:
            (tmp_path / path.name).symlink_to(path)
    assert AutoProcessor.from_pretrained(tmp_path).num_image_tokens == 9


def test_an_original_checkpoint_has_the_original_prompts(byte_tiktoken):
    processor = AutoProcessor.from_pretrained(byte_tiktoken.parent)
    assert processor.dialect == "original"
    assert processor.image_processor.size == (1024, 1024)


def test_a_path_stands_for_its_picture(byte_folder, page_image, tmp_path):
    page_image.save(tmp_path / "page.png")
    processor = AutoProcessor.from_pretrained(byte_folder)
    expected = processor(page_image).pixel_values
    for source in (tmp_path / "page.png", os.fspath(tmp_path / "page.png")):
        assert torch.equal(processor(source).pixel_values, expected)
    both = processor([tmp_path / "page.png", page_image]).pixel_values
    assert torch.equal(both, expected.expand(2, -1, -1, -1))


def test_a_data_address_stands_for_its_picture(byte_folder, page_image, tmp_path):
    import base64

    page_image.save(tmp_path / "page.png")
    encoded = base64.b64encode((tmp_path / "page.png").read_bytes()).decode()
    processor = AutoProcessor.from_pretrained(byte_folder)
    seen = processor(f"data:image/png;base64,{encoded}").pixel_values
    assert torch.equal(seen, processor(page_image).pixel_values)


def test_pictures_that_cannot_be_opened(byte_folder, tmp_path):
    processor = AutoProcessor.from_pretrained(byte_folder)
    with pytest.raises(FileAccessError, match=r"missing\.png"):
        processor(tmp_path / "missing.png")
    (tmp_path / "note.txt").write_text("not a picture")
    with pytest.raises(InputError, match=r"note\.txt"):
        processor(tmp_path / "note.txt")


def test_several_pages_are_not_one_picture(byte_folder, page_image, tmp_path):
    page_image.save(tmp_path / "fax.tiff", save_all=True, append_images=[Image.new("RGB", (40, 30))])
    processor = AutoProcessor.from_pretrained(byte_folder)
    with pytest.raises(InvalidOptionError, match=r"fax\.tiff has 2 pages where one picture is meant"):
        processor(tmp_path / "fax.tiff")


OPENERS = [
    AutoConfig, AutoImageProcessor, AutoModel, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer,
    GotOcr2ForConditionalGeneration, GotOcr2ImageProcessor, GotOcr2Processor, GotOcr2Tokenizer,
]  # fmt: skip


@pytest.mark.parametrize("opener", OPENERS, ids=lambda opener: opener.__name__)
def test_words_that_change_nothing_are_accepted(opener, byte_folder):
    found = opener.from_pretrained(
        byte_folder, trust_remote_code=True, low_cpu_mem_usage=True, use_safetensors=True, use_fast=True,
        attn_implementation="sdpa", revision="main", force_download=False,
    )  # fmt: skip
    assert found is not None


@pytest.mark.parametrize("opener", OPENERS[1:], ids=lambda opener: opener.__name__)
@pytest.mark.parametrize(
    ("word", "value", "message"),
    [
        ("dtypo", True, "does not know dtypo; it knows"),
        ("attn_implementation", "flash_attention_2", 'pass "eager" or "sdpa"'),
        ("use_safetensors", False, "safetensors only"),
        ("load_in_8bit", True, 'quantization="int8"'),
        ("subfolder", "hf", "give the folder itself"),
    ],
)
def test_words_that_would_change_something_are_refused(opener, word, value, message, byte_folder):
    with pytest.raises(InvalidOptionError, match=message):
        opener.from_pretrained(byte_folder, **{word: value})


def test_the_model_without_its_head(byte_folder, page_image):
    inputs = AutoProcessor.from_pretrained(byte_folder)(page_image)
    below = AutoModel.from_pretrained(byte_folder)
    whole = AutoModelForImageTextToText.from_pretrained(byte_folder)
    with torch.no_grad():
        assert torch.equal(whole.lm_head(below(**inputs).last_hidden_state), whole(**inputs).logits)


@pytest.mark.parametrize("auto", [AutoModelForImageTextToText, AutoProcessor])
def test_options_reach_the_checkpoint(auto, monkeypatch, tmp_path):
    from got_ocr2.checkpoints import load
    from got_ocr2.processing import files

    seen: dict[str, object] = {}

    def resolve(name: str, **options: object) -> Path:
        seen.update(options, name=name)
        raise CheckpointError("seen")

    monkeypatch.setattr(load, "resolve", resolve)
    monkeypatch.setattr(files, "resolve", resolve)
    with pytest.raises(CheckpointError, match="seen"):
        auto.from_pretrained("a/b", revision="v1", token="t", cache_dir=tmp_path, local_files_only=True)
    seen.pop("weights", None)
    assert seen == {
        "name": "a/b",
        "revision": "v1",
        "token": "t",
        "cache_dir": tmp_path,
        "local_files_only": True,
    }
