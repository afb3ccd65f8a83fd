"""`generate` against its slow twin and against scripts."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import pytest
import torch
from generation_helpers import ByteTokenizer, ScriptedModel, make_prompts

from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import GotOcr2Error, InvalidOptionError
from got_ocr2.generation import GenerateOutput, GenerationMixin, GenerationOptions
from got_ocr2.generation.inputs import PromptBatch
from got_ocr2.generation.reference import generate_slowly

PAD, IMAGE = 4, 91
# Unequal pictures and lengths, a row without a picture, the longest row neither first nor last.
IMAGES, LENGTHS = (1, 2, 0, 1), (7, 5, 9, 12)
ROWS = range(len(IMAGES))


class Recorder:
    """A streamer that keeps what it is told."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    def put(self, value: torch.Tensor) -> None:
        self.got.append(value.tolist())

    def end(self) -> None:
        self.got.append("end")


def slowly(model: Any, inputs: dict[str, Any], **options: Any) -> GenerateOutput:
    extra = {name: options.pop(name, None) for name in ("tokenizer", "generators")}
    chosen = GenerationOptions().override(**options)
    batch = PromptBatch.check(model.config, **inputs, padding=chosen.padding)
    return generate_slowly(model, batch, chosen, options["max_new_tokens"], **extra)


def same(ours: Any, expected: GenerateOutput) -> None:
    assert torch.equal(ours.sequences, expected.sequences)
    assert ours.finish_reasons == expected.finish_reasons
    assert ours.lengths == expected.lengths
    torch.testing.assert_close(ours.logprobs, expected.logprobs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"eos_token_id": [*range(30), IMAGE], "min_new_tokens": 3},
        {"no_repeat_ngram_size": 2, "repetition_penalty": 1.3},
        {"no_repeat_ngram_size": 1},
        {"eos_token_id": [*range(40, 70), IMAGE], "repetition_penalty": 0.8},
    ],
)
def test_batch_equals_each_row_read_slowly_alone(
    tiny_wide_model: Any, options: dict[str, Any], use_cache: bool
) -> None:
    prompts = make_prompts(tiny_wide_model.config, IMAGES, LENGTHS, padding=PAD)
    # The slow twin cannot read the image token again once a row has written it: rows end there.
    options = {"max_new_tokens": 14, "pad_token_id": PAD, "eos_token_id": IMAGE, **options}
    expected = slowly(tiny_wide_model, prompts.inputs, **options)
    ours = tiny_wide_model.generate(
        **prompts.inputs, **options, use_cache=use_cache, return_dict_in_generate=True
    )
    same(ours, expected)
    assert len(set(map(tuple, ours.sequences[:, -14:].tolist()))) == len(IMAGES)


@pytest.mark.parametrize("seed", range(3))
def test_sampling_with_a_generator_per_row_equals_each_row_alone(tiny_wide_model: Any, seed: int) -> None:
    prompts = make_prompts(tiny_wide_model.config, IMAGES, LENGTHS, padding=PAD, seed=seed)
    options = {
        "max_new_tokens": 14, "pad_token_id": PAD, "eos_token_id": [*range(50, 60), IMAGE], "do_sample": True,
        "temperature": 1.5, "top_k": 30, "top_p": 0.9,
    }  # fmt: skip

    def generators() -> list[torch.Generator]:
        return [torch.Generator().manual_seed(10 * seed + row) for row in ROWS]

    expected = slowly(tiny_wide_model, prompts.inputs, **options, generators=generators())
    ours = tiny_wide_model.generate(
        **prompts.inputs, **options, generator=generators(), return_dict_in_generate=True
    )
    same(ours, expected)
    alone = tiny_wide_model.generate(**prompts.alone[1], **options, generator=generators()[1])
    start = prompts.inputs["input_ids"].shape[1]
    assert (
        alone[0, -ours.lengths[1] :].tolist() == ours.sequences[1, start : start + ours.lengths[1]].tolist()
    )


def test_stop_strings_equal_the_slow_twin(make_model: Any, tiny_config: GotOcr2Config) -> None:
    tokenizer = ByteTokenizer([b"a", b"b", b"ab", b"ba", b"c"])
    text = replace(tiny_config.text_config, vocab_size=264, tie_word_embeddings=False)
    config = replace(tiny_config, text_config=text, image_token_index=263, tie_word_embeddings=False)
    model = make_model(config)
    # It writes almost only the five pieces, 258..262: they overlap, so strings are found in many places.
    model.lm_head.weight.data[:258] = 0
    model.lm_head.weight.data[258:263] *= 9
    inputs = {"input_ids": torch.arange(60, 84).view(4, 6)}
    options = {
        "max_new_tokens": 12, "stop_strings": ["bab", "aac", "ccb"], "pad_token_id": 257, "do_sample": True,
        "tokenizer": tokenizer,
    }  # fmt: skip

    def generators() -> list[torch.Generator]:
        return [torch.Generator().manual_seed(row) for row in range(4)]

    expected = slowly(model, inputs, **options, generators=generators())
    ours = model.generate(**inputs, **options, generator=generators(), return_dict_in_generate=True)
    same(ours, expected)
    assert set(ours.finish_reasons) == {"stop_string", "length"}


