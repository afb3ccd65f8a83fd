"""Composed tasks: regions, stitched pages, documents, and nothing to read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image
from synth_helpers import PageOfLines

from got_ocr2.errors import GotOcr2Error, InvalidOptionError
from got_ocr2.synth.composing.documents import MultiPageEngine
from got_ocr2.synth.composing.negatives import NegativeEngine
from got_ocr2.synth.composing.patches import CropEngine
from got_ocr2.synth.composing.regions import COLORS, RegionEngine, glyphs_of
from got_ocr2.synth.mixture import Degraded, Mixture
from got_ocr2.synth.sample import Region, Sample


@dataclass(frozen=True)
class Blank:
    """Pages without regions and a text of a given length."""

    length: int = 0
    kind: str = "blank"

    def sample(self, seed: int, index: int) -> Sample:
        return Sample(self.kind, (Image.new("RGB", (20 + index % 7, 30)),), "x" * self.length)


def same(first: Sample, second: Sample) -> bool:
    return (
        [image.tobytes() for image in first.images] == [image.tobytes() for image in second.images]
        and (first.text, first.task, first.regions, first.meta)
        == (second.text, second.task, second.regions, second.meta)
        and np.array_equal(first.glyphs.boxes, second.glyphs.boxes)
    )


@pytest.mark.parametrize(
    "engine",
    [
        RegionEngine(PageOfLines()), CropEngine(PageOfLines()), MultiPageEngine(PageOfLines()), NegativeEngine(),
        Mixture([(PageOfLines(), 1.0), (NegativeEngine(), 2.0)]), Degraded(PageOfLines(), 0.9),
    ],
    ids=lambda engine: engine.kind,
)  # fmt: skip
def test_the_same_numbers_give_the_same_sample(engine) -> None:
    samples = [engine.sample(5, index) for index in range(4)]
    assert all(same(sample, engine.sample(5, index)) for index, sample in enumerate(samples))
    assert len({sample.images[0].tobytes() for sample in samples}) == 4


def test_a_region_is_asked_for_by_a_box_around_it() -> None:
    engine = RegionEngine(PageOfLines(), units=("line",), marking=(1, 0), jitter=0.5)
    boxes = set()
    for index in range(20):
        sample = engine.sample(0, index)
        assert sample.task.box is not None
        (region,) = sample.regions
        assert sample.text == region.text
        height = region.box[3] - region.box[1]
        for asked, exact in zip(sample.task.box, region.box, strict=True):
            assert abs(asked - exact) <= 0.5 * height
        width, page_height = sample.image.size
        assert 0 <= sample.task.box[0] < sample.task.box[2] < width
        assert 0 <= sample.task.box[1] < sample.task.box[3] < page_height
        boxes.add(sample.task.box)
    assert len(boxes) == 20


def test_a_region_is_asked_for_by_a_frame_around_it() -> None:
    engine = RegionEngine(PageOfLines(ink=(0, 0, 0)), units=("line",), marking=(0, 1))
    seen = set()
    for index in range(20):
        sample = engine.sample(0, index)
        assert sample.task.box is None
        assert sample.task.color is not None
        pixels = np.asarray(sample.image)
        rows, columns = np.nonzero((pixels == COLORS[sample.task.color]).all(-1))
        x1, y1, x2, y2 = sample.regions[0].box
        reach = 0.31 * (y2 - y1) + 2
        for found, exact in zip(
            (columns.min(), rows.min(), columns.max(), rows.max()), (x1, y1, x2, y2), strict=True
        ):
            assert abs(found - exact) <= reach
        seen.add(sample.task.color)
    assert seen == set(COLORS)


def test_the_glyphs_of_a_region_belong_to_its_text() -> None:
    page = PageOfLines(letters=18).sample(0, 3)
    for region in page.regions:
        glyphs = glyphs_of(page, region)
        letters = sorted(region.text[offset] for offset in glyphs.offsets)
        assert letters == sorted(region.text.replace(" ", "").replace("\n", ""))
        assert (glyphs.boxes[:, 1] >= region.box[1] - 1).all()


def test_a_text_that_stands_twice_is_told_apart_by_its_place() -> None:
    page = PageOfLines().sample(0, 0)
    line = page.regions[1].text
    text = "\n".join([line, line])
    lower = page.glyphs.boxes[: len(line.replace(" ", ""))] + np.array([0, 60, 0, 60], np.float32)
    upper = page.glyphs.boxes[: len(lower)]
    offsets = page.glyphs.offsets[: len(lower)]
    twice = Sample(
        "twice", page.images, text,
        glyphs=type(page.glyphs)(np.concatenate([offsets, offsets + len(line) + 1]), np.concatenate([upper, lower])),
    )  # fmt: skip
    x1, y1, x2, y2 = page.regions[1].box
    found = glyphs_of(twice, Region("line", line, (x1, y1 + 60, x2, y2 + 60)))
    assert np.array_equal(found.boxes, lower)
    assert np.array_equal(found.offsets, offsets)


@pytest.mark.parametrize("seed", range(4))
def test_stitched_pages_keep_their_pixels_places_and_order(seed: int) -> None:
    source = PageOfLines(formatted=True)
    sample = CropEngine(source, pages=(3, 3)).sample(seed, 1)
    assert sample.task.crop_to_patches
    assert sample.task.format
    blocks = [region for region in sample.regions if region.kind == "block"]
    assert sample.text == "\n".join(block.text for block in blocks)
    width, height = source.size
    assert sample.image.size == ((3 * width, height) if sample.meta["horizontal"] else (width, 3 * height))
    pixels = np.asarray(sample.image.convert("L"))
    for offset, box in zip(sample.glyphs.offsets, sample.glyphs.boxes.round().astype(int), strict=True):
        assert sample.text[offset] != " "
        assert pixels[box[1] : box[3], box[0] : box[2] + 1].min() < 120
    for line in (region for region in sample.regions if region.kind == "line"):
        assert line.text in sample.text


def test_a_picture_of_unequal_pages_is_filled_with_their_paper() -> None:
    wide = Mixture([(PageOfLines(size=(300, 100)), 1.0), (PageOfLines(size=(200, 160)), 1.0)])
    samples = [CropEngine(wide, pages=(2, 2)).sample(1, index) for index in range(12)]
    unequal = [sample for sample in samples if sample.image.size in ((500, 160), (300, 260))]
    assert unequal
    for sample in unequal:
        pixels = np.asarray(sample.image)
        assert pixels.min(-1).max() == 250
        assert (pixels[-1, -1] == 250).all()


def test_a_document_is_its_pages_in_order() -> None:
    engine = MultiPageEngine(PageOfLines(formatted=True), pages=(2, 5))
    counts = set()
    for index in range(30):
        sample = engine.sample(2, index)
        assert sample.task.multi_page
        assert sample.task.format
        blocks = [region for region in sample.regions if region.kind == "block"]
        assert [block.page for block in blocks] == list(range(len(sample.images)))
        assert sample.text == "\n".join(block.text for block in blocks)
        assert sample.glyphs.offsets.max() < len(blocks[0].text)
        counts.add(len(sample.images))
    assert counts == {2, 3, 4, 5}


def test_nothing_to_read_is_answered_as_told() -> None:
    for index in range(8):
        sample = NegativeEngine(answer="Nothing.", sides=(10, 60)).sample(0, index)
        assert sample.text == "Nothing."
        assert 10 <= min(sample.image.size) <= max(sample.image.size) <= 60
        assert sample.regions == ()


def test_a_mixture_follows_its_weights() -> None:
    mixture = Mixture([(Blank(), 1.0), (NegativeEngine(sides=(8, 9)), 3.0)])
    kinds = [mixture.sample(0, index).kind for index in range(300)]
    assert 190 < kinds.count("negative") < 260


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: RegionEngine(Blank(), jitter=2), "2"),
        (lambda: RegionEngine(Blank(), marking=(0, 0)), "0"),
        (lambda: CropEngine(Blank(), pages=(2, 5)), "5"),
        (lambda: MultiPageEngine(Blank(), pages=(1, 4)), "1 to 4"),
        (lambda: NegativeEngine(sides=(9, 3)), "9 to 3"),
        (lambda: Mixture([]), "weights"),
        (lambda: Mixture([(Blank(), -1.0)]), "-1"),
        (lambda: Degraded(Blank(), 1.5), "1.5"),
    ],
)
def test_nonsense_is_refused(make, named: str) -> None:
    with pytest.raises(InvalidOptionError, match=named):
        make()


@pytest.mark.parametrize(
    ("engine", "named"),
    [
        (RegionEngine(Blank()), "no region"),
        (CropEngine(Blank(length=90), max_characters=50), "50 characters"),
        (MultiPageEngine(Blank(length=90), max_characters=50), "50 characters"),
    ],
)
def test_a_source_that_never_fits_is_an_error(engine, named: str) -> None:
    with pytest.raises(GotOcr2Error, match=named):
        engine.sample(0, 0)
