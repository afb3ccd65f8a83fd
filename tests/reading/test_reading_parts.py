"""The parts of reading that need no model: options, drafts, loops, confidences, agreement."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2.errors import InvalidOptionError
from got_ocr2.generation.drafting import FirstOf, NgramDrafter
from got_ocr2.reading.confidence import Confidences
from got_ocr2.reading.draft_agreement import agreement
from got_ocr2.reading.drafts import draft_of, drafter_of
from got_ocr2.reading.loop_watch import LoopWatch
from got_ocr2.reading.options import ReadOptions

texts = st.text(st.sampled_from("ab c\n日é€😀\t"), max_size=25)


def confidences(pieces: list[bytes], probabilities: list[float]) -> Confidences:
    logprobs = [math.log(p) for p in probabilities]
    return Confidences(range(len(pieces)), logprobs, lambda token: pieces[token])


def cut(data: bytes, rng: random.Random) -> list[bytes]:
    """Tokens that end anywhere, some of them without bytes, as control tokens are."""
    pieces = []
    while data:
        size = rng.randint(0, 4)
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, b""]


# --- confidences ----------------------------------------------------------------------------------------


def test_a_word_is_as_sure_as_all_its_tokens_and_a_line_as_they_are_on_average():
    pieces = [b"The", b" qu", b"ick", b"\n", b"fox", b""]
    found = confidences(pieces, [0.9, 0.8, 0.5, 0.1, 0.7, 0.2])
    text = "The quick\nfox"
    words = [(w.text, w.start, w.end, pytest.approx(w.confidence)) for w in found.words(text)]
    assert words == [("The", 0, 3, 0.9), ("quick", 4, 9, 0.4), ("fox", 10, 13, 0.7)]
    lines = found.lines(text)
    assert [(line.text, line.start, line.end) for line in lines] == [("The quick", 0, 9), ("fox", 10, 13)]
    assert [line.confidence for line in lines] == pytest.approx([0.36 ** (1 / 3), 0.7])
    assert found.characters() == pytest.approx([0.9] * 3 + [0.8] * 3 + [0.5] * 3 + [0.1] + [0.7] * 3)


def test_a_character_of_several_tokens_is_as_sure_as_the_least_of_them():
    euro = "€".encode()
    found = confidences([b"a" + euro[:1], euro[1:2], euro[2:] + b"b"], [0.9, 0.3, 0.6])
    assert found.characters() == pytest.approx([0.9, 0.3, 0.6])
    assert found.words("a€b")[0].confidence == pytest.approx(0.9 * 0.3 * 0.6)


def test_ideographs_and_kana_are_words_by_themselves():
    found = confidences(["日本".encode(), "の".encode(), b"GPU"], [0.9, 0.8, 0.7])
    words = found.words("日本のGPU")
    assert [w.text for w in words] == ["日", "本", "の", "GPU"]
    assert [w.confidence for w in words] == pytest.approx([0.9, 0.9, 0.8, 0.7])


def test_white_space_belongs_to_no_line_and_no_word():
    found = confidences([b"  a b  ", b"\n", b" \t\n", b"c"], [0.5, 0.9, 0.9, 0.25])
    text = "  a b  \n \t\nc"
    assert [(x.text, x.start) for x in found.lines(text)] == [("a b", 2), ("c", 11)]
    assert [(x.text, x.start) for x in found.words(text)] == [("a", 2), ("b", 4), ("c", 11)]


def test_a_broken_character_counts_like_others():
    found = confidences([b"a", b"\xe6", b"b", b"\xf0\x9f"], [0.9, 0.8, 0.7, 0.6])
    assert found.characters() == pytest.approx([0.9, 0.7, 0.7, 0.6])
    assert found.words("a�b�")[0].text == "a�b�"


def test_nothing_written_is_nothing():
    found = confidences([b""], [0.5])
    assert (found.characters(), found.words(""), found.lines("")) == ((), (), ())


@settings(deadline=None)
@given(texts, st.integers(0, 10**6), st.binary(max_size=6))
def test_every_character_has_its_tokens_however_the_bytes_are_cut(text, seed, noise):
    rng = random.Random(seed)
    data = text.encode() + noise
    pieces = cut(data, rng)
    shown = b"".join(pieces).decode(errors="replace")
    probabilities = [rng.uniform(0.01, 1) for _ in pieces]
    found = confidences(pieces, probabilities)
    characters, words, lines = found.characters(), found.words(shown), found.lines(shown)
    assert len(characters) == len(shown)
    assert "".join(word.text for word in words) == "".join(shown.split())
    assert [line.text for line in lines] == [line.strip() for line in shown.split("\n") if line.strip()]
    for part in (*words, *lines):
        assert shown[part.start : part.end] == part.text
        assert 0 < part.confidence <= 1
        least = min(characters[part.start : part.end])
        assert part.confidence <= 1 if part in lines else part.confidence <= least + 1e-12


def test_all_certain_tokens_make_certain_text():
    found = confidences([b"one ", b"line"], [1.0, 1.0])
    assert [part.confidence for part in (*found.words("one line"), *found.lines("one line"))] == [1, 1, 1]


# --- agreement ------------------------------------------------------------------------------------------


def test_agreement_is_what_both_say_in_the_same_order():
    assert agreement("the same", "the same") == 1
    assert agreement("the same", "the\r\nsame\n") == 1
    assert agreement("abc", "xyz") == agreement("", "abc") == 0
    assert agreement("", " \n") == 1
    assert agreement("abcd", "axcd") == 0.75
    assert agreement("ab", "ba") == 0.5


@settings(deadline=None)
@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_agreement_equals_the_table_of_common_subsequences(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        before = row
        row = [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
    expected = 2 * row[-1] / (len(a) + len(b)) if a or b else 1
    assert agreement(a, b) == agreement(b, a) == expected


# --- drafts ---------------------------------------------------------------------------------------------

LAYERS = {1: "first", 2: None, 3: "third"}


@pytest.mark.parametrize(
    ("draft", "pages", "expected"),
    [
        (None, [1], None),
        ("pdf-text", [1], "first"),
        ("pdf-text", [2], None),
        ("pdf-text", [1, 2, 3], "first\nthird"),
        ("whole document", [2], "whole document"),
        (" \n", [1], None),
        ("one\ftwo\f", [2], "two"),
        ("one\ftwo\f", [3], None),
        ("one\ftwo", [1, 2], "one\ntwo"),
        (("one", "two"), [2], "two"),
        (("one",), [2], None),
    ],
)
def test_the_draft_of_a_page(draft, pages, expected):
    assert draft_of(draft, pages, LAYERS.get) == expected


class Bytes:
    def encode(self, text):
        return list(text.encode())

    def token_bytes(self, token):
        return bytes([token])


def test_drafters_are_made_of_what_there_is():
    assert drafter_of(None, None, Bytes()) is None
    assert drafter_of("text", False, Bytes()) is None
    assert isinstance(drafter_of(None, True, Bytes()), NgramDrafter)
    assert isinstance(drafter_of(None, "ngram", Bytes()), NgramDrafter)
    drafter = drafter_of("text", None, Bytes())
    assert isinstance(drafter, FirstOf)
    assert drafter.propose(list(b"te"), 2) == list(b"xt")


# --- loops ----------------------------------------------------------------------------------------------


def test_a_watch_ends_the_page_and_says_what_is_certain():
    watch = LoopWatch()
    assert watch(list(b"All is well. ")) is None
    assert watch.certain == 12
    for _ in range(40):
        verdict = watch(list(b"abcdefghijklmnopqrstuvwxyz\n"))
        assert watch.certain <= 13 + 27
        if verdict is not None:
            break
    assert verdict == "looped"
    assert (watch.loop.kept, watch.loop.period) == (13 + 27, 27)


# --- options --------------------------------------------------------------------------------------------

WRONG = {
    "deadline": ({"deadline": 0}, "deadline must be a number of seconds above 0, got 0"),
    "endless": ({"deadline": float("inf")}, "deadline must be a number of seconds above 0, got inf"),
    "yes": ({"deadline": True}, "deadline must be a number of seconds above 0, got True"),
    "loop": ({"on_loop": "retry"}, "on_loop must be one of 'stop', 'penalise', 'retry_cropped', 'ignore', got 'retry'"),
    "tiles twice": ({"on_loop": "retry_cropped", "crop": True}, "crop=True does so from the start"),
    "tiles too": ({"on_loop": "retry_cropped", "max_patches": 3}, "crop=True does so from the start"),
    "n-gram": ({"no_repeat_ngram_size": -1}, "no_repeat_ngram_size must be a whole number >= 0, got -1"),
    "n-gram's name": ({"no_repeat_ngram_size": "demo"}, "got 'demo'"),
    "speculate": ({"speculate": 1}, "speculate must be one of None, True, False, 'ngram', got 1"),
    "draft for nothing": ({"draft": "x", "speculate": False}, "no use with speculate=False"),
    "draft beside": ({"draft": "x", "speculate": "ngram"}, "no use with speculate='ngram'"),
    "draft of bytes": ({"draft": b"x"}, "a text or a list of texts, got bytes"),
    "drafts of numbers": ({"draft": ["x", 1]}, "a text or a list of texts, got int"),
    "confidence": ({"confidence": "letter"}, "confidence must be one of 'page', 'line', 'word', 'character'"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_nonsense_is_refused_before_any_work(options, message):
    with pytest.raises(InvalidOptionError, match=message.replace("[", r"\[")):
        ReadOptions.of(**options)


def test_the_original_demo_forbids_runs_of_twenty_for_one_picture_only():
    original = {"no_repeat_ngram_size": "original"}
    assert ReadOptions(**original).no_repeat_ngram == 20
    assert ReadOptions(**original, crop=True).no_repeat_ngram == 0
    assert ReadOptions(**original, multi_page=True).no_repeat_ngram == 0
    assert ReadOptions(no_repeat_ngram_size=7).no_repeat_ngram == 7
    assert ReadOptions().no_repeat_ngram is None


def test_lists_of_drafts_are_kept():
    assert ReadOptions(draft=["a", "b"]).draft == ("a", "b")
