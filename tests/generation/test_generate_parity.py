"""`generate` against transformers' on the same weights: ids, scores, stops, draws."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from generation_helpers import TinyTokenizer, make_prompts

from got_ocr2.generation import TextStreamer

PAD, IMAGE = 4, 91
ENDS = list(range(20, 34))


def both(model: Any, oracle: Any, inputs: dict[str, Any], **options: Any) -> tuple[Any, Any]:
    options = {"return_dict_in_generate": True, "output_scores": True, "pad_token_id": PAD, **options}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        ours = model.generate(**inputs, **options)
        torch.manual_seed(11)
        theirs = oracle.generate(**inputs, **options)
    return ours, theirs


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"eos_token_id": ENDS},
        {"eos_token_id": ENDS, "min_new_tokens": 6},
        # transformers takes padding for text here: a padded row would differ once it wrote the padding id.
        {"no_repeat_ngram_size": 2, "eos_token_id": PAD},
        {"no_repeat_ngram_size": 3, "repetition_penalty": 1.2, "eos_token_id": [PAD, *ENDS[:5]]},
        {"repetition_penalty": 0.7},
        {"use_cache": False, "eos_token_id": [IMAGE, *ENDS]},
        {"do_sample": True, "top_k": 0},
        {"do_sample": True, "eos_token_id": ENDS},
        {"do_sample": True, "temperature": 0.6, "top_k": 12, "top_p": 0.8, "repetition_penalty": 1.1},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("images", "lengths"), [((1,), (6,)), ((2, 1, 1), (5, 14, 9)), ((0, 1), (11, 4))], ids=str
)
def test_ids_and_scores(
    tiny_model: Any, tiny_oracle: Any, images: Any, lengths: Any, options: dict[str, Any]
) -> None:
    prompts = make_prompts(tiny_model.config, images, lengths, padding=PAD)
    ours, theirs = both(tiny_model, tiny_oracle, prompts.inputs, max_new_tokens=20, **options)
    assert ours.sequences.tolist() == theirs.sequences.tolist()
    assert len(ours.scores) == len(theirs.scores)
    for step, (mine, other) in enumerate(zip(ours.scores, theirs.scores, strict=True)):
        going_on = torch.tensor([length > step for length in ours.lengths])
        torch.testing.assert_close(mine[going_on], other[going_on], atol=2e-3, rtol=1e-4)


def test_default_sampling_is_theirs_too(tiny_model: Any, tiny_oracle: Any) -> None:
    """transformers draws among the best 50 unless told otherwise."""
    prompts = make_prompts(tiny_model.config, (1,), (6,), padding=PAD)
    ours, _ = both(tiny_model, tiny_oracle, prompts.inputs, max_new_tokens=3, do_sample=True)
    assert [int(scores.isfinite().sum()) for scores in ours.scores] == [50] * 3


@pytest.mark.parametrize("eos_token_id", [None, ENDS], ids=str)
@pytest.mark.parametrize(("first", "last"), [(4, 6), (2, 3), (5, 9)], ids=str)
def test_stop_strings(tiny_model: Any, tiny_oracle: Any, first: int, last: int, eos_token_id: Any) -> None:
    """Strings that the model is known to write: row 0 writes the first one at tokens `first` to `last`."""
    prompts = make_prompts(tiny_model.config, (1, 2, 0), (6, 9, 12), padding=PAD)
    options = {"max_new_tokens": 16, "pad_token_id": PAD}
    width = prompts.inputs["input_ids"].shape[1]
    free = tiny_model.generate(**prompts.inputs, **options)[0, width:].tolist()
    tokenizer = TinyTokenizer()
    strings = [tokenizer.decode(free[first:last]), "never written"]
    options |= {"stop_strings": strings, "eos_token_id": eos_token_id}
    ours = tiny_model.generate(**prompts.inputs, **options, tokenizer=tokenizer, return_dict_in_generate=True)
    theirs = tiny_oracle.generate(**prompts.inputs, **options, tokenizer=tokenizer.for_transformers())
    assert ours.lengths[0] <= last
    if eos_token_id is None:
        assert ours.finish_reasons[0] == "stop_string"
        # Only end tokens make transformers pad the rows that have ended; otherwise it writes on.
        for row, length in enumerate(ours.lengths):
            assert ours.sequences[row, : width + length].tolist() == theirs[row, : width + length].tolist()
        assert ours.sequences.shape == theirs.shape
    else:
        assert ours.sequences.tolist() == theirs.tolist()


def test_streamers_of_both_kinds(tiny_model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from transformers import TextStreamer as Theirs

    prompts = make_prompts(tiny_model.config, (1,), (6,), padding=PAD)
    tokenizer = TinyTokenizer()
    shown = []
    for streamer in (
        TextStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True),
        Theirs(tokenizer.for_transformers(), skip_prompt=True, skip_special_tokens=True),
    ):
        ids = tiny_model.generate(**prompts.inputs, max_new_tokens=12, streamer=streamer)
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] == tokenizer.decode(ids[0, -12:].tolist()) + "\n"