def scripted(
    config: GotOcr2Config, scripts: list[list[int]], width: int = 3
) -> tuple[ScriptedModel, torch.Tensor]:
    rows = len(scripts)
    return ScriptedModel(config, scripts), torch.arange(5, 5 + rows * width).view(rows, width)


def test_rows_end_for_their_own_reasons(tiny_config: GotOcr2Config) -> None:
    model, ids = scripted(tiny_config, [[20, 21, 9], [30, 31, 32, 33, 34], [9]])
    output = model.generate(
        ids,
        eos_token_id=9,
        pad_token_id=4,
        max_new_tokens=4,
        return_dict_in_generate=True,
        output_scores=True,
    )
    assert isinstance(output, GenerateOutput)
    assert output.sequences[:, :3].equal(ids)
    assert output.sequences[:, 3:].tolist() == [[20, 21, 9, 4], [30, 31, 32, 33], [9, 4, 4, 4]]
    assert output.finish_reasons == ("stop", "length", "stop")
    assert output.lengths == (3, 4, 1)
    assert output.scores is not None
    assert [s.shape for s in output.scores] == [(3, 97)] * 4
    likely = torch.zeros(97).index_fill(0, torch.tensor([0]), 9.0).log_softmax(0)[0]
    expected = torch.tensor([[1.0, 1, 1, 0], [1, 1, 1, 1], [1, 0, 0, 0]]) * likely
    torch.testing.assert_close(output.logprobs, expected)
    # Ended rows are fed no more, and the work ends with the last row.
    assert [call.fed for call in model.runner.calls[1:]] == [[[20], [30]], [[21], [31]], [[32]]]
    assert [scores[2].any().item() for scores in output.scores] == [True, False, False, False]


def test_stops_as_soon_as_all_rows_have_ended(tiny_config: GotOcr2Config) -> None:
    model, ids = scripted(tiny_config, [[20, 9], [9]])
    sequences = model.generate(ids, eos_token_id=9, max_new_tokens=50)
    assert isinstance(sequences, torch.Tensor)
    assert sequences[:, 3:].tolist() == [[20, 9], [9, 9]]
    assert len(model.runner.calls) == 2


def test_pictures_are_encoded_once_and_together(tiny_config: GotOcr2Config) -> None:
    prompts = make_prompts(tiny_config, (1, 0, 2), (4, 6, 5), padding=PAD)
    model = ScriptedModel(tiny_config, [[20, 21, 22], [30, 31, 32], [40, 41, 42]])
    # Shorter prompts go through the runner first; the scripts belong to the rows in that order.
    sequences = model.generate(**prompts.inputs, max_new_tokens=3)
    assert isinstance(sequences, torch.Tensor)
    assert sequences[:, -3:].tolist() == [[30, 31, 32], [20, 21, 22], [40, 41, 42]]
    assert model.runner.encoded == [3]
    assert [list(map(len, call.fed)) for call in model.runner.calls] == [[6, 13, 23], [1, 1, 1], [1, 1, 1]]


def test_log_probabilities_are_the_models_own(tiny_model: Any) -> None:
    """Not those of the penalised, tempered, cut distribution that the token was drawn from."""
    prompts = make_prompts(tiny_model.config, (1,), (6,), padding=PAD)
    output = tiny_model.generate(
        **prompts.inputs, max_new_tokens=5, do_sample=True, temperature=3.0, top_k=5, repetition_penalty=2.0,
        generator=torch.Generator().manual_seed(0), return_dict_in_generate=True, output_scores=True,
    )  # fmt: skip
    with torch.no_grad():
        logits = tiny_model(output.sequences, pixel_values=prompts.inputs["pixel_values"]).logits
    new = output.sequences[:, -5:]
    own = logits[:, -6:-1].log_softmax(-1).gather(2, new[..., None])[..., 0]
    torch.testing.assert_close(output.logprobs, own, atol=1e-4, rtol=1e-4)
    assert all(int(scores.isfinite().sum()) == 5 for scores in output.scores)
    drawn_from = torch.stack([s.log_softmax(-1)[0, t] for s, t in zip(output.scores, new[0], strict=True)])
    assert not torch.allclose(drawn_from, output.logprobs[0], atol=1e-2)


