from __future__ import annotations

from typing import Any

import pytest
import torch
from generation_helpers import ByteTokenizer, TinyTokenizer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from got_ocr2.errors import InvalidOptionError
from got_ocr2.generation import GenerationOptions
from got_ocr2.generation.rules.stopping import RowEnd, StopStrings

PIECES = [b"a", b"b", b"ab", b"ba", b"bab", b"\xe4\xbd", b"\xa0", "é".encode(), b"b\xe4", b"\xbd\xa0a"]


def first_stop(tokenizer: Any, strings: list[str], ids: list[int]) -> int | None:
    watcher = StopStrings(strings, tokenizer)
    return next((i for i, token in enumerate(ids) if watcher.push(token)), None)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(range(256, 258 + len(PIECES))), max_size=25),
    st.lists(st.text("abé你", min_size=1, max_size=5), min_size=1, max_size=3),
)
def test_the_tail_finds_what_the_whole_text_holds(ids: list[int], strings: list[str]) -> None:
    tokenizer = ByteTokenizer(PIECES)
    texts = (tokenizer.decode(ids[: i + 1], skip_special_tokens=False) for i in range(len(ids)))
    expected = next((i for i, text in enumerate(texts) if any(s in text for s in strings)), None)
    assert first_stop(tokenizer, strings, ids) == expected


def test_special_tokens_count_as_their_names() -> None:
    tokenizer = ByteTokenizer()
    assert first_stop(tokenizer, ["<|im_end|>"], [*b"ab", 256, *b"c"]) == 2
    assert first_stop(tokenizer, ["b<|im"], [*b"ab", 256]) == 2


def test_a_string_inside_one_token_or_across_many() -> None:
    tokenizer = ByteTokenizer([b"xstopx", b"st", b"opera"])
    assert first_stop(tokenizer, ["stop"], [97, 258]) == 1
    assert first_stop(tokenizer, ["stop"], [97, 259, 260]) == 2
    assert first_stop(tokenizer, ["stop"], [259, 97, 260]) is None


def test_stops_where_transformers_stops() -> None:
    from transformers.generation.stopping_criteria import StopStringCriteria

    ours, generator = TinyTokenizer(), torch.Generator().manual_seed(0)
    strings = ["aba", "bb ", " ", "c"]
    theirs = [StopStringCriteria(ours.for_transformers(), strings[:n]) for n in (1, 2, 4)]
    # Mostly "a", "b", "ab", "ba", with a few spaces and "c".
    choices = torch.tensor([65, 66, 95, 96] * 3 + [0, 67])
    places = []
    for _ in range(60):
        ids = choices[torch.randint(len(choices), (9,), generator=generator)]
        for n, criterion in zip((1, 2, 4), theirs, strict=True):
            stops = [bool(criterion(ids[None, : i + 1], None)) for i in range(len(ids))]
            places.append(stops.index(True) if True in stops else None)
            assert first_stop(ours, strings[:n], ids.tolist()) == places[-1]
    assert {None, 0, 1, 2, 5, 8} <= set(places)


def test_real_vocabulary(real_vocab_processor: Any) -> None:
    tokenizer = real_vocab_processor.tokenizer
    ids = tokenizer.encode("Two 𓂀 end<|im_end|>")
    character = next(i for i in range(len(ids)) if "𓂀" in tokenizer.decode(ids[: i + 1]))
    assert "\ufffd" in tokenizer.decode(ids[:character])
    assert first_stop(tokenizer, ["𓂀"], ids) == character
    assert first_stop(tokenizer, ["o 𓂀 e"], ids) == character + 1
    assert first_stop(tokenizer, ["<|im_end|>"], ids) == len(ids) - 1


def reasons(tokens: list[int], limit: int, tokenizer: Any = None, **options: Any) -> list[str | None]:
    """What one row says to each of its tokens."""
    end = RowEnd(GenerationOptions().override(**options), limit, tokenizer or ByteTokenizer())
    return [end.push(token) for token in tokens]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([ord("a"), 256], [None, "stop"]),
        ([ord("b"), ord("c"), 7], [None, None, "stop"]),
        ([*b"cxy"], [None, None, "length"]),
        ([*b"no"], [None, "stop_string"]),
    ],
)
def test_a_row_ends_for_its_own_reason(tokens: list[int], expected: list[str | None]) -> None:
    assert reasons(tokens, 3, eos_token_id=[256, 7], stop_strings="no") == expected


def test_an_end_token_wins_over_its_name_and_over_the_length() -> None:
    options = {"eos_token_id": 256, "stop_strings": ["<|im_end|>", "x"]}
    assert reasons([256], 1, **options) == ["stop"]
    assert reasons([ord("x")], 1, **options) == ["stop_string"]


def test_stop_strings_need_a_tokenizer() -> None:
    options = GenerationOptions(stop_strings=("a",))
    with pytest.raises(InvalidOptionError, match=r"stop_strings=\['a'\] need the tokenizer"):
        RowEnd(options, 5, None)
    with pytest.raises(InvalidOptionError, match="object has no decode_stream"):
        RowEnd(options, 5, object())  # pyright: ignore
