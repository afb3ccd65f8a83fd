from __future__ import annotations

from typing import Any

import pytest
import torch
from generation_helpers import ScriptedModel, make_prompts

from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import InvalidOptionError
from got_ocr2.generation.inputs import PromptBatch, position_ids

PAD = 4


def test_positions_count_real_tokens() -> None:
    mask = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1], [0, 1, 1, 1]])
    assert position_ids(mask).tolist() == [[0, 0, 0, 1], [0, 1, 2, 3], [0, 0, 1, 2]]


def test_a_batch_knows_its_rows(tiny_wide_config: GotOcr2Config) -> None:
    prompts = make_prompts(tiny_wide_config, (1, 2, 0, 1), (7, 5, 9, 12), padding=PAD)
    batch = PromptBatch.check(tiny_wide_config, **prompts.inputs, padding=PAD)
    assert batch.images == (1, 2, 0, 1)
    assert batch.lengths == (15, 21, 9, 20)
    for index, alone in enumerate(prompts.alone):
        row = batch.row(index)
        assert row.input_ids.equal(alone["input_ids"])
        assert row.mask is None
        if "pixel_values" in alone:
            assert row.pixel_values is not None
            assert row.pixel_values.equal(alone["pixel_values"])
        else:
            assert row.pixel_values is None


def test_a_mask_that_hides_nothing_is_dropped(tiny_config: GotOcr2Config) -> None:
    ids = torch.tensor([[5, 6, 7]], dtype=torch.int32)
    batch = PromptBatch.check(tiny_config, ids, attention_mask=torch.ones(1, 3, dtype=torch.bool))
    assert batch.mask is None
    assert batch.input_ids.dtype == torch.int64


def ids(*rows: list[int]) -> torch.Tensor:
    return torch.tensor(rows)


IMAGE = [91] * 9


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, r"shape \(batch, tokens\), both at least 1, got None"),
        ({"input_ids": torch.tensor([5, 6])}, r"got \(2,\)"),
        ({"input_ids": torch.zeros(0, 3, dtype=torch.int64)}, r"got \(0, 3\)"),
        ({"input_ids": torch.tensor([[5.0]])}, "whole numbers, got torch.float32"),
        ({"input_ids": ids([5, 97])}, r"input_ids hold 97, outside the vocabulary 0\.\.96"),
        ({"input_ids": ids([5, -100])}, r"input_ids hold -100, outside"),
        (
            {"input_ids": ids([5, 6], [PAD, 6])},
            "Row 1 begins with the padding id 4, but there is no attention_mask",
        ),
        (
            {"input_ids": ids([5, 6]), "attention_mask": ids([1, 1, 1])},
            r"attention_mask has shape \(1, 3\), but input_ids have \(1, 2\)",
        ),
        ({"input_ids": ids([5, 6]), "attention_mask": ids([0, 2])}, "only 0 .padding. and 1"),
        (
            {"input_ids": ids([5, 6], [5, PAD]), "attention_mask": ids([1, 1], [1, 0])},
            "Row 1 of attention_mask has padding after text: generation needs padding on the left",
        ),
        (
            {"input_ids": ids([5, 6, 7]), "attention_mask": ids([1, 0, 1])},
            "Row 0 of attention_mask has padding after text",
        ),
        ({"input_ids": ids([5, 6]), "attention_mask": ids([0, 0])}, "Row 0 of attention_mask has padding"),
        ({"input_ids": ids([*IMAGE, 5])}, "hold 9 image tokens, but pixel_values are missing"),
        (
            {"input_ids": ids([5]), "pixel_values": torch.zeros(1, 3, 96, 96)},
            "hold 0 image tokens, but 1 pictures of 9 tokens each need 9",
        ),
        (
            {"input_ids": ids([*IMAGE, 5]), "pixel_values": torch.zeros(3, 96, 96)},
            r"shape \(images, channels, height, width\), got \(3, 96, 96\)",
        ),
        (
            {"input_ids": ids([5] * 9, [91] * 8 + [5]), "pixel_values": torch.zeros(1, 3, 96, 96)},
            "Row 1 holds 8 image tokens, not a multiple of the 9",
        ),
        (
            {
                "input_ids": ids([*IMAGE, 5]),
                "attention_mask": ids([0] + [1] * 9),
                "pixel_values": torch.zeros(1, 3, 96, 96),
            },
            "attention_mask hides image tokens",
        ),
    ],
)
def test_bad_batches_are_refused_before_any_work(
    tiny_config: GotOcr2Config, inputs: dict[str, Any], message: str
) -> None:
    model = ScriptedModel(tiny_config, [[20]])
    with pytest.raises(InvalidOptionError, match=message):
        model.generate(**inputs, max_new_tokens=3, pad_token_id=PAD)
    assert model.runner.calls == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"max_new_tokens": 510},
            "prompt has 3 tokens; with 510 new ones that makes 513, but the model's context ends at 512",
        ),
        ({"eos_token_id": 97}, r"eos_token_id 97 is outside the vocabulary 0\.\.96"),
        ({"pad_token_id": 151643}, r"pad_token_id 151643 is outside the vocabulary 0\.\.96"),
        ({"stop_strings": "x", "pad_token_id": PAD}, "need the tokenizer"),
        ({"pixel_value": 3}, "no option 'pixel_value'; did you mean 'pixel_values'"),
        ({"inputs_embeds": 3}, "cannot obey inputs_embeds=3"),
        ({"generator": [torch.Generator()]}, "1 generators were given for 2 rows"),
    ],
)
def test_bad_options_are_refused_before_any_work(
    tiny_config: GotOcr2Config, options: dict[str, Any], message: str
) -> None:
    model = ScriptedModel(tiny_config, [[20], [21]])
    with pytest.raises(InvalidOptionError, match=message):
        model.generate(ids([5, 6, 7], [8, 9, 10]), **options)
    assert model.runner.calls == []


