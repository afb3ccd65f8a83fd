"""Pages with nothing on them are told from pages with hardly anything."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from fake_ocr import fake_ocr
from got_ocr2.errors import InvalidOptionError
from got_ocr2.reading.blank_pages import is_blank
from make_pdf import make_pdf


def paper(size=(300, 400), level=245, noise=0.0, slope=0.0, seed=0) -> Image.Image:
    width, height = size
    values = (
        level
        - slope * np.arange(width)[None, :]
        + noise * np.random.default_rng(seed).normal(size=(height, width))
    )
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB")


PAPER = {
    "level": st.integers(90, 255),
    "noise": st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    "slope": st.sampled_from([0.0, 0.05]),
    "seed": st.integers(0, 9),
}


@settings(max_examples=30, deadline=None)
@given(**PAPER)
@example(level=90, noise=2.0, slope=0.05, seed=9)
def test_paper_with_noise_and_shadow_is_blank(**made):
    assert is_blank(paper(**made))


@settings(max_examples=30, deadline=None)
@given(
    x=st.integers(2, 285),
    y=st.integers(2, 385),
    color=st.sampled_from(["black", "red", "blue", "#777"]),
    **PAPER,
)
def test_one_small_letter_is_not_nothing(x, y, color, **made):
    page = paper(**{**made, "level": max(made["level"], 200)})
    ImageDraw.Draw(page).text((x, y), "x", fill=color, font_size=10)
    assert not is_blank(page)


@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("depth", [14, 20, 30])
def test_faint_pencil_is_not_nothing(noise, depth):
    page = paper((600, 800), 245, noise)
    ImageDraw.Draw(page).line((100, 300, 180, 340), fill=(245 - depth,) * 3, width=2)
    assert not is_blank(page)


@pytest.mark.parametrize(("noise", "depth"), [(2, 14), (3, 14), (5, 18), (7, 28)])
@pytest.mark.parametrize("end", [(180, 300), (180, 340), (150, 380), (60, 380)])
def test_faint_pencil_on_rough_paper_is_not_nothing(noise, depth, end):
    plain = Image.new("L", (300, 600), 235)
    ImageDraw.Draw(plain).line((100, 300, *end), fill=235 - depth, width=2)
    values = np.asarray(plain) + noise * np.random.default_rng(9).normal(size=(600, 300))
    page = Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8)).convert("RGB")
    assert not is_blank(page)


@pytest.mark.parametrize("noise", [1.0, 3.0, 5.0])
@pytest.mark.parametrize("soft", [0.8, 1.6])
def test_noise_of_neighbours_that_are_alike_is_blank(noise, soft):
    for seed in range(2):
        field = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(600, 300)), (0, 0), soft)
        values = 235 + noise * field / field.std()
        assert is_blank(Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8)).convert("RGB"))


@pytest.mark.parametrize("row", [0, 300, 511, 512, 513, 1023, 1199])
def test_ink_at_any_height_of_a_long_page(row):
    page = Image.new("RGB", (200, 1200), "white")
    ImageDraw.Draw(page).rectangle((90, row, 93, row), fill="black")
    assert not is_blank(page)


def test_full_pages_and_tiny_pictures_are_left_to_the_model(page_image):
    noise = np.random.default_rng(0).integers(0, 256, (90, 150, 3), np.uint8)
    for image in (page_image, Image.fromarray(noise), Image.new("RGB", (31, 500), "white")):
        assert not is_blank(image)


def test_the_model_is_not_asked_for_blank_pages():
    ocr = fake_ocr(lambda _: "hallucinated")
    document = ocr.read(make_pdf(["a", "", "b"]))
    assert [(page.status, page.finish_reason) for page in document.pages] == [
        ("complete", "stop"), ("empty", "blank"), ("complete", "stop"),
    ]  # fmt: skip
    blank = Image.new("RGB", (100, 80), "white")
    assert ocr.read(blank, confidence="word").words == ()
    assert ocr.read(blank, skip_blank=False).text == "hallucinated"
    assert ocr.read(blank, box=(0, 0, 9, 9)).text == "hallucinated"
    assert ocr.read([blank, Image.effect_noise((90, 80), 99)], multi_page=True).text == "hallucinated"
    assert ocr.read([blank, blank], multi_page=True).status == "empty"
    with pytest.raises(InvalidOptionError, match="skip_blank must be True or False"):
        ocr.read(blank, skip_blank=1)
