"""What the processor does beyond transformers', and what it refuses."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from got_ocr2.errors import InputError, InvalidOptionError
from got_ocr2.processing import GotOcr2ImageProcessor, GotOcr2Processor

TOKENS = 7


def page(width=100, height=50):
    return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture
def processor(tiny_tokenizer):
    images = GotOcr2ImageProcessor((32, 64), resize_mode="pad", max_upscale=2.0)
    return GotOcr2Processor(images, tiny_tokenizer, num_image_tokens=TOKENS, dialect="original")


@pytest.fixture
def hf(tiny_tokenizer):
    return GotOcr2Processor(GotOcr2ImageProcessor((32, 64)), tiny_tokenizer, num_image_tokens=TOKENS)


def prompts(processor, batch):
    """The text of each row, padding left out."""
    pad = processor.tokenizer.pad_token
    rows = processor.batch_decode(batch.input_ids, skip_special_tokens=False)
    return [row.replace(pad, "") for row in rows]


def questions(processor, batch):
    return [row.split("</img>\n")[1].split("<|im_end|>")[0] for row in prompts(processor, batch)]


def image_counts(processor, batch):
    return (batch.input_ids == processor.tokenizer.image_token_id).sum(dim=1).tolist()


# --- what comes out -------------------------------------------------------------------------------------


def test_small_tokenizer_with_phrases(processor):
    batch = processor(page())
    names = [processor.tokenizer.convert_ids_to_tokens(i) for i in batch.input_ids[0].tolist()]
    assert names == [
        "<|im_start|>",
        "system\nYou should follow the instructions carefully and explain your answers in detail.",
        "<|im_end|>",
        "<|im_start|>",
        "user\n",
        "<img>",
        *["<imgpad>"] * TOKENS,
        "</img>",
        "Ċ",
        "OCR: ",
        "<|im_end|>",
        "<|im_start|>",
        "assistant\n",
    ]
    assert batch.pixel_values.shape == (1, 3, 32, 64)
    assert batch.pixel_values.dtype == torch.float32


def test_unequal_prompts_are_padded_on_the_left(processor):
    batch = processor([page(), page()], box=[[0, 0, 5, 5], [10, 10, 100, 50]])
    pad = processor.tokenizer.pad_token_id
    lengths = batch.attention_mask.sum(dim=1).tolist()
    assert lengths[0] < lengths[1] == batch.input_ids.shape[1]
    for ids, mask, length in zip(batch.input_ids, batch.attention_mask, lengths, strict=True):
        assert mask.tolist() == [0] * (len(ids) - length) + [1] * length
        assert (ids[: len(ids) - length] == pad).all()
    with pytest.raises(InvalidOptionError, match="padding=True"):
        processor([page(), page()], box=[[0, 0, 5, 5], [10, 10, 100, 50]], padding=False)


def test_entries_are_attributes_and_move_together(processor):
    batch = processor(page())
    assert dict(**batch).keys() == {"input_ids", "attention_mask", "pixel_values"}
    assert batch.input_ids is batch["input_ids"]
    with pytest.raises(AttributeError, match="not 'labels'"):
        _ = batch.labels
    assert batch.to("cpu") is batch
    batch.to(torch.bfloat16)
    assert batch.pixel_values.dtype == torch.bfloat16
    assert batch.input_ids.dtype == torch.int64
    batch.to("meta", torch.float16)
    assert batch.pixel_values.device.type == batch.input_ids.device.type == "meta"
    assert batch.pixel_values.dtype == torch.float16
    lists = processor(page(), return_tensors=None).to("meta")
    assert isinstance(lists.input_ids, list)


@pytest.mark.parametrize("kind", ["pt", "np"])
def test_array_kinds(processor, kind):
    batch = processor([page(), page()], return_tensors=kind)
    expected = torch.Tensor if kind == "pt" else np.ndarray
    assert all(isinstance(value, expected) for value in batch.values())


def test_kinds_of_image_give_the_same(hf):
    image = page()
    array = np.array(image)
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    expected = hf(image, box=(10, 5, 90, 40))
    for other in (array, tensor, array / 255, [array], (image,), image.convert("RGBA")):
        batch = hf(other, box=(10, 5, 90, 40))
        assert torch.equal(batch.input_ids, expected.input_ids)
        assert torch.equal(batch.pixel_values, expected.pixel_values)


def test_several_documents_of_several_pages_in_one_batch(hf):
    first, second, third = [page(100, 50), page(30, 90)], [page(40, 40)], [page(i + 9, 20) for i in range(3)]
    for kwargs in ({}, {"crop_to_patches": True, "max_patches": 4}, {"format": True}):
        batch = hf([first, second, third], multi_page=True, **kwargs)
        alone = [hf(pages, multi_page=True, **kwargs) for pages in (first, second, third)]
        assert prompts(hf, batch) == [prompts(hf, one)[0] for one in alone]
        assert torch.equal(batch.pixel_values, torch.cat([one.pixel_values for one in alone]))
        assert sum(image_counts(hf, batch)) == TOKENS * len(batch.pixel_values)


def test_colors_of_a_batch(processor):
    batch = processor([page()] * 3, color=["red", None, "blue"])
    assert questions(processor, batch) == ["[red] OCR: ", "OCR: ", "[blue] OCR: "]
    assert questions(processor, processor([page()] * 2, color="green")) == ["[green] OCR: "] * 2


def test_boxes_of_a_batch(hf):
    images = [page(100, 50), page(200, 400), page(10, 10)]
    boxes = [(10, 5, 50, 50), [100, 100, 200, 300], None]
    batch = hf(images, box=boxes)
    expected = ["[100, 100, 500, 1000] OCR: ", "[500, 250, 1000, 750] OCR: ", " OCR: "]
    assert questions(hf, batch) == expected
    assert questions(hf, hf(images[:2], box=np.array([boxes[0], boxes[1]]))) == expected[:2]
    assert questions(hf, hf(images[:1], box=[boxes[0]])) == expected[:1]
    assert questions(hf, hf(images[:1], box=torch.tensor(boxes[0]))) == expected[:1]
    assert questions(hf, hf(images[:1], box=[np.float32(v) for v in boxes[0]])) == expected[:1]
    assert questions(hf, hf(images[:1], box=[[np.int64(v) for v in boxes[0]]])) == expected[:1]


def test_one_box_for_all_is_scaled_for_each(hf):
    batch = hf([page(100, 50), page(200, 100)], box=[0, 0, 50, 25])
    assert questions(hf, batch) == ["[0, 0, 500, 500] OCR: ", "[0, 0, 250, 250] OCR: "]


def test_the_callers_arguments_are_left_alone(hf):
    box, boxes, images, colors = [1, 2, 30, 40], [[1, 2, 30, 40]], [page()], ["red"]
    hf(images, box=box, color=colors)
    hf(images, box=boxes)
    hf(images, box=box)
    assert (box, boxes, colors, len(images)) == ([1, 2, 30, 40], [[1, 2, 30, 40]], ["red"], 1)


def test_boxes_follow_the_picture_onto_the_canvas(processor):
    # 20x10 doubles to 40x20 at the top left of 64 wide, 32 high.
    question = questions(processor, processor(page(20, 10), box=(0, 0, 20, 10)))
    assert question == ["[0, 0, 625, 625] OCR: "]


def test_boxes_are_those_of_the_upright_picture(hf):
    """A camera held sideways: 100 wide and 50 high as stored, 50 wide and 100 high as seen."""
    image = page(100, 50)
    image.getexif()[0x0112] = 6
    assert questions(hf, hf(image, box=(0, 0, 25, 100))) == ["[0, 0, 500, 1000] OCR: "]
    with pytest.raises(InvalidOptionError, match="50x100"):
        hf(image, box=(0, 0, 100, 50))


def test_tiles_of_the_image_processors_own_setting(tiny_tokenizer):
    images = GotOcr2ImageProcessor((16, 16), crop_to_patches=True, max_patches=4)
    processor = GotOcr2Processor(images, tiny_tokenizer, num_image_tokens=2)
    batch = processor(page(40, 10))
    assert image_counts(processor, batch) == [2 * 5]
    assert questions(processor, batch) == [" OCR upon the patch reference: "]
    assert image_counts(processor, processor(page(40, 10), crop_to_patches=False)) == [2]


def test_own_text_with_placeholders(hf):
    pages, text = [page(40, 10), page(10, 10)], "a<imgpad>b<imgpad>c"
    crop = {"crop_to_patches": True, "max_patches": 4, "multi_page": True}
    tiles = hf.image_processor(pages, crop_to_patches=True, max_patches=4).num_patches
    assert len(set(tiles)) == 2
    runs = ["<imgpad>" * (TOKENS * n) for n in tiles]
    assert prompts(hf, hf(pages, text=text, **crop)) == [f"a{runs[0]}b{runs[1]}c"]
    assert prompts(hf, hf(pages, text="a<imgpad>c", **crop)) == [f"a{runs[0]}{runs[1]}c"]
    ready = f"a{runs[0]}{runs[1]}c"
    assert prompts(hf, hf(pages, text=ready, **crop)) == [ready]
    assert prompts(hf, hf([page()] * 2, text="<imgpad>?")) == ["<imgpad>" * TOKENS + "?"] * 2


def test_an_opener_opens_what_is_no_picture(tiny_tokenizer, tmp_path):
    opened = []

    def opener(path):
        opened.append(path)
        return page()

    images = GotOcr2ImageProcessor((32, 64))
    processor = GotOcr2Processor(images, tiny_tokenizer, num_image_tokens=TOKENS, opener=opener)
    expected = processor(page())
    for source in ("https://example.org/a.png", Path("b.png"), ["c.png"]):
        assert torch.equal(processor(source).pixel_values, expected.pixel_values)
    processor([["d.png", page()], ["e.png"]], multi_page=True)
    assert opened == ["https://example.org/a.png", Path("b.png"), "c.png", "d.png", "e.png"]


def test_processors_can_be_pickled(processor):
    again = pickle.loads(pickle.dumps(processor))
    assert torch.equal(again(page()).input_ids, processor(page()).input_ids)


# --- what is refused ------------------------------------------------------------------------------------

BOX_ERRORS = [
    ([0, 0, 111, 50], r"\[0, 0, 111, 50\] reaches outside the image of 100x50"),
    ([0, 0, 100, 55.5], "outside the image of 100x50"),
    ([-11, 0, 10, 10], "outside"),
    ([-9, 0, -1, 10], "outside"),
    ([50, 10, 40, 20], "empty or reversed"),
    ([10, 20, 40, 20], "empty or reversed"),
    ([1, 2, 3], r"got 3 values: \[1, 2, 3\]"),
    ([1, 2, 3, 4, 5], "got 5 values"),
    ([], "got 0 values"),
    ([0, 0, float("nan"), 10], "finite"),
    ([0, 0, float("inf"), 10], "finite"),
    ([0, 0, "10", 10], "finite"),
    ([0, 0, True, 10], "finite"),
    ("0,0,10,10", "got '0,0,10,10'"),
    (7, "got 7"),
    ([[0, 0, 10, 10], [0, 0, 10, 10]], "box holds 2 values for 1 images"),
    ([[0, 0, 10, 10], 5], "box holds 2 values for 1 images"),
    ([[[0, 0, 10, 10]]], "finite numbers|got 1 values"),
]


@pytest.mark.parametrize(("box", "message"), BOX_ERRORS)
def test_wrong_boxes_are_refused(hf, box, message):
    with pytest.raises(InvalidOptionError, match=message):
        hf(page(), box=box)


def test_boxes_mixed_with_numbers_are_refused(hf):
    with pytest.raises(InvalidOptionError, match="mixes boxes and single numbers"):
        hf([page(), page()], box=[[0, 0, 10, 10], 5])


def test_a_box_is_of_one_page(hf, processor):
    for p in (hf, processor):
        with pytest.raises(InvalidOptionError, match="multi_page"):
            p([page(), page()], multi_page=True, format=True, box=[0, 0, 10, 10])


def test_box_and_color_together_are_refused_where_they_contradict(processor, hf):
    with pytest.raises(InvalidOptionError, match="a box and a color together"):
        processor(page(), box=[0, 0, 10, 10], color="red")
    batch = hf(page(), box=[0, 0, 10, 10], color="red")
    assert questions(hf, batch) == ["[red] [0, 0, 100, 200] OCR: "]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"boxes": [1]}, "does not know the argument boxes"),
        ({"images_kwargs": {"tiles": 2}, "chat": 1}, "chat, tiles"),
        ({"format": "latex"}, "format must be True or False, got 'latex'"),
        ({"multi_page": 1}, "multi_page must be True or False, got 1"),
        ({"crop_to_patches": 2}, "crop_to_patches must be True or False, got 2"),
        ({"max_patches": 0}, "max_patches"),
        ({"color": 5}, "color must be a word .* got 5"),
        ({"color": ["red", "red"]}, "color holds 2 values for 1 images"),
        ({"color": [5]}, "got 5"),
        ({"text": 5}, "text must be a string"),
        ({"text": ["<imgpad>", 5]}, "text must be a string"),
        ({"text": ["<imgpad>", "<imgpad>"]}, "text holds 2 prompts, 2 of them with <imgpad>, for 1 images"),
        ({"text": "no picture"}, "1 prompts, 0 of them with <imgpad>, for 1 images"),
        ({"text": "<imgpad><imgpad>"}, "has <imgpad> 2 times; it needs it once"),
        ({"text": "<imgpad>", "format": True}, "text is the whole prompt"),
        ({"text": "<imgpad>", "color": "red"}, "text is the whole prompt"),
        ({"return_tensors": "jax"}, "'jax'"),
        ({"padding": "max_length"}, "needs max_length"),
        ({"truncation": True}, "truncation would cut"),
    ],
)
def test_wrong_arguments_are_refused(hf, kwargs, message):
    with pytest.raises(InvalidOptionError, match=message):
        hf(page(), **kwargs)


@pytest.mark.parametrize(
    ("images", "multi_page", "message"),
    [
        (None, False, "An image is needed, or text without one, got None"),
        ([], False, "empty list"),
        ([], True, "empty list"),
        ([[]], True, "Document 1 of 1 has no pages"),
        ([[page()], []], True, "Document 2 of 2 has no pages"),
        ([[page()]], False, "pass multi_page=True"),
        ([[page()], page()], True, "mixes single images with lists"),
        ([[[page()]]], True, "nested once"),
        ("page.png", False, "'page.png' itself"),
        (Path("page.png"), False, "'page.png' itself"),
        (3, False, "got int"),
        ([page(), None], False, "got NoneType"),
        ({"image": 1}, False, "got dict"),
        (np.zeros((5, 8, 8), np.uint8), False, r"shape \(5, 8, 8\)"),
    ],
)
def test_wrong_images_are_refused(hf, images, multi_page, message):
    with pytest.raises(InvalidOptionError, match=message):
        hf(images, multi_page=multi_page)


def test_images_that_cannot_be_decoded_are_input_errors(hf):
    image = page()
    image.close()
    with pytest.raises((InputError, InvalidOptionError)):
        hf(image)


@pytest.mark.parametrize("kwargs", [{"dialect": "HF"}, {"num_image_tokens": 0}, {"num_image_tokens": 2.5}])
def test_wrong_settings_of_a_processor_are_refused(tiny_tokenizer, kwargs):
    (name,) = kwargs
    with pytest.raises(InvalidOptionError, match=name):
        GotOcr2Processor(GotOcr2ImageProcessor(), tiny_tokenizer, **kwargs)


# --- code written for transformers ----------------------------------------------------------------------


@pytest.mark.parametrize("box", [[-2, 0, 50, 54], [90, -5.0, 110, 20]])
def test_a_box_a_little_outside_is_cut_and_said(hf, box):
    inside = [max(0, box[0]), max(0, box[1]), min(100, box[2]), min(50, box[3])]
    with pytest.warns(UserWarning, match="is cut to"):
        cut = hf(page(), box=box)
    assert torch.equal(cut.input_ids, hf(page(), box=inside).input_ids)


def test_prompts_without_a_picture_stand_among_others(hf):
    batch = hf([page(), page()], text=["<imgpad>a", "only words", "<imgpad>b"])
    assert prompts(hf, batch) == ["<imgpad>" * TOKENS + "a", "only words", "<imgpad>" * TOKENS + "b"]
    assert len(batch.pixel_values) == 2
    assert "pixel_values" not in hf(text="only words")


def test_arguments_may_come_in_groups(hf):
    grouped = hf(
        page(), images_kwargs={"crop_to_patches": True, "max_patches": 2}, text_kwargs={"padding": False}
    )
    assert torch.equal(grouped.pixel_values, hf(page(), crop_to_patches=True, max_patches=2).pixel_values)


def test_a_batch_goes_to_a_device_and_a_dtype_in_either_order(hf):
    for batch in (
        hf(page()).to("cpu", torch.bfloat16),
        hf(page()).to(torch.bfloat16, "cpu"),
        hf(page()).to(torch.bfloat16, device="cpu"),
        hf(page(), device="cpu").to(dtype=torch.bfloat16),
    ):
        assert (batch.pixel_values.dtype, batch.input_ids.dtype) == (torch.bfloat16, torch.int64)
    with pytest.raises(InvalidOptionError, match="one device and one dtype"):
        hf(page()).to("cpu", "cuda")


def test_short_prompts_may_be_filled_on_the_right(hf):
    left = hf([page(), page()], color=["red", "dark red"])
    right = hf([page(), page()], color=["red", "dark red"], padding_side="right")
    assert torch.equal(left.input_ids.flip(0)[0], right.input_ids[1])
    assert right.attention_mask[0].tolist() == left.attention_mask[0].flip(0).tolist()
