from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from got_ocr2 import AutoModelForImageTextToText, AutoProcessor
from got_ocr2.checkpoints import layouts
from got_ocr2.conversion import convert
from got_ocr2.errors import CheckpointError, ConfigError, FileAccessError, InvalidOptionError
from got_ocr2.modeling import load_model


@pytest.fixture
def original_folder(byte_folder, byte_tiktoken, in_layout, write_checkpoint, original_config) -> Path:
    """The original layout: flat config, one file, `qwen.tiktoken` and nothing about pictures or prompts."""
    config = {**original_config, "vocab_size": 517, "im_patch_token": 516}
    folder = write_checkpoint(in_layout(layouts.ORIGINAL, load_model(byte_folder)), config)
    shutil.copy(byte_tiktoken, folder)
    (folder / "generation_config.json").write_text('{"eos_token_id": 300, "max_new_tokens": 2048}')
    return folder


def test_an_original_checkpoint_becomes_a_hugging_face_folder(
    original_folder, byte_folder, page_image, tmp_path
):
    folder = convert(original_folder, tmp_path / "deep" / "hf")
    assert sorted(p.name for p in folder.iterdir()) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "processor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert [p.name for p in folder.parent.iterdir()] == ["hf"]

    model = AutoModelForImageTextToText.from_pretrained(folder)
    for name, tensor in load_model(byte_folder).state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
    assert model.generation_defaults.eos_token_id == (302, 300)

    processor = AutoProcessor.from_pretrained(folder)
    assert processor.dialect == "original"
    batch = processor(page_image)
    assert batch.pixel_values.shape == (1, 3, 96, 96)
    assert (batch.input_ids == 516).sum() == 9
    assert "<|im_end|><|im_start|>user\n<img>" in processor.decode(batch.input_ids[0], False)
    assert "</img>\nOCR: <|im_end|>" in processor.decode(batch.input_ids[0], False)


def test_transformers_opens_the_converted_folder(original_folder, byte_folder, page_image, tmp_path):
    transformers = pytest.importorskip("transformers")
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    folder = convert(original_folder, tmp_path / "hf", dialect="hf")
    oracle, info = transformers.GotOcr2ForConditionalGeneration.from_pretrained(
        folder, output_loading_info=True
    )
    assert not any(info.values()), info
    ours = AutoProcessor.from_pretrained(folder)(page_image, format=True)
    theirs = transformers.GotOcr2Processor(
        GotOcr2ImageProcessorPil.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)
    )
    theirs.num_image_tokens = 9  # fixed at 256 there
    expected = theirs(page_image, format=True, return_tensors="pt")
    assert torch.equal(ours.input_ids, expected["input_ids"])
    torch.testing.assert_close(ours.pixel_values, expected["pixel_values"], rtol=0, atol=1e-6)
    with torch.no_grad():
        left = load_model(byte_folder)(**ours, logits_to_keep=1).logits
        right = oracle(**expected, logits_to_keep=1).logits
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-4)


def test_a_reader_of_lines_stays_one(byte_folder, tmp_path):
    lines = AutoProcessor.from_pretrained(byte_folder)
    lines.reads = "lines"
    source = tmp_path / "lines"
    shutil.copytree(byte_folder, source)
    lines.save_pretrained(source)
    assert AutoProcessor.from_pretrained(convert(source, tmp_path / "copy")).reads == "lines"


def test_a_hugging_face_folder_keeps_its_dialect(byte_folder, tmp_path):
    folder = convert(byte_folder, tmp_path / "copy")
    assert AutoProcessor.from_pretrained(folder).dialect == "hf"
    asked = convert(byte_folder, tmp_path / "other", dialect="original")
    assert AutoProcessor.from_pretrained(asked).dialect == "original"


def test_dtype_and_shards(byte_folder, tmp_path):
    folder = convert(byte_folder, tmp_path / "small", dtype="bfloat16", max_shard_size="100KB")
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    assert load_model(folder).dtype == torch.bfloat16


def test_a_folder_in_use_is_left_alone(byte_folder, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FileAccessError, match="is already there and not an empty folder"):
        convert(byte_folder, tmp_path)
    with pytest.raises(FileAccessError, match=r"mine\.txt is already there"):
        convert(byte_folder, tmp_path / "mine.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(byte_folder, tmp_path):
    assert (convert(byte_folder, tmp_path) / "model.safetensors").is_file()


@pytest.mark.parametrize("options", [{"dtype": "int4"}, {"max_shard_size": "huge"}, {"dialect": "klingon"}])
def test_a_failure_leaves_nothing_behind(options, byte_folder, tmp_path):
    with pytest.raises(InvalidOptionError):
        convert(byte_folder, tmp_path / "hf", **options)
    assert not list(tmp_path.iterdir())


def test_a_processor_for_another_size_is_refused(byte_folder, tmp_path):
    folder = tmp_path / "src"
    shutil.copytree(byte_folder, folder)
    path = folder / "preprocessor_config.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "size": {"height": 96, "width": 64}}))
    with pytest.raises(CheckpointError, match="pictures of 96x64, the model takes 96x96"):
        convert(folder, tmp_path / "dst")


def test_another_architecture_is_refused(byte_folder, tmp_path):
    folder = tmp_path / "src"
    shutil.copytree(byte_folder, folder)
    (folder / "config.json").write_text('{"model_type": "llava"}')
    with pytest.raises(ConfigError, match="'llava'"):
        convert(folder, tmp_path / "dst")
