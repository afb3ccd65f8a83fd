"""The native decoder against the torch one: ragged steps, spans anywhere, every instruction set and thread count."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from got_ocr2 import kernels
from got_ocr2.generation.cache import KeyValueCache
from got_ocr2.kernels import decoder as native_decoder
from got_ocr2.kernels import library
from got_ocr2.kernels.decoder import Row
from got_ocr2.kernels.linear import PackedLinear
from got_ocr2.kernels.quantize import CACHES, stored_in_cache
from got_ocr2.modeling.backends.native.decoder import pack_decoder
from got_ocr2.modeling.backends.native.weights import Taker

pytestmark = pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))

SETS = library.INSTRUCTION_SETS[: library.native().got_isa_best() + 1] if kernels.available() else ()


@pytest.fixture(autouse=True)
def same_numbers_every_time():
    torch.manual_seed(0)


@pytest.fixture(params=SETS)
def isa(request):
    before = kernels.instruction_set()
    kernels.instruction_set(request.param)
    yield request.param
    kernels.instruction_set(before)


@pytest.fixture(params=[1, 3])
def threads(request):
    before = kernels.threads()
    kernels.set_threads(request.param)
    yield request.param
    kernels.set_threads(before)


@pytest.fixture(scope="module")
def model(make_model, tiny_config):
    """Weights that bf16 holds exactly, in fp32."""
    return make_model(tiny_config, seed=3).bfloat16().float()


def packed(model, format="bf16", positions=300, cache=None):
    usual = "bf16" if format in ("int8", "int4") else "fp32"
    decoder = pack_decoder(model, Taker(consume=False), format, format, cache or usual)
    decoder.allocate(positions)
    return decoder


def whole(model, ids):
    """Logits after every one of `ids` by torch, `(n, vocabulary)`."""
    language_model = model.model.language_model
    return model.lm_head(language_model(language_model.embed_tokens(ids)[None]))[0]


def close(ours, theirs, limit=1e-5):
    assert (ours - theirs).abs().max() <= limit * theirs.abs().max()


@torch.inference_mode()
@pytest.mark.parametrize("format", ["fp32", "bf16", "compact"])
def test_a_prompt_then_tokens_one_by_one(model, isa, threads, format):
    decoder = packed(model, format)
    ids = torch.randint(0, 97, (40,), generator=torch.Generator().manual_seed(1))
    expected, x = whole(model, ids), decoder.head.rows(ids)
    logits, best, logprobs = decoder.step(x[:30].clone(), [Row(7, 0, 30, 30)])
    close(logits, expected[:30])
    assert torch.equal(best, logits.argmax(-1))
    close(logprobs, logits.log_softmax(-1).amax(-1), 1e-5)
    for i in range(30, 40):
        logits, best, _ = decoder.step(x[i : i + 1].clone(), [Row(7, i, 1, 1)])
        close(logits[0], expected[i])
        assert int(best) == int(expected[i].argmax())


@torch.inference_mode()
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_ragged_steps_of_rows_that_live_side_by_side(model, data):
    """Rows of any length go on by any number of tokens at every step; each must read like a text of its own."""
    decoder = packed(model)
    seed = data.draw(st.integers(0, 99), label="seed")
    count = data.draw(st.integers(1, 4), label="rows")
    texts = [
        torch.randint(0, 97, (60,), generator=torch.Generator().manual_seed(seed + i)) for i in range(count)
    ]
    expected = [whole(model, text) for text in texts]
    done = [0] * count
    for _ in range(4):
        rows, inputs, wanted = [], [], []
        for i in range(count):
            tokens = data.draw(st.integers(0, min(18, 60 - done[i])), label="tokens")
            if tokens:
                scores = data.draw(st.integers(0, tokens), label="wanted")
                rows.append(Row(61 * i + seed % 50, done[i], tokens, scores))
                inputs.append(decoder.head.rows(texts[i][done[i] : done[i] + tokens]))
                done[i] += tokens
                wanted.append(expected[i][done[i] - scores : done[i]])
        if rows:
            logits, best, _ = decoder.step(torch.cat(inputs), rows)
            if len(logits):
                close(logits, torch.cat(wanted))
                assert torch.equal(best, torch.cat(wanted).argmax(-1))


@torch.inference_mode()
def test_long_prompts_go_through_in_parts(model, monkeypatch):
    monkeypatch.setattr(native_decoder, "STEP_TOKENS", 16)
    decoder = packed(model)
    ids = torch.randint(0, 97, (75,))
    rows = [Row(0, 0, 40, 20), Row(100, 0, 35, 1)]
    x = decoder.head.rows(ids)
    logits, _, _ = decoder.step(x, rows)
    close(logits[:20], whole(model, ids[:40])[20:])
    close(logits[20:], whole(model, ids[40:])[-1:])


@torch.inference_mode()
def test_a_row_alone_and_among_others_is_the_same_to_the_last_bit(model, isa, threads):
    """For rows that start on a panel; where they do not, sums of exponentials are taken in another order."""
    ids = torch.randint(0, 97, (50,))
    texts = [ids[:20], ids[10:45], ids[3:9]]
    together = packed(model)
    x = together.head.rows(torch.cat(texts))
    logits, _, _ = together.step(x, [Row(0, 0, 20, 1), Row(48, 0, 35, 1), Row(96, 0, 6, 1)])
    for i, text in enumerate(texts):
        alone = packed(model)
        own, _, _ = alone.step(alone.head.rows(text), [Row(32, 0, len(text), 1)])
        assert torch.equal(own[0], logits[i])


@torch.inference_mode()
def test_a_step_may_be_repeated_and_tokens_stored_again(model):
    decoder = packed(model)
    ids = torch.randint(0, 97, (20,))
    wrong, x = decoder.head.rows(ids.flip(0)), decoder.head.rows(ids)
    decoder.step(x[:12].clone(), [Row(0, 0, 12, 1)])
    decoder.step(wrong[:6].clone(), [Row(0, 12, 6, 6)])  # drafted tokens that are refused
    logits, _, _ = decoder.step(x[12:].clone(), [Row(0, 12, 8, 8)])
    close(logits, whole(model, ids)[12:])


@torch.inference_mode()
@pytest.mark.parametrize("sizes", [(4, 4, 12), (6, 3, 6), (5, 1, 10)])
def test_other_head_counts_and_sizes(make_model, tiny_config, sizes, isa):
    heads, kv_heads, head_dim = sizes
    text = replace(
        tiny_config.text_config, hidden_size=heads * head_dim, num_attention_heads=heads,
        num_key_value_heads=kv_heads, intermediate_size=37, num_hidden_layers=2,
    )  # fmt: skip
    model = make_model(replace(tiny_config, text_config=text), seed=5).bfloat16().float()
    decoder = packed(model)
    ids = torch.randint(0, 97, (33,))
    logits, _, _ = decoder.step(decoder.head.rows(ids), [Row(3, 0, 33, 33)])
    close(logits, whole(model, ids))


@torch.inference_mode()
@pytest.mark.parametrize("format", ["int8", "int4"])
def test_quantised_weights_differ_by_their_inputs_rounding_only(model, isa, format):
    """From torch with the same quantised weights; what these do to the text is a question of quality."""
    decoder = packed(model, format)
    rounded = copy.deepcopy(model)
    for name, part in rounded.named_modules():
        if isinstance(part, nn.Linear) and ("language_model" in name or name == "lm_head"):
            part.weight = nn.Parameter(PackedLinear.pack(part.weight, format=format).unpack())
    rounded.model.language_model.embed_tokens.weight = rounded.lm_head.weight
    ids = torch.randint(0, 97, (33,), generator=torch.Generator().manual_seed(2))
    logits, _, _ = decoder.step(decoder.head.rows(ids), [Row(3, 0, 33, 33)])
    close(logits, whole(rounded, ids), 0.05)


class RoundedCache(KeyValueCache):
    """The slow twin of a cache in fewer bits: what it keeps, held in fp32."""

    def __init__(self, cache):
        super().__init__()
        self.stored = cache

    def update(self, layer, keys, values):
        return super().update(layer, *(stored_in_cache(part, self.stored) for part in (keys, values)))


@torch.inference_mode()
@pytest.mark.parametrize("cache", CACHES)
def test_keys_and_values_are_kept_as_the_cache_says(model, isa, threads, cache):
    """A prompt of several tiles, single tokens and drafted ones, beside torch with the same numbers in its cache."""
    language_model, twin = model.model.language_model, RoundedCache(cache)
    decoder = packed(model, cache=cache)
    ids = torch.randint(0, 97, (170,), generator=torch.Generator().manual_seed(4))
    done = 0
    for tokens in (150, 1, 1, 9, 9):
        x = language_model.embed_tokens(ids[done : done + tokens])
        places = torch.arange(done, done + tokens)[None]
        expected = model.lm_head(language_model(x[None], position_ids=places, cache=twin)[0])
        logits, _, _ = decoder.step(x.clone(), [Row(35, done, tokens, tokens)])
        # A number between two steps may be rounded to either.
        close(logits, expected, 1e-5 if cache == "fp32" else 2e-3)
        done += tokens


def test_a_cache_in_fewer_bits_takes_less_memory(model):
    sizes = {cache: packed(model, cache=cache).bytes_per_position for cache in CACHES}
    layers, heads, dim = 3, 2, 8
    assert sizes["fp32"] == layers * heads * (dim + 16) * 4
    assert sizes["bf16"] == sizes["fp32"] // 2
    assert sizes["int8"] == sizes["fp32"] // 4 + layers * heads * 8


@torch.inference_mode()
@pytest.mark.parametrize("cache", CACHES)
def test_scores_that_are_not_finite_choose_nothing(model, cache):
    decoder = packed(model, cache=cache)
    x = decoder.head.rows(torch.arange(4))
    x[1] = float("nan")
    _, best, logprobs = decoder.step(x, [Row(0, 0, 1, 1), Row(16, 0, 1, 1), Row(32, 0, 2, 1)])
    assert best[1] == -1
    assert logprobs[1] != logprobs[1]
    assert best[0] >= 0
    assert best[2] >= 0


@torch.inference_mode()
def test_seconds_of_the_parts_are_booked(model):
    decoder = packed(model)
    decoder.seconds = torch.zeros(len(native_decoder.PARTS), dtype=torch.float64)
    decoder.step(decoder.head.rows(torch.arange(30)), [Row(0, 0, 30, 1)])
    assert bool((decoder.seconds > 0).all())