def test_unequal_ends_need_padding(tiny_config: GotOcr2Config) -> None:
    from generation_helpers import ByteTokenizer

    model = ScriptedModel(tiny_config, [[20], [21]])
    with pytest.raises(InvalidOptionError, match="2 rows may end at different times: pass pad_token_id"):
        model.generate(ids([5, 6, 7], [8, 9, 10]), stop_strings="x", tokenizer=ByteTokenizer())


def test_the_context_is_measured_without_padding(tiny_config: GotOcr2Config) -> None:
    model = ScriptedModel(tiny_config, [[20]])
    padded = {"input_ids": ids([PAD] * 5 + [5, 6, 7]), "attention_mask": ids([0] * 5 + [1] * 3)}
    sequences = model.generate(**padded, max_new_tokens=509)
    assert isinstance(sequences, torch.Tensor)
    assert sequences.shape == (1, 5 + 512)


def test_a_prompt_that_fills_the_context_is_refused(tiny_config: GotOcr2Config) -> None:
    model = ScriptedModel(tiny_config, [[20]])
    with pytest.raises(
        InvalidOptionError, match="longest prompt has 512 tokens; with 1 new ones that makes 513"
    ):
        model.generate(torch.full((1, 512), 5))


def test_all_rows_may_begin_with_the_padding_id(tiny_config: GotOcr2Config) -> None:
    batch = PromptBatch.check(tiny_config, ids([PAD, 6], [PAD, 7]), padding=PAD)
    assert batch.lengths == (2, 2)


def test_inputs_and_model_must_share_a_device(make_model: Any, tiny_config: GotOcr2Config) -> None:
    model = make_model(tiny_config).to("meta")
    with pytest.raises(InvalidOptionError, match="input_ids are on cpu, but the model is on meta"):
        model.generate(ids([5, 6]), max_new_tokens=2)
