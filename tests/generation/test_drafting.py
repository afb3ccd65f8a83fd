"""Drafters alone: how long, how right and how robust their proposals are; no model takes part."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2.generation.drafting import Drafter, FirstOf, NgramDrafter, Pace, TextDrafter
from got_ocr2.processing.byte_level import to_bytes

PARAGRAPHS = """\
The surveyor walked along the northern wall and wrote down every stone that had moved since spring.
Rain had washed the path away; below the gate, two beams of the old bridge still stood in the river.
"You will need a better map," said the miller, who had watched him from the yard for half an hour.
He nodded, folded the sheet twice, and asked how deep the water was when the snow melted in the hills.
Deep enough to carry a cart, was the answer, and quick enough to carry it out of sight before noon.
In the evening he drew the wall again, this time with the stones that were missing marked in red ink.
Nobody in the village remembered who had built it, or why the eastern half was so much lower.
"""
TABLE = "".join(f"{i} & 0.00 & 1.{i}5 & -- & yes \\\\\n\\hline\n" for i in range(40))


# Ids 0..255 are bytes; these have ids from 256 on.
PIECES = [b" the", b" wal", b"the", b"in", b"er", b" s", b"on", b"ed", b"re", b" a", "é".encode()]


def encode(text: str) -> list[int]:
    """The longest piece first, so that where a token ends depends on where the text begins."""
    data, ids = text.encode(), []
    while data:
        fits = [(len(p), 256 + i) for i, p in enumerate(PIECES) if data.startswith(p)]
        size, token = max(fits, default=(1, data[0]))
        ids.append(token)
        data = data[size:]
    return ids


def token_bytes(token: int) -> bytes:
    return bytes([token]) if token < 256 else PIECES[token - 256]


def text_drafter(text: str) -> TextDrafter:
    return TextDrafter(text, encode, token_bytes)


class Tally:
    """A drafter that counts what becomes of another one's drafts."""

    def __init__(self, drafter: Drafter) -> None:
        self._drafter = drafter
        self.drafted = self.kept = 0

    def propose(self, history: Sequence[int], limit: int) -> list[int]:
        return self._drafter.propose(history, limit)

    def accepted(self, proposed: int, kept: int) -> None:
        self.drafted += proposed
        self.kept += kept
        self._drafter.accepted(proposed, kept)


def write(target: Sequence[int], drafter: Drafter, limit: int = 16) -> int:
    """Writes the target as a model that verifies drafts would; returns the number of passes."""
    history: list[int] = []
    passes = 0
    while len(history) < len(target):
        draft = drafter.propose(history, limit)
        assert len(draft) <= limit
        kept = 0
        while kept < len(draft) and target[len(history) : len(history) + kept + 1][-1:] == [draft[kept]]:
            if len(history) + kept >= len(target):
                break
            kept += 1
        if draft:
            drafter.accepted(len(draft), kept)
        history += target[len(history) : len(history) + kept + 1]
        passes += 1
    assert history == list(target)
    return passes


def misread(text: str, rate: float, seed: int) -> str:
    """Characters left out, replaced and put in, each a third of `rate`."""
    rng = random.Random(seed)
    out: list[str] = []
    for character in text:
        draw = rng.random() / rate
        if draw >= 1 / 3:
            out.append(rng.choice("etaoins ,.lI1") if draw < 2 / 3 else character)
        if 2 / 3 <= draw < 1:
            out.append(rng.choice("etaoins ,.lI1"))
    return "".join(out)


# --- properties of every drafter ------------------------------------------------------------------------

rows = st.lists(st.integers(97, 101) | st.integers(256, 266), max_size=60)


@settings(deadline=None)
@given(
    rows, st.text("abcde the walé", max_size=60), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)))
)
def test_proposals_keep_the_limit_whatever_is_written(row, text, calls):
    drafter = Tally(FirstOf(text_drafter(text), NgramDrafter()))
    history: list[int] = []
    for limit, grown in calls:
        draft = drafter.propose(history, limit)
        assert len(draft) <= limit
        assert all(isinstance(i, int) for i in draft)
        if draft:
            drafter.accepted(len(draft), min(grown, len(draft)))
        history += row[len(history) : len(history) + grown]


@settings(deadline=None)
@given(rows, st.text("abcde the walé", max_size=60))
def test_every_row_is_written_as_it_is(row, text):
    for drafter in (text_drafter(text), NgramDrafter(), FirstOf(text_drafter(text), NgramDrafter())):
        assert write(row, drafter, limit=5) <= max(len(row), 1)


@settings(deadline=None)
@given(rows, st.integers(1, 6))
def test_n_grams_do_not_depend_on_how_often_they_were_asked_for(row, stride):
    often, once = NgramDrafter(), NgramDrafter()
    for end in range(0, len(row), stride):
        often.propose(row[:end], 4)
    longer, shorter = sorted((often.propose(row, 4), once.propose(row, 4)), key=len, reverse=True)
    assert longer[: len(shorter)] == shorter


# --- text -----------------------------------------------------------------------------------------------


def test_the_right_text_takes_few_passes():
    ids = encode(PARAGRAPHS)
    assert len(ids) / write(ids, text_drafter(PARAGRAPHS), limit=15) > 15


@pytest.mark.parametrize("seed", range(4))
def test_a_text_with_five_per_cent_errors_saves_most_passes(seed):
    ids = encode(PARAGRAPHS)
    assert len(ids) / write(ids, text_drafter(misread(PARAGRAPHS, 0.05, seed)), limit=16) > 5


