"""The line engine: what is drawn is what the truth says, in every kind, and the same for the same seed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from got_ocr2.errors import InvalidOptionError
from got_ocr2.synth.lines import LineEngine
from got_ocr2.synth.lines.composer import LINE_KINDS
from got_ocr2.synth.lines.typography import all_ligatures, lone_words, printed, units
from got_ocr2.synth.registry import create_engine


def clean(**options) -> LineEngine:
    return LineEngine(language="en", strength=0.0, nothing=0.0, **options)


def test_a_seed_and_a_number_give_the_same_bytes():
    """Whatever was drawn before: lines of a block are drawn together and kept."""
    engine = LineEngine(language="en")
    forwards = [engine.sample(3, i) for i in range(10)]
    backwards = [LineEngine(language="en").sample(3, i) for i in reversed(range(10))][::-1]
    for a, b in zip(forwards, backwards, strict=True):
        assert a.text == b.text
        assert a.image.tobytes() == b.image.tobytes()
        assert np.array_equal(a.glyphs.boxes, b.glyphs.boxes)


@pytest.mark.parametrize("kind", LINE_KINDS)
def test_every_letter_has_ink_where_the_truth_says(kind):
    """In clean lines: inside each letter's box is some of the darkest, and the boxes run from left to right."""
    engine = clean(kinds={kind: 1.0})
    for index in range(0, 40, 3):
        sample = engine.sample(5, index)
        text, boxes = sample.text, sample.glyphs.boxes
        assert text == " ".join(text.split())
        assert text
        assert [i for i, c in enumerate(text) if c != " "] == sample.glyphs.offsets.tolist()
        assert (np.diff(boxes[:, 0] + boxes[:, 2]) > 0).all()
        gray = np.asarray(sample.image.convert("L"), int)
        paper = np.median(np.concatenate([gray[0], gray[-1]]))
        difference = abs(gray - paper)
        inked = 0
        for x1, _, x2, _ in boxes:
            column = difference[:, max(0, int(x1)) : max(int(x1) + 1, int(np.ceil(x2)))]
            inked += column.size > 0 and column.max() > 0.25 * difference.max()
        assert inked >= 0.95 * len(boxes)


def test_a_cut_is_never_wider_than_a_reader_takes():
    engine = clean()
    for index in range(60):
        picture = engine.sample(7, index).image
        assert picture.width <= 20 * picture.height


def test_the_share_of_pictures_without_text():
    engine = LineEngine(language="en", nothing=1.0)
    for index in range(12):
        sample = engine.sample(1, index)
        assert sample.text == ""
        assert len(sample.glyphs.offsets) == 0


def test_ligatures_stand_for_their_letters():
    assert units("office fly", all_ligatures()) == [
        ("o", 1), ("ﬃ", 3), ("c", 1), ("e", 1), (" ", 1), ("ﬂ", 2), ("y", 1)
    ]  # fmt: skip
    assert units("fin", frozenset()) == [("f", 1), ("i", 1), ("n", 1)]


def test_printed_words_keep_their_letters():
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(200)]
    out = " ".join(printed(rng, words))
    assert sum(word in out for word in words) > 180  # a sign stands in a few places


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": {"poster": 1.0}}, "Unknown kind of line 'poster'"),
        ({"language": {"tlh": 1.0}}, "Unknown language 'tlh'"),
        ({"kinds": {"print": 0.0}}, "not all zero"),
        ({"strength": 1.5}, "strength must be between 0 and 1, got 1.5"),
        ({"em": (40.0, 20.0)}, "em must be 8 <= smallest <= largest"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidOptionError, match=message):
        create_engine("line", **options)


def test_what_stands_alone_is_short_and_its_kinds_all_come():
    rng = np.random.default_rng(0)
    found = [" ".join(lone_words(rng, ["reading", "of", "Étude", "sie"])) for _ in range(400)]
    assert all(1 <= len(text) <= 8 for text in found)
    for kind in (r"\d+", r"- \d+ -", r"\(\d+\)", r"[IVXL]+", r"[ivxl]+\.?", r"[A-Z]\)", "of", "Sie"):
        assert any(re.fullmatch(kind, text) for text in found), kind
    assert lone_words(np.random.default_rng(3), ["reading"])
