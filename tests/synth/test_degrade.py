"""Degradation: the truth stays, places follow, colours that matter stay, and a person can still read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw
from synth_helpers import PageOfLines

from got_ocr2.errors import InvalidOptionError
from got_ocr2.synth.degradation import effects
from got_ocr2.synth.degradation.degrade import COLOR_SCENES, SCENES, degrade
from got_ocr2.synth.degradation.legibility import legible, letter_height, text_places
from got_ocr2.synth.degradation.warp import perspective, rotation, warp_box, warp_boxes, warp_image
from got_ocr2.synth.sample import Glyphs, Region, Sample, Task

EFFECTS = [
    effects.blur, effects.shake, effects.noise, effects.jpeg, effects.low_resolution, effects.uneven_light,
    effects.paper, effects.bleed_through, effects.ink_spread, effects.ink_loss, effects.fade, effects.dark_mode,
    effects.fax,
]  # fmt: skip


def luminance(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"), np.float32)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.__name__)
def test_each_effect_changes_the_picture_and_nothing_about_it(effect) -> None:
    gray = PageOfLines(letters=40).sample(0, 0).image.convert("L")
    before = gray.tobytes()
    first, second = (effect(gray, np.random.default_rng(3), 1.0, 20.0) for _ in range(2))
    assert (first.size, first.mode) == (gray.size, "L")
    assert first.tobytes() == second.tobytes() != before
    assert gray.tobytes() == before


@pytest.mark.parametrize(
    "effect", [effects.blur, effects.noise, effects.low_resolution, effects.jpeg, effects.fade]
)
def test_more_strength_is_further_from_the_clean_page(effect) -> None:
    gray = PageOfLines(letters=30).sample(0, 0).image.convert("L")

    def distance(strength: float) -> float:
        drawn = [effect(gray, np.random.default_rng(seed), strength, 15.0) for seed in range(6)]
        return float(np.mean([np.abs(luminance(image) - luminance(gray)).mean() for image in drawn]))

    assert distance(0.2) < distance(1.0)


def test_small_letters_are_not_sampled_away() -> None:
    gray = PageOfLines().sample(0, 0).image.convert("L")
    rng = np.random.default_rng(0)
    assert effects.low_resolution(gray, rng, 1.0, effects.MIN_LETTER - 1).tobytes() == gray.tobytes()


@pytest.mark.parametrize("scene", SCENES)
def test_truth_stays_and_the_same_numbers_give_the_same_page(scene) -> None:
    sample = PageOfLines().sample(1, 2)
    first, second = (degrade(sample, np.random.default_rng(9), 0.8, scene) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes() != sample.image.tobytes()
    assert first.image.size == sample.image.size
    assert first.image.mode == "RGB"
    assert (first.text, first.task, first.kind) == (sample.text, sample.task, sample.kind)
    assert [r.text for r in first.regions] == [r.text for r in sample.regions]
    assert np.array_equal(first.glyphs.offsets, sample.glyphs.offsets)
    assert first.meta["degradation"][0] == scene


def test_no_strength_is_no_change() -> None:
    sample = PageOfLines().sample(0, 0)
    assert degrade(sample, np.random.default_rng(0), 0.0) is sample


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("letters", [13, 30])
def test_what_was_readable_stays_readable(scene, letters: int) -> None:
    """The floor: ink and paper of every word stay apart, and so much of the picture that was is still there."""
    for index in range(12):
        sample = PageOfLines(letters=letters, ink=(90, 90, 90)).sample(3, index)
        worse = degrade(sample, np.random.default_rng(index), 1.0, scene)
        pixels = luminance(worse.image)
        for region in worse.regions[1:]:
            x1, y1, x2, y2 = (round(side) for side in region.box)
            dark, light = np.percentile(pixels[max(0, y1) : y2, max(0, x1) : x2], (3, 97))
            assert light - dark >= 30, (index, worse.meta)


def test_a_page_that_cannot_be_read_is_told_from_one_that_can() -> None:
    sample = PageOfLines(letters=26).sample(0, 0)
    clean, places = sample.image.convert("L"), text_places(sample)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, clean.size[::-1], np.uint8))
    pale = clean.point([215 + v // 8 for v in range(256)])
    assert legible(clean, clean, places)
    assert legible(clean, clean.point([255 - v for v in range(256)]), places)
    assert not legible(clean, noise, places)
    assert not legible(clean, pale, places)
    assert not legible(clean, clean.transpose(Image.Transpose.FLIP_TOP_BOTTOM), places)


def test_a_ruined_page_is_tried_again_more_gently(monkeypatch: pytest.MonkeyPatch) -> None:
    strengths: list[float] = []

    def ruin(image: Image.Image, rng: np.random.Generator, strength: float, height: float) -> Image.Image:
        strengths.append(strength)
        return image if strength < 0.3 else Image.new("L", image.size, 128)

    from got_ocr2.synth.degradation import degrade as module

    monkeypatch.setitem(module.RECIPES, "scan", module.Recipe(((ruin, 1.0),), None, ()))
    worse = degrade(PageOfLines().sample(0, 0), np.random.default_rng(0), 1.0, "scan")
    assert strengths == [1.0, 0.5, 0.25]
    assert worse.meta["degradation"] == ["scan", "ruin"]


@pytest.mark.parametrize("make", [rotation, perspective])
def test_places_follow_the_picture(make) -> None:
    """A black square is found where the warp says it is."""
    image = Image.new("L", (310, 190), 255)
    box = (200.0, 40.0, 224.0, 64.0)
    ImageDraw.Draw(image).rectangle((200, 40, 223, 63), fill=0)
    for seed in range(8):
        warp = make(np.random.default_rng(seed), image.size, 1.0)
        rows, columns = np.nonzero(np.asarray(warp_image(image, warp)) < 128)
        x1, y1, x2, y2 = warp_box(box, warp)
        assert abs((columns.mean() + 0.5) - (x1 + x2) / 2) < 0.5
        assert abs((rows.mean() + 0.5) - (y1 + y2) / 2) < 0.5
        assert x1 - 1 <= columns.min()
        assert columns.max() <= x2 + 1


@pytest.mark.parametrize("make", [rotation, perspective])
@pytest.mark.parametrize("size", [(512, 64), (90, 400), (300, 300)])
def test_nothing_leaves_the_frame(make, size: tuple[int, int]) -> None:
    whole = np.array([[0, 0, *size]], float)
    for seed in range(20):
        x1, y1, x2, y2 = warp_boxes(whole, make(np.random.default_rng(seed), size, 1.0))[0]
        assert min(x1, y1) >= -1e-6
        assert x2 <= size[0] + 1e-6
        assert y2 <= size[1] + 1e-6
        assert (x2 - x1) / size[0] > 0.85
        assert (y2 - y1) / size[1] > 0.85


def test_every_box_of_a_sample_moves() -> None:
    sample = PageOfLines().sample(0, 0)
    sample = replace(sample, task=Task(box=sample.regions[1].box))
    for seed in range(30):
        worse = degrade(sample, np.random.default_rng(seed), 1.0, "photo")
        if "perspective" in worse.meta["degradation"]:
            break
    assert worse.task.box == worse.regions[1].box != sample.task.box
    assert not np.allclose(worse.glyphs.boxes, sample.glyphs.boxes, atol=0.5)
    assert worse.glyphs.boxes.dtype == np.float32


def test_frames_keep_their_colour() -> None:
    sample = PageOfLines(size=(300, 200)).sample(0, 0)
    image = sample.image.copy()
    ImageDraw.Draw(image).rectangle((5, 5, 290, 60), outline=(255, 0, 0), width=4)
    sample = replace(sample, images=(image,), task=Task(color="red"))
    seen = set()
    for seed in range(25):
        worse = degrade(sample, np.random.default_rng(seed), 1.0)
        seen.add(worse.meta["degradation"][0])
        pixels = np.asarray(worse.image, int)
        assert (pixels[..., 0] - pixels[..., 1:].max(-1)).max() > 60, worse.meta
    assert seen == set(COLOR_SCENES)
    with pytest.raises(InvalidOptionError, match="fax"):
        degrade(sample, np.random.default_rng(0), 0.5, "fax")


def test_pages_of_a_document_are_moved_each_by_its_own_warp() -> None:
    pages = [PageOfLines().sample(0, index) for index in range(3)]
    regions = tuple(replace(page.regions[1], page=number) for number, page in enumerate(pages))
    document = Sample("document", tuple(page.image for page in pages), "x", Task(multi_page=True), regions)
    worse = degrade(document, np.random.default_rng(1), 1.0, "photo")
    shifts = {
        tuple(np.round(np.subtract(a.box, b.box), 3)) for a, b in zip(worse.regions, regions, strict=True)
    }
    assert len(worse.images) == 3
    assert len(shifts) >= 2


@pytest.mark.parametrize(
    ("strength", "scene", "named"), [(1.2, None, "1.2"), (-0.1, None, "-0.1"), (0.5, "rain", "rain")]
)
def test_nonsense_is_refused(strength: float, scene, named: str) -> None:
    with pytest.raises(InvalidOptionError, match=named):
        degrade(PageOfLines().sample(0, 0), np.random.default_rng(0), strength, scene)


def test_letter_height_comes_from_the_best_truth_there_is() -> None:
    sample = PageOfLines(letters=30).sample(0, 0)
    by_glyphs = letter_height(sample)
    by_lines = letter_height(replace(sample, glyphs=Glyphs.empty()))
    assert by_glyphs == pytest.approx(by_lines, rel=0.05)
    assert 12 < by_glyphs < 22
    bare = replace(sample, glyphs=Glyphs.empty(), regions=())
    assert 6 <= letter_height(bare) <= 14
    assert len(text_places(bare))
    blank = Sample("blank", (Image.new("RGB", (50, 40)),), "", regions=(Region("block", "", (0, 0, 9, 9)),))
    assert len(text_places(blank)) == 0
