"""The native runner against the torch one: pictures, prompts with pictures, steps, and what it does to memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from got_ocr2 import OCR, kernels
from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import InvalidOptionError
from got_ocr2.generation.engine.runner import RowInput, Span
from got_ocr2.kernels import library
from got_ocr2.modeling.backends.native import runner as native_runner
from got_ocr2.modeling.backends.native.runner import NativeRunner
from got_ocr2.modeling.backends.torch_runner import TorchRunner

pytestmark = pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))

SETS = library.INSTRUCTION_SETS[: library.native().got_isa_best() + 1] if kernels.available() else ()


@pytest.fixture(params=SETS)
def isa(request):
    before = kernels.instruction_set()
    kernels.instruction_set(request.param)
    yield request.param
    kernels.instruction_set(before)


@pytest.fixture(autouse=True)
def same_numbers_every_time():
    torch.manual_seed(0)
    with torch.inference_mode():
        yield


def close(ours, theirs, limit=1e-5):
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= limit * theirs.abs().max()


def in_bf16(model):
    return model.bfloat16().float()


VISION = {
    "square": {},
    "wide": {"image_size": (56, 104)},
    "no relative positions": {
        "use_rel_pos": False,
        "image_size": (64, 160),
        "patch_size": (8, 4),
        "window_size": 8,
    },
    "no biases, no places": {"qkv_bias": False, "use_abs_pos": False},
    "no windows": {"window_size": 0},
    "window as large as the grid": {"window_size": 12},
    "odd head size": {"hidden_size": 60, "num_attention_heads": 5},
    "grid of odd sides": {"image_size": (72, 40), "window_size": 3},
}


@pytest.mark.parametrize("changes", VISION.values(), ids=VISION.keys())
def test_pictures(make_model, tiny_config, isa, changes):
    config = replace(tiny_config, vision_config=replace(tiny_config.vision_config, **changes))
    model = in_bf16(make_model(config, seed=2))
    pictures = torch.randn(2, 3, *config.vision_config.image_hw)
    for weights in ("bf16", "fp32"):
        runner = NativeRunner(model, weights)
        close(runner.encode(pictures), model.encode_pictures(pictures))
    close(NativeRunner(model, "int8").encode(pictures), model.encode_pictures(pictures), 0.05)
    close(NativeRunner(model, vision="int16").encode(pictures), model.encode_pictures(pictures), 0.002)


def test_a_picture_of_another_size_is_refused(tiny_model):
    with pytest.raises(ValueError, match=r"must be \(N, 3, 96, 96\), got \(1, 3, 96, 88\)"):
        NativeRunner(tiny_model).encode(torch.zeros(1, 3, 96, 88))


def run(runner, config, texts, features):
    """A prompt with a picture joins a row that is already under way; then both go on."""
    runner.allocate(200)
    first, second = texts
    token = config.image_token_index
    prompt = torch.cat([first[:2], torch.full((config.vision_config.num_image_tokens,), token), first[2:]])
    spans = Span(3, 60), Span(90, 60)
    scores = [runner.forward(second, [RowInput(spans[1], 0, len(second), 2)]).logits.clone()]
    # in a row without features the image token is a token like any other
    ids = torch.cat([torch.tensor([token]), prompt])
    rows = [RowInput(spans[1], len(second), 1, 1), RowInput(spans[0], 0, len(prompt), 1, features)]
    scores.append(runner.forward(ids, rows).logits.clone())
    rows = [RowInput(spans[0], len(prompt), 3, 3), RowInput(spans[1], len(second) + 1, 1, 0)]
    scores.append(runner.forward(torch.tensor([5, 6, 7, 8]), rows).logits.clone())
    runner.release()
    assert runner.capacity == 0
    return torch.cat(scores)


@pytest.mark.parametrize("tied", [True, False])
def test_steps(make_model, tiny_config, tied, isa):
    config = replace(tiny_config, tie_word_embeddings=tied)
    model = in_bf16(make_model(config, seed=4))
    texts = torch.randint(0, 90, (8,)), torch.randint(0, 90, (17,))
    features = model.encode_pictures(torch.randn(1, 3, 96, 96))[0]
    expected = run(TorchRunner(model), config, texts, features)
    for weights in ("auto", "fp32"):
        close(run(NativeRunner(model, weights), config, texts, features), expected)


def test_auto_stores_two_bytes_a_weight_only_where_that_loses_nothing(tiny_model, make_model, tiny_config):
    assert NativeRunner(tiny_model).weights == "fp32"
    runner = NativeRunner(make_model(tiny_config).bfloat16())
    assert (runner.weights, runner.vision) == ("bf16", "bf16")
    assert runner.nbytes < NativeRunner(tiny_model).nbytes * 0.6
    runner = NativeRunner(tiny_model, "int4")
    assert (runner.weights, runner.vision) == ("int4", "int8")


def test_auto_stores_large_decoders_in_twelve_bits(make_model, tiny_config, monkeypatch):
    """Equal to the bit to the two bytes of small ones; not where unpacking is slow."""
    model, features = make_model(tiny_config).bfloat16(), torch.ones(9, 32)
    texts = torch.arange(4), torch.arange(9)
    expected = run(NativeRunner(model), tiny_config, texts, features)
    monkeypatch.setattr(native_runner, "_COMPACT_FROM", 1)
    best = kernels.instruction_set()
    try:
        for name in library.INSTRUCTION_SETS[: library.INSTRUCTION_SETS.index(best) + 1]:
            kernels.instruction_set(name)
            runner = NativeRunner(model)
            assert (runner.weights, runner.vision) == ("bf16" if name == "portable" else "compact", "bf16")
            if name == best:
                assert torch.equal(run(runner, tiny_config, texts, features), expected)
    finally:
        kernels.instruction_set(best)


def test_a_bf16_model_gives_what_it_would_give_in_fp32(make_model, tiny_config):
    model = make_model(tiny_config).bfloat16()
    runner, pictures = NativeRunner(model), torch.randn(1, 3, 96, 96)
    close(runner.encode(pictures.bfloat16()), model.float().encode_pictures(pictures.bfloat16().float()))


def test_weights_may_be_taken_out_of_the_model(make_model, tiny_config):
    model = make_model(tiny_config).bfloat16()
    expected = run(NativeRunner(model), tiny_config, (torch.arange(4), torch.arange(9)), torch.ones(9, 32))
    runner = NativeRunner(model, consume=True)
    assert {p.device.type for p in model.parameters()} == {"meta"}
    assert torch.equal(
        run(runner, tiny_config, (torch.arange(4), torch.arange(9)), torch.ones(9, 32)), expected
    )


def test_bytes_of_a_position(tiny_model):
    # 3 layers, 2 kv heads, 8 numbers of a key, 8 of a value that take the room of 16
    assert NativeRunner(tiny_model).bytes_per_position == 3 * 2 * (8 + 16) * 4
    assert NativeRunner(tiny_model, "int8").bytes_per_position == 3 * 2 * (8 + 16) * 2


def test_options_that_cannot_be(tiny_model):
    with pytest.raises(InvalidOptionError, match="weights is 'int3'"):
        NativeRunner(tiny_model, "int3")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidOptionError, match="vision is 'int4'"):
        NativeRunner(tiny_model, vision="int4")
    with pytest.raises(InvalidOptionError, match="not bf16 numbers"):
        NativeRunner(tiny_model, "bf16")
    with pytest.raises(InvalidOptionError, match="number of threads is 0"):
        NativeRunner(tiny_model, threads=0)


@pytest.mark.slow
def test_the_published_size(make_model):
    """Random weights, rounded to bf16: image tokens, then a prompt with them and greedy tokens after it."""
    model = in_bf16(make_model(GotOcr2Config()))
    runner, torch_runner = NativeRunner(model), TorchRunner(model)
    assert runner.weights == ("bf16" if kernels.instruction_set() == "portable" else "compact")
    picture = torch.randn(1, 3, 1024, 1024)
    features = torch_runner.encode(picture)
    close(runner.encode(picture), features)
    prompt = torch.cat(
        [torch.arange(21), torch.full((256,), model.config.image_token_index), torch.arange(9)]
    )
    scores = []
    for one in (runner, torch_runner):
        one.allocate(400)
        step = one.forward(prompt, [RowInput(Span(0, 350), 0, len(prompt), 1, features[0])])
        chosen = [step.logits.clone()]
        for i in range(12):
            row = RowInput(Span(0, 350), len(prompt) + i, 1, 1)
            chosen.append(one.forward(chosen[-1].argmax(-1), [row]).logits.clone())
        scores.append(torch.cat(chosen))
    close(scores[0], scores[1])
    assert torch.equal(scores[0].argmax(-1), scores[1].argmax(-1))


def test_the_embedded_model_reads_the_same_text():
    picture = Image.new("RGB", (400, 60), "white")
    ImageDraw.Draw(picture).text((8, 12), "A line, 3 words", fill="black", font=ImageFont.load_default(28))
    texts = [OCR.from_pretrained(kernels=kernels).read(picture).text for kernels in ("native", "torch")]
    assert texts[0] == texts[1]
    assert texts[0]
