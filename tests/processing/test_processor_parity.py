"""Dialect "hf" against transformers' processor: equal ids and pixels in every mode and combination."""

import itertools

import numpy as np
import pytest
import torch
from PIL import Image

from got_ocr2.processing import GotOcr2ImageProcessor, GotOcr2Processor

TILE, TOKENS = (96, 80), 5
SIZES = [(131, 77), (40, 200), (96, 96)]  # height, width


def page(number):
    height, width = SIZES[number]
    rng = np.random.default_rng(number)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def ours(qwen_tokenizer):
    return GotOcr2Processor(GotOcr2ImageProcessor(TILE), qwen_tokenizer, num_image_tokens=TOKENS)


@pytest.fixture(scope="module")
def oracle(make_oracle_processor):
    return make_oracle_processor(size=TILE, num_image_tokens=TOKENS)


def assert_equal(ours, theirs):
    assert set(ours) == {"input_ids", "attention_mask", "pixel_values"}
    for name in ("input_ids", "attention_mask"):
        assert ours[name].dtype == torch.int64
        assert torch.equal(ours[name], theirs[name])
    torch.testing.assert_close(ours["pixel_values"], theirs["pixel_values"], rtol=0, atol=1e-6)


FORMATS = ({}, {"format": True})
REGIONS = (
    {},
    {"box": [3, 7.5, 50, 39]},
    {"box": [0, 0, 77, 40]},
    {"color": "green"},
    {"color": "dark red", "box": [1, 2, 3, 4]},
)
CROPS = (
    {},
    {"crop_to_patches": True},
    {"crop_to_patches": True, "min_patches": 2, "max_patches": 4},
    {"crop_to_patches": True, "max_patches": 1},
)


def combinations(*options):
    return [{k: v for part in parts for k, v in part.items()} for parts in itertools.product(*options)]


def copied(kwargs):
    """The oracle scales the caller's box in place."""
    return {k: list(v) if isinstance(v, list) else v for k, v in kwargs.items()}


@pytest.mark.parametrize("kwargs", combinations(FORMATS, REGIONS, CROPS), ids=str)
def test_one_page(ours, oracle, kwargs):
    image = page(0)
    assert_equal(ours(image, **kwargs), oracle(image, return_tensors="pt", **copied(kwargs)))


@pytest.mark.parametrize("kwargs", combinations(FORMATS, CROPS, ({}, {"color": "red"})), ids=str)
def test_batches(ours, oracle, kwargs):
    images = [page(i) for i in range(3)]
    theirs = oracle(images, return_tensors="pt", padding=True, **kwargs)
    assert_equal(ours(images, **kwargs), theirs)


@pytest.mark.parametrize("kwargs", combinations(FORMATS, CROPS, ({}, {"color": "red"})), ids=str)
@pytest.mark.parametrize("pages", [1, 2, 3])
def test_one_document_of_several_pages(ours, oracle, kwargs, pages):
    images = [page(i) for i in range(pages)]
    for nested in (images, [images]):
        # The oracle puts one placeholder for each group, which is right for one group only.
        theirs = oracle(nested, multi_page=True, return_tensors="pt", **kwargs)
        assert_equal(ours(nested, multi_page=True, **kwargs), theirs)


def test_a_single_page_as_several(ours, oracle):
    theirs = oracle(page(1), multi_page=True, return_tensors="pt")
    assert_equal(ours(page(1), multi_page=True), theirs)


def test_boxes_of_a_batch_equal_pages_alone(ours, oracle):
    """The oracle scales one box for a batch again and again, so it is asked for each page alone."""
    images, box = [page(0), page(2)], [3, 7, 50, 39]
    batch = ours(images, box=box)
    for row, image in zip(batch.input_ids, images, strict=True):
        alone = oracle(image, box=list(box), return_tensors="pt").input_ids[0]
        assert torch.equal(row[-len(alone) :], alone)
        assert (row[: -len(alone)] == ours.tokenizer.pad_token_id).all()


@pytest.mark.parametrize("crop", CROPS, ids=str)
def test_own_text(ours, oracle, crop):
    text = "<|im_start|>user\n<img><imgpad></img>\nWas steht hier? 它说什么<|im_end|>"
    for images in (page(0), [page(0), page(1)]):
        texts = text if isinstance(images, Image.Image) else [text, text + " more"]
        theirs = oracle(images, text=texts, return_tensors="pt", padding=True, **crop)
        assert_equal(ours(images, text=texts, **crop), theirs)


def test_plain_lists(ours, oracle):
    images = [page(0), page(1)]
    theirs, lists = oracle(images, box=[1, 2, 30, 40]), ours(images, box=[1, 2, 30, 40], return_tensors=None)
    assert lists["input_ids"][0] == theirs["input_ids"][0]
    unpadded = ours(images, box=[[1, 2, 30, 40], [100, 2, 200, 40]], return_tensors=None, padding=False)
    assert len(unpadded["input_ids"][0]) != len(unpadded["input_ids"][1])
    assert unpadded["attention_mask"] == [[1] * len(row) for row in unpadded["input_ids"]]
    np.testing.assert_allclose(lists["pixel_values"], np.stack(theirs["pixel_values"]), rtol=0, atol=1e-6)


def test_decoding(ours, oracle):
    ids = ours(page(0), format=True).input_ids
    for skip in (True, False):
        expected = oracle.batch_decode(ids, skip_special_tokens=skip)
        assert ours.batch_decode(ids, skip_special_tokens=skip) == expected
        assert ours.decode(ids[0], skip_special_tokens=skip) == expected[0]
