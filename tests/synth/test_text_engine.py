"""The text engine: truth, boxes, determinism, and words that can be found where they are said to be."""

from __future__ import annotations

import numpy as np
import pytest

from got_ocr2.errors import InvalidOptionError
from got_ocr2.synth.corpora.catalog import text_pool
from got_ocr2.synth.corpora.content import Content, ContentMixture
from got_ocr2.synth.drawing.typeset import Style, break_lines, place_lines
from got_ocr2.synth.fonts.catalog import TEST_FAMILIES, fonts
from got_ocr2.synth.text.engine import TextEngine

LAYOUTS = ("word", "line", "paragraph", "page", "scene")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_same_seed_and_index_give_the_same_bytes(layout):
    engine = TextEngine(layouts={layout: 1.0})
    a, b, c = engine.sample(3, 5), engine.sample(3, 5), engine.sample(3, 6)
    assert a.text == b.text
    assert a.image.tobytes() == b.image.tobytes()
    assert np.array_equal(a.glyphs.boxes, b.glyphs.boxes)
    assert c.text != a.text


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mixed", [0.0, 1.0])
def test_glyphs_and_regions_say_what_the_text_says(layout, mixed):
    engine = TextEngine(layouts={layout: 1.0}, mixed=mixed)
    for index in range(4):
        sample = engine.sample(1, index)
        drawn = "".join(sample.text[i] for i in sample.glyphs.offsets)
        assert drawn == "".join(sample.text.split())
        assert "\n".join(r.text for r in sample.regions if r.kind == "block") == sample.text
        assert "\n".join(r.text for r in sample.regions if r.kind == "line") == sample.text
        words = [r.text for r in sample.regions if r.kind == "word"]
        assert words == sample.text.split()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_there_is_ink_under_every_word_and_boxes_lie_on_the_picture(layout):
    sample = TextEngine(layouts={layout: 1.0}).sample(2, 1)
    gray = np.asarray(sample.image.convert("L"), np.float32)
    width = gray.shape[1]
    for region in sample.regions:
        x1, y1, x2, y2 = region.box
        assert x1 < x2
        assert y1 < y2
        assert x1 >= -2
        assert x2 <= width + 2
        if region.kind == "word":
            inside = gray[max(0, int(y1)) : int(y2) + 1, max(0, int(x1)) : int(x2) + 1]
            assert np.ptp(inside) > 60, (region.text, region.box)


def test_lines_keep_to_their_column_and_justified_ones_fill_it():
    style = Style(fonts("serif")[0], 20.0, align="justify")
    words = [
        "the",
        "quick",
        "brown",
        "fox",
        "jumps",
        "over",
        "the",
        "lazy",
        "dog",
        "and",
        "then",
        "it",
        "rests",
        "in",
        "the",
        "shade",
        "for",
        "a",
        "while",
    ]
    broken = break_lines(words, style, 200.0)
    assert [w for line in broken for w in line] == words
    placed = place_lines(broken, style, 10.0, 5.0, 200.0)
    for line in placed[:-1]:
        x, word = line.words[-1]
        assert x + style.width(word) == pytest.approx(210.0, abs=0.01)
    gaps = np.diff([line.baseline for line in placed])
    assert np.allclose(gaps, style.size * style.leading)


def test_a_word_wider_than_its_column_is_left_out_of_picture_and_truth():
    style = Style(fonts("sans")[0], 20.0)
    assert break_lines(["a", "W" * 50, "b"], style, 60.0) == [["a", "b"]]


def test_held_out_fonts_and_text_are_never_trained_on():
    for index in range(12):
        train = TextEngine().sample(0, index)
        assert not any(
            name.startswith(family + " ") for name in train.meta["fonts"] for family in TEST_FAMILIES
        )
        test = TextEngine(split="test").sample(0, index)
        assert all(
            any(name.startswith(family + " ") for family in TEST_FAMILIES) for name in test.meta["fonts"]
        )


def test_chinese_has_no_spaces():
    try:
        engine = TextEngine(layouts={"paragraph": 1.0}, language="zh", mixture=ContentMixture(1, 0, 0))
        sample = engine.sample(0, 0)
    except InvalidOptionError as e:
        pytest.skip(f"no Chinese text or fonts are installed: {e}")
    assert " " not in sample.text
    assert any("\u4e00" <= c <= "\u9fff" for c in sample.text)
    assert len(sample.glyphs.offsets) == len("".join(sample.text.split()))


def test_chinese_content_is_single_characters():
    class Pool:
        def sentence(self, _rng):
            return "我们 读书"

        def words(self, _rng, count):
            return "好" * count

    content = Content(Pool(), ContentMixture(1, 1, 0), spaced=False)  # type: ignore[arg-type]
    assert all(len(word) == 1 for word in content.words(np.random.default_rng(0), 50))


def test_accents_appear_when_asked():
    content = Content(text_pool("en"), ContentMixture(0, 0, 1), accents=True)
    assert any(ord(c) > 191 for c in "".join(content.words(np.random.default_rng(0), 300)))


def test_content_mixture_is_what_it_says():
    rng = np.random.default_rng(0)
    only_strings = Content(text_pool("en"), ContentMixture(0, 0, 1))
    only_prose = Content(text_pool("en"), ContentMixture(1, 0, 0))
    digits = sum(any(c.isdigit() for c in w) for w in only_strings.words(rng, 300))
    assert digits > 100
    assert sum(any(c.isdigit() for c in w) for w in only_prose.words(rng, 300)) < 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layouts": {"poem": 1.0}}, "Unknown layout poem"),
        ({"layouts": {}}, "not all zero"),
        ({"layouts": {"word": -1.0, "line": 2.0}}, "weights >= 0"),
        ({"em": (50.0, 40.0)}, "smallest <= largest"),
        ({"em": (10.0, 400.0)}, "canvas height 256"),
    ],
)
def test_nonsense_is_refused(options, message):
    with pytest.raises(InvalidOptionError, match=message):
        TextEngine(**options)
    with pytest.raises(InvalidOptionError, match="not all zero"):
        ContentMixture(0, 0, 0)
