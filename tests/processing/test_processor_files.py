import base64
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from got_ocr2.errors import CheckpointError, ConfigError, FileAccessError
from got_ocr2.processing import GotOcr2ImageProcessor, GotOcr2Processor


def page():
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (131, 77, 3), dtype=np.uint8))


def assert_same(first, second, **kwargs):
    a, b = first(page(), **kwargs), second(page(), **kwargs)
    for name in ("input_ids", "attention_mask", "pixel_values"):
        assert torch.equal(a[name], b[name])


def test_files_round_trip(tiny_tokenizer, tmp_path):
    images = GotOcr2ImageProcessor((32, 64), resize_mode="pad", max_upscale=2.0, max_patches=5)
    processor = GotOcr2Processor(images, tiny_tokenizer, num_image_tokens=128, dialect="original")
    processor.save_pretrained(tmp_path / "new" / "folder")
    again = GotOcr2Processor.from_pretrained(tmp_path / "new" / "folder")
    assert again.dialect == "original"
    assert again.num_image_tokens == 128
    assert again.image_processor == images
    assert_same(processor, again, box=(1, 2, 30, 40))
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    expected = {"processor_config", "preprocessor_config", "tokenizer", "tokenizer_config"}
    assert names == {f"{name}.json" for name in expected}


def test_unknown_keys_are_kept(tiny_tokenizer, tmp_path):
    GotOcr2Processor(GotOcr2ImageProcessor((32, 64)), tiny_tokenizer).save_pretrained(tmp_path)
    path = tmp_path / "processor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "note": [1, 2]}))
    GotOcr2Processor.from_pretrained(tmp_path).save_pretrained(tmp_path / "again")
    assert json.loads((tmp_path / "again" / "processor_config.json").read_text())["note"] == [1, 2]


def test_transformers_reads_our_files(tiny_tokenizer, tmp_path):
    transformers = pytest.importorskip("transformers")
    ours = GotOcr2Processor(GotOcr2ImageProcessor((96, 80)), tiny_tokenizer, num_image_tokens=256)
    ours.save_pretrained(tmp_path)
    oracle = transformers.GotOcr2Processor.from_pretrained(tmp_path, backend="pil")
    kwargs = {"format": True, "crop_to_patches": True, "max_patches": 4}
    theirs, batch = oracle(page(), return_tensors="pt", **kwargs), ours(page(), **kwargs)
    assert torch.equal(batch.input_ids, theirs["input_ids"])
    torch.testing.assert_close(batch.pixel_values, theirs["pixel_values"], rtol=0, atol=1e-6)


def test_we_read_the_files_of_transformers(tiny_backend, tmp_path):
    """transformers 5 puts the image processor's settings inside processor_config.json."""
    transformers = pytest.importorskip("transformers")
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    images = GotOcr2ImageProcessorPil(size={"height": 96, "width": 80})
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=tiny_backend)
    oracle = transformers.GotOcr2Processor(images, tokenizer)
    oracle.save_pretrained(tmp_path)
    assert not (tmp_path / "preprocessor_config.json").exists()
    ours = GotOcr2Processor.from_pretrained(tmp_path)
    assert ours.dialect == "hf"
    theirs, batch = oracle(page(), return_tensors="pt", format=True), ours(page(), format=True)
    assert torch.equal(batch.input_ids, theirs["input_ids"])
    torch.testing.assert_close(batch.pixel_values, theirs["pixel_values"], rtol=0, atol=1e-6)


def test_the_older_layout_of_transformers(tiny_tokenizer, tmp_path):
    """preprocessor_config.json and tokenizer.json alone, as some folders of transformers 4 are."""
    GotOcr2Processor(GotOcr2ImageProcessor((96, 80)), tiny_tokenizer).save_pretrained(tmp_path)
    (tmp_path / "processor_config.json").unlink()
    ours = GotOcr2Processor.from_pretrained(tmp_path)
    assert (ours.dialect, ours.num_image_tokens, ours.image_processor.size) == ("hf", 256, (96, 80))


def test_the_original_layout(tmp_path):
    ranks = "".join(f"{base64.b64encode(bytes([b])).decode()} {b}\n" for b in range(256))
    (tmp_path / "qwen.tiktoken").write_text(ranks)
    (tmp_path / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "QWenTokenizer", "padding_side": "right"}'
    )
    (tmp_path / "config.json").write_text('{"model_type": "GOT"}')
    ours = GotOcr2Processor.from_pretrained(tmp_path)
    assert (ours.dialect, ours.num_image_tokens, ours.image_processor.size) == ("original", 256, (1024, 1024))
    assert ours.tokenizer.eos_token_id == 256 + 2
    prompt = ours.decode(ours(page()).input_ids[0], skip_special_tokens=True)
    assert prompt.endswith("user\n\nOCR: assistant\n")
    # Saved in transformers' layout it is still the original dialect.
    ours.save_pretrained(tmp_path / "saved")
    assert GotOcr2Processor.from_pretrained(tmp_path / "saved").dialect == "original"


def test_the_opener_is_passed_on(tiny_tokenizer, tmp_path):
    GotOcr2Processor(GotOcr2ImageProcessor((32, 64)), tiny_tokenizer).save_pretrained(tmp_path)
    processor = GotOcr2Processor.from_pretrained(tmp_path, opener=lambda path: page())
    assert_same(processor, processor)
    assert processor("any.png").pixel_values.shape == (1, 3, 32, 64)


def test_missing_files_say_so(tiny_tokenizer, tmp_path):
    with pytest.raises(CheckpointError, match="neither an existing folder nor a hub repository"):
        GotOcr2Processor.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(FileAccessError, match=r"neither preprocessor_config\.json nor"):
        GotOcr2Processor.from_pretrained(tmp_path)
    GotOcr2ImageProcessor().save_pretrained(tmp_path)
    with pytest.raises(FileAccessError, match=r"neither tokenizer\.json nor"):
        GotOcr2Processor.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dialect": "german"}, "dialect"),
        ({"num_image_tokens": "many"}, "num_image_tokens"),
        ([], "JSON object"),
    ],
)
def test_damaged_settings_say_so(tiny_tokenizer, tmp_path, settings, message):
    GotOcr2Processor(GotOcr2ImageProcessor((32, 64)), tiny_tokenizer).save_pretrained(tmp_path)
    (tmp_path / "processor_config.json").write_text(json.dumps(settings))
    with pytest.raises(ConfigError, match=message):
        GotOcr2Processor.from_pretrained(tmp_path)


def test_importing_the_room_imports_neither_transformers_nor_torch():
    code = "import sys, got_ocr2.processing; print({'torch', 'transformers'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
