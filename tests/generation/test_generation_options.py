from __future__ import annotations

import dataclasses
import warnings

import pytest

from got_ocr2.errors import InvalidOptionError
from got_ocr2.generation import GenerationOptions


def test_options_are_frozen_and_normalised() -> None:
    options = GenerationOptions().override(eos_token_id=7, stop_strings="end", temperature=2, do_sample=True)
    assert options.eos_token_id == (7,)
    assert options.stop_strings == ("end",)
    assert isinstance(options.temperature, float)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.top_k = 3  # pyright: ignore


def test_repeated_ids_and_strings_count_once() -> None:
    options = GenerationOptions().override(eos_token_id=[7, 3, 7], stop_strings=["b", "a", "b"])
    assert options.eos_token_id == (7, 3)
    assert options.stop_strings == ("b", "a")


def test_none_keeps_the_default() -> None:
    base = GenerationOptions(max_new_tokens=9, eos_token_id=(4,))
    assert base.override(max_new_tokens=None, eos_token_id=None, temperature=None) == base
    assert base.override(eos_token_id=()).eos_token_id == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("temprature", "temperature"),
        ("max_tokens", "max_new_tokens"),
        ("eos_token_ids", "eos_token_id"),
        ("stop_string", "stop_strings"),
        ("no_repeat_ngram", "no_repeat_ngram_size"),
    ],
)
def test_unknown_option_suggests_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(InvalidOptionError, match=f"no option '{typed}'; did you mean '{meant}'"):
        GenerationOptions().override(**{typed: 1})


def test_unknown_option_without_a_near_one_lists_all() -> None:
    with pytest.raises(InvalidOptionError, match=r"'zzz'; there are: do_sample, .*use_cache"):
        GenerationOptions().override(zzz=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens must be a whole number >= 1, got 0"),
        ({"max_new_tokens": True}, "got True"),
        ({"max_new_tokens": 2.0}, r"got 2\.0"),
        ({"min_new_tokens": -1}, "min_new_tokens must be a whole number >= 0, got -1"),
        ({"min_new_tokens": 5, "max_new_tokens": 4}, "min_new_tokens 5 is more than max_new_tokens 4"),
        ({"do_sample": 1}, "do_sample must be True or False, got 1"),
        ({"do_sample": True, "temperature": 0}, "temperature must be a number > 0, got 0; .*do_sample=False"),
        ({"do_sample": True, "temperature": float("nan")}, "got nan"),
        ({"do_sample": True, "temperature": float("inf")}, "got inf"),
        ({"do_sample": True, "top_k": -1}, "top_k must be a whole number >= 0, got -1"),
        ({"do_sample": True, "top_p": 0.0}, r"top_p must be a number > 0, got 0\.0"),
        ({"do_sample": True, "top_p": 1.5}, r"top_p must be at most 1, got 1\.5"),
        ({"repetition_penalty": "1.2"}, "repetition_penalty must be a number > 0, got '1.2'"),
        ({"no_repeat_ngram_size": -3}, "no_repeat_ngram_size must be a whole number >= 0, got -3"),
        ({"stop_strings": ["a", ""]}, "non-empty strings, got ''"),
        ({"stop_strings": 4}, "non-empty strings, got 4"),
        ({"stop_strings": "a\ufffd"}, "U\\+FFFD"),
        ({"eos_token_id": [1, -1]}, "eos_token_id must be a whole number >= 0, got -1"),
        ({"pad_token_id": -1}, "pad_token_id must be a whole number >= 0, got -1"),
        ({"output_scores": True}, "output_scores=True needs return_dict_in_generate=True"),
        ({"temperature": 0.7}, r"temperature=0\.7 has no effect without do_sample=True"),
        ({"top_k": 3}, "top_k=3 has no effect without do_sample=True"),
        ({"top_p": 0.9, "do_sample": False}, r"top_p=0\.9 has no effect"),
    ],
)
def test_bad_values_are_refused_with_value_and_limit(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        GenerationOptions().override(**options)


def test_neutral_sampling_settings_are_no_contradiction() -> None:
    options = GenerationOptions().override(do_sample=False, temperature=1.0, top_k=0, top_p=1.0)
    assert not options.do_sample


def test_defaults_may_hold_sampling_settings_for_later() -> None:
    defaults = GenerationOptions(temperature=0.5, top_p=0.9)
    assert not defaults.override(max_new_tokens=3).do_sample
    assert defaults.override(do_sample=True).temperature == 0.5


def test_padding_falls_back_to_the_end_token() -> None:
    assert GenerationOptions(pad_token_id=3, eos_token_id=(5,)).padding == 3
    assert GenerationOptions(eos_token_id=(5, 6)).padding == 5
    assert GenerationOptions().padding is None


def test_reads_the_published_files() -> None:
    hub = {"_from_model_config": True, "transformers_version": "4.49.0"}
    original = {
        "bos_token_id": 11,
        "eos_token_id": 11,
        "max_new_tokens": 2048,
        "transformers_version": "4.37.2",
    }
    ids = {"eos_token_id": (13,), "pad_token_id": 11}
    assert GenerationOptions.from_generation_config(hub, **ids) == GenerationOptions(
        eos_token_id=(13,), pad_token_id=11
    )
    assert GenerationOptions.from_generation_config(original, **ids) == GenerationOptions(
        max_new_tokens=2048, eos_token_id=(13, 11), pad_token_id=11
    )


def test_a_file_full_of_neutral_settings_is_silent() -> None:
    data = {
        "num_beams": 1,
        "typical_p": 1.0,
        "suppress_tokens": None,
        "early_stopping": False,
        "max_length": 20,
    }
    assert GenerationOptions.from_generation_config(data) == GenerationOptions()


def test_what_a_file_asks_for_in_vain_is_named() -> None:
    with pytest.warns(UserWarning, match="min_p=0.1, num_beams=4: not supported"):
        options = GenerationOptions.from_generation_config({"num_beams": 4, "min_p": 0.1, "top_k": 9})
    assert options == GenerationOptions(top_k=9)


@pytest.mark.parametrize(
    "options",
    [
        GenerationOptions(),
        GenerationOptions(max_new_tokens=7, eos_token_id=(3,), pad_token_id=0),
        GenerationOptions(eos_token_id=(3, 4), stop_strings=("a", "b"), do_sample=True, top_p=0.5),
    ],
)
def test_file_round_trip(options: GenerationOptions) -> None:
    data = options.to_generation_config()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert GenerationOptions.from_generation_config(data) == options


def test_transformers_reads_what_is_written() -> None:
    transformers = pytest.importorskip("transformers")
    options = GenerationOptions(max_new_tokens=7, eos_token_id=(3,), pad_token_id=0, repetition_penalty=1.5)
    theirs = transformers.GenerationConfig.from_dict(options.to_generation_config())
    assert (theirs.max_new_tokens, theirs.eos_token_id, theirs.pad_token_id) == (7, 3, 0)
    assert theirs.repetition_penalty == 1.5
