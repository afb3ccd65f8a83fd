"""The seven usages of the model's published documentation, written as there but for the import line.

Source: Hugging Face's documentation page of GOT-OCR2 (transformers `model_doc/got_ocr2.md`). Only what needs
the network is other: the repository's name stands for a local folder with random weights, and the addresses
of pictures for local ones; `published` puts both in place. Random weights write nonsense, so the results are
compared with what transformers makes of the same arguments.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from got_ocr2 import AutoModelForImageTextToText, AutoProcessor, auto
from got_ocr2.checkpoints import load

REPO = "yonigozlan/GOT-OCR-2.0-hf"
PICTURES = "https://huggingface.co/datasets/hf-internal-testing/fixtures_got_ocr/resolve/main/"
SIZES = {
    "image_ocr.jpg": (150, 90),
    "latex.png": (80, 90),
    "multi_box.png": (110, 80),
    "one_column.png": (150, 60),
    "page1.png": (70, 90),
    "page2.png": (90, 70),
    "sheet_music.png": (150, 50),
}
NEW_TOKENS = 12  # 4096 on the page; random weights would fill them all


@pytest.fixture(autouse=True)
def published(monkeypatch, byte_folder, page_image):
    """Makes `REPO` a local checkpoint, and every published picture a local one."""
    from got_ocr2.processing import files

    def resolve(name: str, **options: object) -> Path:
        assert name in (REPO, byte_folder)
        return byte_folder

    def open_picture(source: str) -> Image.Image:
        assert source.startswith(PICTURES)
        return page_image.crop((0, 0, *SIZES[source.removeprefix(PICTURES)]))

    monkeypatch.setattr(load, "resolve", resolve)
    monkeypatch.setattr(files, "resolve", resolve)
    monkeypatch.setattr(auto, "open_picture", open_picture)
    return open_picture


@pytest.fixture(scope="module")
def oracle(byte_folder):
    """What transformers writes for the same pictures and arguments."""
    transformers = pytest.importorskip("transformers")
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    model = transformers.GotOcr2ForConditionalGeneration.from_pretrained(byte_folder)
    processor = transformers.GotOcr2Processor(
        GotOcr2ImageProcessorPil.from_pretrained(byte_folder),
        transformers.AutoTokenizer.from_pretrained(byte_folder),
    )
    processor.num_image_tokens = 9

    def write(images, max_new_tokens: int, **options) -> list[str]:
        inputs = processor(images, return_tensors="pt", **options)
        ids = model.generate(**inputs, do_sample=False, max_new_tokens=max_new_tokens)
        return processor.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)

    return write


def test_plain_text(oracle, published):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForImageTextToText.from_pretrained("yonigozlan/GOT-OCR-2.0-hf", device_map=device)
    processor = AutoProcessor.from_pretrained("yonigozlan/GOT-OCR-2.0-hf")

    image = f"{PICTURES}image_ocr.jpg"
    inputs = processor(image, return_tensors="pt").to(device)

    generate_ids = model.generate(
        **inputs,
        do_sample=False,
        tokenizer=processor.tokenizer,
        stop_strings="<|im_end|>",
        max_new_tokens=NEW_TOKENS,
    )

    text = processor.decode(generate_ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)

    assert [text] == oracle(published(image), NEW_TOKENS)


def test_plain_text_batched(oracle, published):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForImageTextToText.from_pretrained("yonigozlan/GOT-OCR-2.0-hf", device_map=device)
    processor = AutoProcessor.from_pretrained("yonigozlan/GOT-OCR-2.0-hf")

    image1 = f"{PICTURES}multi_box.png"
    image2 = f"{PICTURES}image_ocr.jpg"

    inputs = processor([image1, image2], return_tensors="pt").to(device)

    generate_ids = model.generate(
        **inputs,
        do_sample=False,
        tokenizer=processor.tokenizer,
        stop_strings="<|im_end|>",
        max_new_tokens=4,
    )

    texts = processor.batch_decode(generate_ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)

    assert texts == oracle([published(image1), published(image2)], 4)
    assert texts[0] != texts[1]


def test_formatted_text(oracle, published):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForImageTextToText.from_pretrained("yonigozlan/GOT-OCR-2.0-hf", device_map=device)
    processor = AutoProcessor.from_pretrained("yonigozlan/GOT-OCR-2.0-hf")

    image = f"{PICTURES}latex.png"
    inputs = processor(image, return_tensors="pt", format=True).to(device)

    generate_ids = model.generate(
        **inputs,
        do_sample=False,
        tokenizer=processor.tokenizer,
        stop_strings="<|im_end|>",
        max_new_tokens=NEW_TOKENS,
    )

    text = processor.decode(generate_ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)

    assert [text] == oracle(published(image), NEW_TOKENS, format=True)


def test_multiple_pages(oracle, published):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForImageTextToText.from_pretrained("yonigozlan/GOT-OCR-2.0-hf", device_map=device)
    processor = AutoProcessor.from_pretrained("yonigozlan/GOT-OCR-2.0-hf")

    image1 = f"{PICTURES}page1.png"
    image2 = f"{PICTURES}page2.png"
    inputs = processor([image1, image2], return_tensors="pt", multi_page=True, format=True).to(device)

    generate_ids = model.generate(
        **inputs,
        do_sample=False,
        tokenizer=processor.tokenizer,
        stop_strings="<|im_end|>",
        max_new_tokens=NEW_TOKENS,
    )

    text = processor.decode(generate_ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)

    pages = [published(image1), published(image2)]
    assert generate_ids.shape[0] == 1
    assert pages[0].size != pages[1].size
    assert [text] == oracle(pages, NEW_TOKENS, multi_page=True, format=True)


def test_cropped_patches(byte_config):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForImageTextToText.from_pretrained(
        "yonigozlan/GOT-OCR-2.0-hf", torch_dtype=torch.bfloat16, device_map=device
    )
    processor = AutoProcessor.from_pretrained("yonigozlan/GOT-OCR-2.0-hf")

    image = f"{PICTURES}one_column.png"
    inputs = processor(image, return_tensors="pt", format=True, crop_to_patches=True, max_patches=3).to(
        device
    )

    generate_ids = model.generate(
        **inputs,
        do_sample=False,
        tokenizer=processor.tokenizer,
        stop_strings="<|im_end|>",
        max_new_tokens=NEW_TOKENS,
    )

    text = processor.decode(generate_ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)

    assert model.dtype == torch.bfloat16
    tiles = inputs["pixel_values"].shape[0]
    assert tiles > 1
    assert (inputs["input_ids"] == byte_config.image_token_index).sum() == 9 * tiles
    assert generate_ids.shape[1] > inputs["input_ids"].shape[1]
    assert isinstance(text, str)


def test_cropped_patches_in_full_precision(oracle, published):
    """The example above is in bfloat16, where two right implementations may part; in float32 they may not."""
    model = AutoModelForImageTextToText.from_pretrained(REPO)
    processor = AutoProcessor.from_pretrained(REPO)
    image = f"{PICTURES}one_column.png"
    crop = {"format": True, "crop_to_patches": True, "max_patches": 3}
    inputs = processor(image, return_tensors="pt", **crop)
    ids = model.generate(**inputs, max_new_tokens=NEW_TOKENS)
    texts = processor.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert texts == oracle(published(image), NEW_TOKENS, **crop)


@pytest.mark.parametrize("region", [{"color": "green"}, {"box": [20, 30, 90, 75]}], ids=["color", "box"])
def test_a_specific_region(region, oracle, published):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForImageTextToText.from_pretrained("yonigozlan/GOT-OCR-2.0-hf", device_map=device)
    processor = AutoProcessor.from_pretrained("yonigozlan/GOT-OCR-2.0-hf")

    image = f"{PICTURES}multi_box.png"
    # color="green" or box=[x1, y1, x2, y2] for coordinates (image pixels)
    inputs = processor(image, return_tensors="pt", **region).to(device)

    generate_ids = model.generate(
        **inputs,
        do_sample=False,
        tokenizer=processor.tokenizer,
        stop_strings="<|im_end|>",
        max_new_tokens=NEW_TOKENS,
    )

    text = processor.decode(generate_ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)

    # transformers writes into the list that it is given, hence the copy.
    copy = {name: list(value) if name == "box" else value for name, value in region.items()}
    assert [text] == oracle(published(image), NEW_TOKENS, **copy)


KERN = "**kern\n*clefG2\n*k[f#]\n*M3/4\n=1\n4g\n8a\n8b\n4cc\n=2\n2.dd\n==\n*-\n"


@pytest.fixture
def reads_music(monkeypatch, byte_folder):
    """Lets the model answer with a piece of music: random weights have not learnt any."""
    from got_ocr2 import GotOcr2ForConditionalGeneration, GotOcr2Tokenizer

    tokenizer = GotOcr2Tokenizer.from_pretrained(byte_folder)

    def generate(self, input_ids: torch.Tensor, **options: object) -> torch.Tensor:
        assert options["stop_strings"] == "<|im_end|>"
        answer = tokenizer.encode(f"{KERN}<|im_end|>")
        return torch.cat([input_ids, torch.tensor([answer])], dim=1)

    monkeypatch.setattr(GotOcr2ForConditionalGeneration, "generate", generate)


def test_sheet_music(reads_music, tmp_path, monkeypatch):
    verovio = pytest.importorskip("verovio")
    monkeypatch.chdir(tmp_path)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForImageTextToText.from_pretrained("yonigozlan/GOT-OCR-2.0-hf", device_map=device)
    processor = AutoProcessor.from_pretrained("yonigozlan/GOT-OCR-2.0-hf")

    image = f"{PICTURES}sheet_music.png"
    inputs = processor(image, return_tensors="pt", format=True).to(device)

    generate_ids = model.generate(
        **inputs,
        do_sample=False,
        tokenizer=processor.tokenizer,
        stop_strings="<|im_end|>",
        max_new_tokens=4096,
    )

    outputs = processor.decode(generate_ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    tk = verovio.toolkit()
    tk.loadData(outputs)
    tk.setOptions(
        {
            "pageWidth": 2100,
            "pageHeight": 800,
            "footer": "none",
            "barLineWidth": 0.5,
            "beamMaxSlope": 15,
            "staffLineWidth": 0.2,
            "spacingStaff": 6,
        }
    )
    tk.getPageCount()
    svg = tk.renderToSVG()
    svg = svg.replace('overflow="inherit"', 'overflow="visible"')
    with open("output.svg", "w") as f:
        f.write(svg)

    assert outputs == KERN
    drawn = (tmp_path / "output.svg").read_text()
    assert len(re.findall(r'class="note"', drawn)) == 5