def test_with_the_real_vocabulary_too(real_vocab_processor):
    tokenizer = real_vocab_processor.tokenizer

    def real_encode(text: str) -> list[int]:
        return tokenizer.encode(text)

    def real_bytes(token: int) -> bytes:
        return to_bytes(tokenizer.convert_ids_to_tokens(token))

    ids = real_encode(PARAGRAPHS)
    for rate, least in ((0.0, 12), (0.02, 5), (0.05, 3)):
        draft = misread(PARAGRAPHS, rate, seed=1) if rate else PARAGRAPHS
        drafter = TextDrafter(draft, real_encode, real_bytes)
        assert len(ids) / write(ids, drafter, limit=16) > least


LINES = PARAGRAPHS.splitlines()
CHANGES = {
    "line breaks elsewhere": (PARAGRAPHS.replace("\n", " ").replace(", ", ",\n"), 5),
    "other line ends": (PARAGRAPHS.replace("\n", "\r\n"), 6),
    "a line missing": ("\n".join(LINES[:2] + LINES[3:]), 4),
    "the first lines missing": ("\n".join(LINES[2:]), 2),
    "a line too many": ("\n".join([*LINES[:3], "Page 17 of a report that nobody reads", *LINES[3:]]), 8),
    "columns in another order": ("\n".join(LINES[4:] + LINES[:4]), 6),
    "every tenth word missing": (" ".join(w for i, w in enumerate(PARAGRAPHS.split(" ")) if i % 10), 4),
    "the text twice": (PARAGRAPHS * 2, 12),
}


@pytest.mark.parametrize(("draft", "least"), CHANGES.values(), ids=CHANGES)
def test_the_place_is_found_again(draft, least):
    ids = encode(PARAGRAPHS)
    assert len(ids) / write(ids, text_drafter(draft), limit=16) > least


def test_a_foreign_text_is_hardly_ever_proposed():
    drafter = Tally(text_drafter("1234567890 " * 90))
    ids = encode(PARAGRAPHS)
    assert write(ids, drafter) == pytest.approx(len(ids), rel=0.02)
    assert drafter.drafted < 0.5 * len(ids)


def test_characters_of_several_tokens_are_never_halved():
    text = "日本語の文書を読む。" * 3
    ids = list(text.encode())  # three tokens a character
    drafter = TextDrafter(text.replace("語", "诺"), lambda part: list(part.encode()), token_bytes)
    assert len(ids) / write(ids, drafter, limit=12) > 5


def test_places_inside_a_token_are_encoded_anew():
    drafter = text_drafter("on the wall")
    drafter.propose([], 1)
    assert drafter.propose(list(b"on t"), 3) == encode("he wall")[:3]


def test_nothing_comes_after_the_end_of_the_text():
    drafter = text_drafter("abc")
    assert drafter.propose(list(b"abc"), 8) == []
    assert text_drafter("").propose([], 8) == []


# --- n-grams --------------------------------------------------------------------------------------------


def test_what_repeats_is_proposed():
    assert NgramDrafter().propose(list(b"abcdX--abcd"), 1) == list(b"X")
    assert NgramDrafter().propose(list(b"abc"), 5) == []


def test_the_longest_match_counts_then_the_latest():
    assert NgramDrafter().propose(list(b"xabcP yabcQ zabcR xabc"), 1) == list(b"P")
    assert NgramDrafter().propose(list(b"xabcP xabcQ zabcR xabc"), 1) == list(b"Q")


def test_a_period_goes_on_beyond_what_is_written():
    drafter = NgramDrafter()
    for _ in range(5):
        draft = drafter.propose(list(b"0 & 0 & 0 & "), 12)
        drafter.accepted(len(draft), len(draft))
    assert draft == list(b"0 & 0 & 0 & ")


def test_tables_take_fewer_passes():
    ids = encode(TABLE)
    assert len(ids) / write(ids, NgramDrafter()) > 3


def test_prose_costs_next_to_nothing():
    tally = Tally(NgramDrafter())
    ids = encode(PARAGRAPHS)
    passes = write(ids, tally)
    assert tally.drafted - tally.kept < 2 * len(ids)
    assert passes < len(ids)


def test_the_text_comes_before_the_n_grams():
    drafter = FirstOf(text_drafter("abab abab cd"), NgramDrafter())
    assert drafter.propose(list(b"abab abab "), 2) == list(b"cd")
    drafter.accepted(2, 2)
    assert drafter.propose(list(b"abab abab cdab"), 1) == list(b" ")


# --- pace -----------------------------------------------------------------------------------------------


def test_right_drafts_grow_and_wrong_ones_shrink():
    pace = Pace()
    first = pace.length(100)
    for _ in range(10):
        pace.update(pace.length(100), pace.length(100))
    assert pace.length(100) > 3 * first
    for _ in range(60):
        pace.update(4, 0)
    assert pace.length(100) == 0


def test_who_fell_silent_tries_again():
    pace = Pace(0.5)
    for _ in range(30):
        pace.update(1, 0)
    lengths = [pace.length(8) for _ in range(400)]
    assert lengths[0] == 0
    assert lengths[-1] > 0


def test_dear_tokens_are_drafted_less():
    lengths = [Pace(0.8, cost).length(50) for cost in (0.02, 0.07, 0.3, 1.0)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1]
    assert Pace(0.8).length(0) == 0