def test_sequences_and_log_probabilities_may_go_into_a_loss(tiny_model: Any) -> None:
    prompts = make_prompts(tiny_model.config, (1,), (6,), padding=PAD)
    output = tiny_model.generate(**prompts.inputs, max_new_tokens=2, return_dict_in_generate=True)
    logits = tiny_model(output.sequences, pixel_values=prompts.inputs["pixel_values"]).logits
    (logits.mean() * output.logprobs.sum()).backward()
    assert tiny_model.lm_head.weight.grad is not None
    tiny_model.zero_grad(set_to_none=True)


def test_steps_are_what_generate_is_made_of(tiny_model: Any) -> None:
    prompts = make_prompts(tiny_model.config, (1, 1), (6, 4), padding=PAD)
    options = {"max_new_tokens": 5, "pad_token_id": PAD, "eos_token_id": list(range(20))}
    output = tiny_model.generate(**prompts.inputs, **options, return_dict_in_generate=True)
    steps = list(tiny_model.generate_steps(**prompts.inputs, **options))
    width = prompts.inputs["input_ids"].shape[1]
    assert [step.index for step in steps] == list(range(len(steps)))
    assert [list(step.tokens) for step in steps] == output.sequences[:, width:].T.tolist()
    assert steps[-1].finish_reasons == output.finish_reasons
    assert all(step.scores is None for step in steps)


def test_steps_can_be_left_early_and_leave_no_inference_mode_behind(tiny_config: GotOcr2Config) -> None:
    model, ids = scripted(tiny_config, [[20, 21, 22, 23]])
    steps = model.generate_steps(ids, max_new_tokens=4)
    assert model.runner.calls == []
    assert next(steps).tokens == (20,)
    assert not torch.is_inference_mode_enabled()
    assert next(steps).tokens == (21,)
    steps.close()
    assert len(model.runner.calls) == 2
    assert model.runner.capacity == 0  # the arena is given back


def test_generate_and_its_steps_take_the_same(tiny_config: GotOcr2Config) -> None:
    whole, stepwise = map(inspect.signature, (GenerationMixin.generate, GenerationMixin.generate_steps))
    assert whole.parameters == stepwise.parameters
    model, ids = scripted(tiny_config, [[20, 21]])
    given: dict[str, Any] = {"inputs": ids, "generation_config": {"max_length": ids.shape[1] + 2}}
    one, other = Recorder(), Recorder()
    assert model.generate(**given, streamer=one)[0, -2:].tolist() == [20, 21]
    assert [step.tokens for step in model.generate_steps(**given, streamer=other)] == [(20,), (21,)]
    assert one.got == other.got == [ids.tolist(), [20], [21], "end"]


def test_steps_left_early_end_the_streamer(tiny_config: GotOcr2Config) -> None:
    model, ids = scripted(tiny_config, [[20, 21, 22]])
    shown = Recorder()
    steps = model.generate_steps(ids, max_new_tokens=3, streamer=shown)
    next(steps)
    steps.close()
    assert shown.got == [ids.tolist(), [20], "end"]
    assert model.runner.capacity == 0


def test_steps_refuse_bad_options_at_the_call(tiny_config: GotOcr2Config) -> None:
    model, ids = scripted(tiny_config, [[20]])
    shown = Recorder()
    with pytest.raises(InvalidOptionError, match="did you mean 'max_new_tokens'"):
        model.generate_steps(ids, max_new_token=4, streamer=shown)
    assert shown.got == ["end"]
    with pytest.raises(
        InvalidOptionError, match=r"generate_steps\(\) .* does not do num_beams; use generate"
    ):
        model.generate_steps(ids, max_new_tokens=4, num_beams=2)
    with pytest.raises(InvalidOptionError, match=r"requests\(\) .* does not do output_logits"):
        model.requests(ids, output_logits=True, return_dict_in_generate=True)


def test_defaults_of_the_model_end_a_row_without_being_told(tiny_config: GotOcr2Config) -> None:
    model, ids = scripted(tiny_config, [[20, 21, 9]])
    model.generation_defaults = GenerationOptions(eos_token_id=(9,), pad_token_id=4)
    sequences = model.generate(ids)
    assert isinstance(sequences, torch.Tensor)
    assert sequences[0, 3:].tolist() == [20, 21, 9]


