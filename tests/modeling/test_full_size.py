"""Once at the published size: 560M random weights, a whole picture, logits and greedy ids against transformers."""

from __future__ import annotations

import pytest
import torch

from got_ocr2.config import GotOcr2Config
from got_ocr2.modeling import GotOcr2ForConditionalGeneration

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(make_model, make_oracle):
    model = make_model(GotOcr2Config())
    return model, make_oracle(model)


def test_sizes_are_the_published_ones():
    with torch.device("meta"):
        model = GotOcr2ForConditionalGeneration(GotOcr2Config())
    parts = model.model
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.named_children()}
    assert round(count["vision_tower"] / 1e6, 2) == 89.67
    assert round(count["multi_modal_projector"] / 1e6, 2) == 6.95
    assert round(count["language_model"] / 1e6, 1) == 463.9
    assert sum(p.numel() for p in model.parameters()) == sum(count.values())  # the head is tied


@torch.no_grad()
def test_logits_and_greedy_ids_equal_transformers(pair):
    ours, theirs = pair
    generator = torch.Generator().manual_seed(3)
    pixels = torch.randn(1, 3, 1024, 1024, generator=generator)
    ids = torch.randint(0, 151_000, (1, 286), generator=generator)
    ids[0, 21:277] = ours.config.image_token_index
    a, b = ours(ids, pixels), theirs(ids, pixels)
    scale = b.logits.abs().max()
    assert (
        a.image_hidden_states - b.image_hidden_states
    ).abs().max() < 1e-4 * b.image_hidden_states.abs().max()
    assert (a.logits - b.logits).abs().max() < 1e-4 * scale
    options = {"max_new_tokens": 12, "do_sample": False}
    mask = torch.ones_like(ids)
    mine = ours.generate(input_ids=ids, pixel_values=pixels, attention_mask=mask, **options)
    other = theirs.generate(
        input_ids=ids, pixel_values=pixels, attention_mask=mask, pad_token_id=0, **options
    )
    assert mine.tolist() == other.tolist()
