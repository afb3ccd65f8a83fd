"""Loops are noticed, and pages that repeat themselves honestly are not taken for one.

Tokens are the bytes of the text here, the finest and so the most repetitive way to write a page, unless a test
says otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2.generation.rules.repetition import Loop, LoopDetector

INTRODUCTION = "The minutes of the meeting were read and approved; a list of what was decided follows.\n"
SENTENCE = "The quick brown fox jumps over the lazy dog. "


def watch(ids: Sequence[int]) -> Loop | None:
    detector = LoopDetector()
    return next((loop for loop in map(detector.push, ids) if loop is not None), None)


def read(text: str) -> Loop | None:
    return watch(text.encode())


# --- loops ----------------------------------------------------------------------------------------------

EXACT = {
    "dots": ("." * 4000, 1, 300),
    "a word": ("the " * 1000, 4, 300),
    "a sentence": (SENTENCE * 100, len(SENTENCE), 300),
    "a row of a table": ("a & 12.5 & no \\\\ \\hline\n" * 100, 24, 400),
    "a unit that repeats parts of itself": ("ab ab cd ab ab ef ab ab " * 200, 24, 1100),
    "a paragraph": ("".join(f"{SENTENCE[i:]}{i}" for i in range(12)) * 9, None, 2000),
}


@pytest.mark.parametrize(("text", "period", "soon"), EXACT.values(), ids=EXACT)
def test_a_loop_is_noticed_and_one_copy_is_kept(text, period, soon):
    loop = read(INTRODUCTION + text)
    assert loop is not None
    assert loop.end < len(INTRODUCTION) + soon
    assert loop.dropped == loop.end - loop.kept
    if period is not None:
        assert loop.period == period
        assert len(INTRODUCTION) <= loop.kept <= len(INTRODUCTION) + period
        assert (INTRODUCTION + text)[: loop.kept].startswith(INTRODUCTION)


def test_the_copies_may_be_numbered():
    text = INTRODUCTION + "".join(f"{i}. {SENTENCE}\n" for i in range(1, 200))
    loop = read(text)
    assert loop is not None
    assert loop.period is None
    assert loop.end < len(INTRODUCTION) + 800
    assert text[: loop.kept].count(SENTENCE) == 1


def test_a_few_sentences_in_any_order_are_a_loop():
    rng = random.Random(3)
    units = [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10], [11, 12, 13, 14, 15]]
    row = list(range(100, 160)) + [token for _ in range(400) for token in rng.choice(units)]
    loop = watch(row)
    assert loop is not None
    assert loop.end < 60 + 1100
    assert 60 <= loop.kept <= 60 + 60


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 300), max_size=80),
    st.lists(st.integers(0, 40), min_size=1, max_size=150),
)
def test_every_unit_is_noticed_in_the_end(beginning, unit):
    row = beginning + unit * (3000 // len(unit))
    loop = watch(row)
    assert loop is not None
    assert 0 <= loop.kept < loop.end <= len(row)
    if loop.period is not None:
        p = loop.period
        assert all(row[i] == row[i - p] for i in range(loop.kept, loop.end))


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 30), max_size=40),
    st.lists(st.integers(0, 40), min_size=1, max_size=40),
    st.lists(st.integers(0, 30), max_size=40),
)
def test_what_is_certain_is_kept(beginning, unit, rest):
    detector = LoopDetector()
    certain = 0
    for token in beginning + unit * 3 + rest + unit * (2000 // len(unit)):
        loop = detector.push(token)
        if loop is not None:
            assert loop.period is None or certain <= loop.kept
            return
        assert detector.certain >= certain
        certain = detector.certain


def test_new_tokens_are_certain_at_once_and_repeated_ones_as_soon_as_something_new_comes():
    detector = LoopDetector()
    found = []
    for token in b"abc abd":
        detector.push(token)
        found.append(detector.certain)
    assert found == [1, 2, 3, 4, 4, 4, 7]


# --- honest pages ---------------------------------------------------------------------------------------

ZEROS = " & ".join(["0"] * 12) + " \\\\\n"
HONEST = {
    "dotted leaders": "".join(f"{i}.{j} Of {SENTENCE[i : i + 9]}{'.' * 110} {9 * i + j}\n"
                              for i in range(6) for j in range(5)),
    "spaced leaders": "".join(f"Chapter {SENTENCE[i : i + 12]}{'. ' * 55}{7 * i}\n" for i in range(25)),
    "rows of zeros": INTRODUCTION + ZEROS * 16,
    "an empty form": "\\hline\n".join([" & " * 6 + "\\\\\n"] * 25),
    "lines to write on": ("Name " + "_" * 120 + "\nAddress " + "_" * 120 + "\n") * 3,
    "rows that say the same": "N/A & N/A & yes \\\\\n" * 20,
    "repeated notes": "**kern\n" + "".join(f"={i}\n" + "4c\n" * 8 for i in range(1, 60)),
    "numbered rows of zeros": "".join(f"{i} & {ZEROS}" for i in range(1, 36)),
    "two staves of rests": "".join(f"={i}\t={i}\n1r\t1r\n" for i in range(1, 60)),
    "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST)
def test_a_page_may_repeat_itself(text):
    assert read(text) is None


KINDS = ("table", "music", "geometry")


def answers(kinds: Sequence[str], count: int) -> list[str]:
    from got_ocr2.synth.registry import create_engine

    engines = [create_engine(kind) for kind in kinds]
    return [engine.sample(5, index).text for engine in engines for index in range(count)]


@pytest.fixture(scope="module")
def some_answers() -> list[str]:
    return answers(KINDS, 8)


def test_no_answer_of_the_data_engines_is_a_loop(some_answers):
    assert [text for text in some_answers if read(text) is not None] == []


def test_nor_are_many_of_them_on_one_page(some_answers):
    for start in range(0, len(some_answers), 8):
        assert read("\n".join(some_answers[start : start + 8])) is None


@pytest.mark.slow
def test_no_answer_of_any_kind_is_a_loop_in_the_real_vocabulary_or_in_bytes(real_vocab_processor):
    from got_ocr2.synth.registry import KINDS as EVERY_KIND

    encode = real_vocab_processor.tokenizer.encode
    texts = answers([kind for kind in EVERY_KIND if kind not in ("crop", "multipage")], 120)
    texts += answers(("crop", "multipage"), 10)
    assert len(texts) > 1000
    assert [text for text in texts if read(text) or watch(encode(text))] == []
