"""The network against transformers, layer by layer and whole, in fp32."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from got_ocr2.config import GotOcr2Config
from got_ocr2.generation.cache import KeyValueCache

TOLERANCE = {"atol": 2e-5, "rtol": 1e-4}


def prompt(config: GotOcr2Config, pages: int, tail: int, seed: int = 1) -> torch.Tensor:
    """Ids (1, 3 + image tokens + tail) with one block of image tokens."""
    generator = torch.Generator().manual_seed(seed)
    words = torch.randint(0, config.image_token_index, (1, 3 + tail), generator=generator)
    block = torch.full((1, pages * config.vision_config.num_image_tokens), config.image_token_index)
    return torch.cat([words[:, :3], block, words[:, 3:]], dim=1)


def pixels(config: GotOcr2Config, n: int, seed: int = 2) -> torch.Tensor:
    return torch.randn(n, 3, *config.vision_config.image_hw, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_every_vision_layer_equals_transformers(tiny_model, tiny_oracle):
    ours, theirs = tiny_model.model.vision_tower, tiny_oracle.model.vision_tower
    x = pixels(tiny_model.config, 2)
    a, b = ours.patch_embed(x) + ours.pos_embed, theirs.patch_embed(x) + theirs.pos_embed
    torch.testing.assert_close(a, b, **TOLERANCE)
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        a, b = mine(a), other(b)
        torch.testing.assert_close(a, b, **TOLERANCE)
    torch.testing.assert_close(ours.neck(a), theirs.neck(b), **TOLERANCE)


@torch.no_grad()
@pytest.mark.parametrize("pages", [1, 3])
def test_logits_and_image_features_equal_transformers(tiny_model, tiny_oracle, pages):
    ids, x = prompt(tiny_model.config, pages, tail=6), pixels(tiny_model.config, pages)
    ours, theirs = tiny_model(ids, x), tiny_oracle(ids, x)
    torch.testing.assert_close(ours.image_hidden_states, theirs.image_hidden_states, **TOLERANCE)
    torch.testing.assert_close(ours.logits, theirs.logits, **TOLERANCE)


@torch.no_grad()
def test_left_padding_equals_transformers_and_the_row_alone(tiny_model, tiny_oracle):
    long, short = prompt(tiny_model.config, 1, tail=9), prompt(tiny_model.config, 1, tail=4, seed=5)
    pad = long.shape[1] - short.shape[1]
    ids = torch.cat([long, torch.cat([torch.zeros(1, pad, dtype=torch.long), short], dim=1)])
    mask = torch.ones_like(ids)
    mask[1, :pad] = 0
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    x = pixels(tiny_model.config, 2)
    ours = tiny_model(ids, x, mask, positions).logits
    theirs = tiny_oracle(input_ids=ids, pixel_values=x, attention_mask=mask, position_ids=positions).logits
    torch.testing.assert_close(ours[0], theirs[0], **TOLERANCE)
    torch.testing.assert_close(ours[1, pad:], theirs[1, pad:], **TOLERANCE)
    torch.testing.assert_close(ours[1, pad:], tiny_model(short, x[1:]).logits[0], **TOLERANCE)


@torch.no_grad()
def test_steps_through_the_cache_equal_one_pass(tiny_model):
    ids, x = prompt(tiny_model.config, 1, tail=20), pixels(tiny_model.config, 1)
    whole = tiny_model(ids, x).logits
    cache, start = KeyValueCache(), ids.shape[1] - 15
    got = [tiny_model(ids[:, :start], x, past_key_values=cache).logits]
    for a, b in ((start, start + 1), (start + 1, start + 8), (start + 8, ids.shape[1])):
        got.append(tiny_model(ids[:, a:b], past_key_values=cache).logits)
    torch.testing.assert_close(torch.cat(got, dim=1), whole, **TOLERANCE)
    assert cache.get_seq_length() == ids.shape[1]


@torch.no_grad()
def test_inputs_embeds_and_logits_to_keep(tiny_model):
    ids, x = prompt(tiny_model.config, 1, tail=5), pixels(tiny_model.config, 1)
    whole = tiny_model(ids, x).logits
    embeds = tiny_model.model.language_model.embed_tokens(ids)
    torch.testing.assert_close(tiny_model(pixel_values=x, inputs_embeds=embeds).logits, whole, **TOLERANCE)
    torch.testing.assert_close(tiny_model(ids, x, logits_to_keep=2).logits, whole[:, -2:], **TOLERANCE)
    kept = tiny_model(ids, x, logits_to_keep=torch.tensor([1, 4])).logits
    torch.testing.assert_close(kept, whole[:, [1, 4]], **TOLERANCE)


def test_loss_equals_transformers_and_ignores_minus_100(tiny_model, tiny_oracle):
    ids, x = prompt(tiny_model.config, 1, tail=12), pixels(tiny_model.config, 1)
    labels = ids.clone()
    labels[:, :-8] = -100
    ours, theirs = tiny_model(ids, x, labels=labels).loss, tiny_oracle(ids, x, labels=labels).loss
    torch.testing.assert_close(ours, theirs, **TOLERANCE)
    everything = tiny_model(ids, x, labels=ids).loss
    assert abs(everything.item() - ours.item()) > 1e-3


def test_gradients_reach_every_parameter(make_model, tiny_config):
    model = make_model(tiny_config).train()
    ids, x = prompt(tiny_config, 2, tail=10), pixels(tiny_config, 2)
    model(ids, x, labels=ids).loss.backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


@torch.no_grad()
@pytest.mark.parametrize("image_size", [(56, 104), (104, 40)])
def test_pictures_that_are_not_square(make_model, tiny_config, image_size):
    vision = replace(tiny_config.vision_config, image_size=image_size)
    config = replace(tiny_config, vision_config=vision)
    model = make_model(config)
    features = model.encode_pictures(pixels(config, 2))
    rows, columns = vision.token_hw
    assert features.shape == (2, rows * columns, config.text_config.hidden_size)
    # Turning the picture is not turning the features: rows and columns are not mixed up.
    swapped = make_model(replace(config, vision_config=replace(vision, image_size=image_size[::-1])))
    assert swapped.encode_pictures(pixels(config, 2).transpose(2, 3)).shape == features.shape


@torch.no_grad()
def test_positions_may_be_off_and_heads_untied(make_model, make_oracle, tiny_config):
    vision = replace(tiny_config.vision_config, use_abs_pos=False, use_rel_pos=False, qkv_bias=False)
    text = replace(tiny_config.text_config, tie_word_embeddings=False)
    config = replace(tiny_config, vision_config=vision, text_config=text, tie_word_embeddings=False)
    model = make_model(config)
    assert model.lm_head.weight is not model.model.language_model.embed_tokens.weight
    ids, x = prompt(config, 1, tail=4), pixels(config, 1)
    torch.testing.assert_close(model(ids, x).logits, make_oracle(model)(ids, x).logits, **TOLERANCE)


def test_wrong_inputs_are_refused_with_numbers(tiny_model):
    config = tiny_model.config
    with pytest.raises(ValueError, match=r"holds 9 image tokens, but 2 pictures of 9 tokens each need 18"):
        tiny_model(prompt(config, 1, tail=2), pixels(config, 2))
    with pytest.raises(ValueError, match=r"must be \(N, 3, 96, 96\), got \(1, 3, 96, 88\)"):
        tiny_model.encode_pictures(torch.zeros(1, 3, 96, 88))
    with pytest.raises(ValueError, match="exactly one"):
        tiny_model()
    with pytest.raises(ValueError, match="logits_to_keep"):
        tiny_model(prompt(config, 1, 3), pixels(config, 1), labels=prompt(config, 1, 3), logits_to_keep=1)