def test_without_a_limit_a_row_fills_the_context(tiny_config: GotOcr2Config) -> None:
    model, ids = scripted(tiny_config, [[20]])
    output = model.generate(ids, return_dict_in_generate=True)
    assert isinstance(output, GenerateOutput)
    assert output.sequences.shape == (1, tiny_config.text_config.max_position_embeddings)
    assert output.finish_reasons == ("length",)


def test_min_new_tokens_holds_the_end_back(tiny_config: GotOcr2Config) -> None:
    model, ids = scripted(tiny_config, [[9, 9, 9, 9]])
    sequences = model.generate(ids, eos_token_id=9, min_new_tokens=2, max_new_tokens=9)
    assert isinstance(sequences, torch.Tensor)
    assert sequences[0, 3:].tolist() == [0, 0, 9]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_number_formats(make_model: Any, tiny_config: GotOcr2Config, dtype: torch.dtype) -> None:
    model = make_model(tiny_config).to(dtype)
    prompts = make_prompts(tiny_config, (1, 1), (6, 4), padding=PAD)
    output = model.generate(
        **prompts.inputs, max_new_tokens=4, return_dict_in_generate=True, output_scores=True
    )
    assert output.logprobs.dtype == torch.float32
    assert output.scores[0].dtype == torch.float32
    assert output.sequences.shape[1] == prompts.inputs["input_ids"].shape[1] + 4


@pytest.mark.parametrize("do_sample", [False, True])
def test_scores_that_are_not_numbers_are_an_error(
    make_model: Any, tiny_config: GotOcr2Config, do_sample: bool
) -> None:
    model = make_model(tiny_config)
    model.model.language_model.norm.weight.data[3] = torch.nan
    with pytest.raises(GotOcr2Error, match="Row 0 has no token to choose at step 0"):
        model.generate(torch.tensor([[5, 6]]), max_new_tokens=3, do_sample=do_sample)


def test_forbidding_every_token_is_an_error_for_a_row_that_goes_on(tiny_config: GotOcr2Config) -> None:
    model, ids = scripted(tiny_config, [[1], [2]])
    with pytest.raises(GotOcr2Error, match="Row 0 has no token to choose at step 94"):
        model.generate(ids, no_repeat_ngram_size=1, max_new_tokens=100)


@pytest.mark.parametrize("use_cache", [True, False])
def test_a_row_may_write_the_image_token_and_go_on(
    make_model: Any, tiny_config: GotOcr2Config, use_cache: bool
) -> None:
    """It is a token like any other there; transformers would look for a picture without a cache."""
    model = make_model(tiny_config)
    prompts = make_prompts(tiny_config, (1, 0), (6, 9), padding=PAD)
    free = model.generate(**prompts.inputs, max_new_tokens=6, use_cache=use_cache)
    written = int(free[1, -4])
    # The same words, but the one that row 1 writes third is the image token now.
    config = replace(tiny_config, image_token_index=written)
    swap = {IMAGE: written, written: IMAGE}
    other = make_model(config)
    other.load_state_dict(model.state_dict())
    embed = other.model.language_model.embed_tokens.weight.data
    embed[[IMAGE, written]] = embed[[written, IMAGE]]
    ids = prompts.inputs["input_ids"].clone().apply_(lambda i: swap.get(i, i))
    ours = other.generate(**{**prompts.inputs, "input_ids": ids}, max_new_tokens=6, use_cache=use_cache)
    assert ours[:, -6:].clone().apply_(lambda i: swap.get(i, i)).tolist() == free[:, -6:].tolist()
    assert written in free[1, -6:-1] or IMAGE in ours[1, -6:-1]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("do_sample", [False, True])
def test_on_a_gpu(make_model: Any, tiny_config: GotOcr2Config, do_sample: bool) -> None:
    model = make_model(tiny_config).to("cuda")
    prompts = make_prompts(tiny_config, (1, 2), (6, 4), padding=PAD)
    inputs = {name: value.to("cuda") for name, value in prompts.inputs.items()}
    options = {
        "max_new_tokens": 12, "pad_token_id": PAD, "eos_token_id": [*range(20), IMAGE], "do_sample": do_sample,
        "no_repeat_ngram_size": 3, "repetition_penalty": 1.2,
    }  # fmt: skip
    generators = [[torch.Generator("cuda").manual_seed(row) for row in range(2)] for _ in range(2)]
    expected = slowly(model, inputs, **options, generators=generators[0])
    ours = model.generate(**inputs, **options, generator=generators[1], return_dict_in_generate=True)
    same(ours, expected)
    with pytest.raises(InvalidOptionError, match="input_ids are on cpu, but the model is on cuda:0"):
        model.generate(**prompts.inputs)
