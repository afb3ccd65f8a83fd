"""Dense supervision, batches, schedules: what the trainer aims at is where the renderer drew it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from got_ocr2.errors import InvalidOptionError
from got_ocr2.synth.corpora.content import ContentMixture
from got_ocr2.synth.registry import create_engine
from got_ocr2.synth.sample import Glyphs, Sample, Task
from got_ocr2.synth.text.engine import TextEngine
from got_ocr2.training.config import SMALL, ModelPreset, StageConfig, with_overrides
from got_ocr2.training.data.batch_stream import GROUP, BatchStream, batches
from got_ocr2.training.data.batches import Collator, TooLongError
from got_ocr2.training.losses.glyphs import BACKGROUND, IGNORED, OTHER, GlyphHead, glyph_class, glyph_map
from got_ocr2.training.losses.guided_attention import NOWHERE, GuidedAttention
from got_ocr2.training.position_embeddings import grow_positions, sine_positions
from got_ocr2.training.recipes.catalog import RECIPES, recipe, with_stage_overrides
from got_ocr2.training.run import build
from got_ocr2.training.vocabulary import PHRASES, SPECIAL_TOKENS, byte_tokenizer

TINY = ModelPreset(
    vision={
        "hidden_size": 16, "output_channels": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 8,
        "mlp_dim": 24, "window_size": 4, "global_attn_indexes": (1,), "use_rel_pos": False,
    },
    text={
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 4, "max_position_embeddings": 512, "rope_theta": 10_000.0,
    },
)  # fmt: skip
# Made-up words: prose would have every process open the corpora, which takes longer than its training.
ENGINE = TextEngine(
    canvas=(64, 128),
    em=(14.0, 24.0),
    layouts={"line": 1.0},
    mixture=ContentMixture(prose=0, shuffled=0, strings=1),
)


def tiny_collator():
    _, processor = build(TINY, (64, 128), seed=0)
    return Collator(processor, (8, 8), max_length=400)


# --- vocabulary -----------------------------------------------------------------------------------------


def test_vocabulary_writes_any_text_and_shortens_the_frame():
    tokenizer = byte_tokenizer()
    assert len(tokenizer) == 256 + len(SPECIAL_TOKENS) + len(PHRASES)
    for text in ("plain", "naïve — 中文 \U0001f600", "line\nbreak\ttab", "OCR: and user\n inside"):
        assert tokenizer.decode(tokenizer.encode(text), skip_special_tokens=True) == text
    assert tokenizer.encode("Aé") == [65, *"é".encode()]  # ids are the bytes themselves
    inputs = build(SMALL, (64, 512), seed=0)[1](ENGINE.sample(0, 0).image)
    assert inputs["input_ids"].shape[1] == 64 + 12


# --- glyph maps -----------------------------------------------------------------------------------------


def test_glyph_map_marks_the_patches_whose_centre_lies_in_a_box():
    boxes = np.array([[0.0, 0.0, 2.4, 1.4], [2.4, 0.0, 2.6, 1.0], [3.0, 1.6, 4.0, 2.4]])
    got = glyph_map("aé!", np.array([0, 1, 2]), boxes, (3, 4))
    a, other, mark = glyph_class("a"), OTHER, glyph_class("!")
    # The narrow box holds no patch centre but its own: it still marks the patch that it stands in.
    assert got.tolist() == [[a, a, other, 0], [0, 0, 0, 0], [0, 0, 0, mark]]
    assert glyph_class("!") == 1
    assert glyph_class("~") == 94
    assert BACKGROUND not in {glyph_class(chr(c)) for c in range(33, 127)}


def _short_lines(count: int) -> list[Sample]:
    """Lines that leave much of the canvas blank."""
    lines = (ENGINE.sample(2, i) for i in range(200))
    return [line for line in lines if line.image.width < 1.3 * line.image.height][:count]


def test_a_narrow_batch_is_the_same_lesson_without_its_blank_end():
    """Ids, labels and what is to be looked at agree; the answer keeps its places; only image tokens are gone."""
    collate = tiny_collator()
    samples = _short_lines(2)
    rows = [collate.row(sample) for sample in samples]
    whole, narrow = collate.stack(rows), collate.stack(rows, narrow=True)
    width = narrow.levels.shape[-1]
    assert width < whole.levels.shape[-1] == 128
    assert width % 32 == 0
    assert torch.equal(narrow.levels, whole.levels[..., :width])
    assert (whole.levels[..., width:] == 255).all()
    assert torch.equal(narrow.glyphs, whole.glyphs[..., : width // 8])
    image = collate.processor.tokenizer.image_token_id
    for i in range(2):
        kept = narrow.positions[i][: (narrow.labels[i] != -100).nonzero().max() + 1]
        assert torch.equal(narrow.input_ids[i, : len(kept)], whole.input_ids[i, kept])
        assert torch.equal(narrow.labels[i, : len(kept)], whole.labels[i, kept])
        gone = sorted(set(range(int(kept.max()) + 1)) - set(kept.tolist()))
        assert gone
        assert (whole.input_ids[i, gone] == image).all()
        aimed = (narrow.alignment[i] != NOWHERE).nonzero().flatten()
        assert len(aimed)
        there = narrow.positions[i][narrow.alignment[i][aimed]]
        assert torch.equal(there, whole.alignment[i][narrow.positions[i][aimed]])


def test_a_narrow_batch_goes_through_the_network():
    model, _ = build(TINY, (64, 128), seed=0)
    collate = tiny_collator()
    batch = collate.stack([collate.row(sample) for sample in _short_lines(2)], narrow=True)
    model.train()
    loss = model(batch.input_ids, batch.pixel_values, position_ids=batch.positions, labels=batch.labels).loss
    loss.backward()
    assert torch.isfinite(loss)
    with pytest.raises(ValueError, match=r"pixel_values must be \(N, 3, 64, 128\)"):
        model(batch.input_ids, batch.pixel_values[..., :-4])


def test_glyph_boxes_beyond_the_canvas_are_clipped_not_wrapped():
    got = glyph_map(
        "ab", np.array([0, 1]), np.array([[-3.0, -1.0, -1.0, 0.9], [9.0, 0.0, 12.0, 3.0]]), (2, 5)
    )
    assert set(np.unique(got)) <= {BACKGROUND, glyph_class("a"), glyph_class("b")}
    assert got.shape == (2, 5)


def test_glyph_loss_is_zero_where_nothing_is_known_and_falls_when_learnt():
    torch.manual_seed(0)
    head = GlyphHead(6)
    features = torch.randn(2, 6, 3, 4)
    nothing = torch.full((2, 3, 4), IGNORED)
    assert head(features, nothing).item() == 0
    targets = nothing.clone()
    targets[0] = torch.arange(12).view(3, 4)
    optimizer = torch.optim.Adam(head.parameters(), 0.1)
    first = head(features, targets)
    for _ in range(60):
        optimizer.zero_grad()
        head(features, targets).backward()
        optimizer.step()
    assert head(features, targets) < 0.3 * first


# --- batches --------------------------------------------------------------------------------------------


def test_labels_are_the_answer_and_its_end_and_alignment_points_at_the_character():
    collate = tiny_collator()
    tokenizer = collate.processor.tokenizer
    samples = [ENGINE.sample(0, i) for i in range(3)]
    batch = collate(samples)
    for row, sample in enumerate(samples):
        labels = batch.labels[row]
        answer = labels[labels != IGNORED].tolist()
        assert answer == [*tokenizer.encode(sample.text), tokenizer.eos_token_id]
        image_tokens = (batch.input_ids[row] == tokenizer.image_token_id).nonzero().flatten()
        assert len(image_tokens) == 2 * 4
        scale = min(64 / sample.image.height, 128 / sample.image.width, 2.0)
        queries = (batch.alignment[row] != NOWHERE).nonzero().flatten()
        starts = np.cumsum([0, *(len(c.encode()) for c in sample.text)])
        first = int((labels != IGNORED).nonzero()[0])
        assert queries.tolist() == [first + starts[i] - 1 for i in sample.glyphs.offsets]
        for query, box in zip(queries, sample.glyphs.boxes, strict=True):
            cell = int((image_tokens == batch.alignment[row, query]).nonzero())
            x, y = (box[0] + box[2]) / 2 * scale, (box[1] + box[3]) / 2 * scale
            assert abs(y - (cell // 4 + 0.5) * 32) <= 16 + 1
            assert abs(x - (cell % 4 + 0.5) * 32) <= 16 + 1


def test_glyph_targets_stand_where_the_letters_stand_on_the_canvas():
    collate = tiny_collator()
    sample = ENGINE.sample(0, 1)
    batch = collate([sample])
    seen = set(batch.glyphs[0].unique().tolist()) - {BACKGROUND}
    assert seen <= {glyph_class(c) for c in sample.text}
    letters = batch.glyphs[0] != BACKGROUND
    pixels = batch.pixel_values[0].mean(0)
    patches = pixels.reshape(8, 8, 16, 8)
    contrast = patches.amax((1, 3)) - patches.amin((1, 3))
    assert contrast[letters].mean() > 3 * contrast[~letters].mean()


def test_samples_without_glyphs_and_of_several_pages_are_batched():
    collate = tiny_collator()
    page = ENGINE.sample(0, 2)
    pages = Sample("x", (page.image, page.image), "one\ntwo", Task(multi_page=True, format=True))
    bare = Sample("x", (page.image,), "only", Task())
    batch = collate([pages, bare, page])
    assert batch.pixel_values.shape == (4, 3, 64, 128)
    assert (batch.glyphs[:3] == IGNORED).all()
    assert (batch.alignment[:2] == NOWHERE).all()
    assert (batch.glyphs[3] != IGNORED).all()


def test_a_sample_that_does_not_fit_is_an_error_not_a_cut():
    collate = replace_limit(tiny_collator(), 60)
    long = Sample("x", (ENGINE.sample(0, 0).image,), "word " * 30, glyphs=Glyphs.empty())
    with pytest.raises(ValueError, match=r"takes \d+ ids, prompt included; the limit is 60"):
        collate([long])


def test_a_drawn_sample_that_does_not_fit_is_drawn_again_from_elsewhere():
    lengths = [tiny_collator().length(ENGINE.sample(4, i)) for i in range(GROUP)]
    limit = sorted(lengths)[GROUP // 2]
    collate = replace_limit(tiny_collator(), limit)
    with pytest.raises(TooLongError):
        BatchStream(ENGINE, collate, 1, seed=4)[0]
    got = BatchStream(ENGINE, collate, 1, seed=4, redraws=20)[0]
    assert len(got) == GROUP
    fits = sorted(length for length in lengths if length <= limit)
    found = [batch.input_ids.shape[1] for batch in got]
    assert max(found) <= limit
    for length in fits:  # those that fit are the same as ever
        found.remove(length)
    with pytest.raises(TooLongError, match="the limit is 3"):
        BatchStream(ENGINE, replace_limit(tiny_collator(), 3), 1, seed=4, redraws=2)[0]


def replace_limit(collate: Collator, limit: int) -> Collator:
    return Collator(collate.processor, collate.patch_hw, limit)


def test_batch_n_does_not_depend_on_workers_or_on_where_one_starts():
    stream = BatchStream(ENGINE, tiny_collator(), 2, seed=4)
    whole = list(batches(stream, 0, GROUP + 3, workers=0))
    late = list(batches(stream, GROUP - 2, GROUP + 3, workers=2))
    assert len(whole) == GROUP + 3
    assert len(late) == 5
    for a, b in zip(whole[-5:], late, strict=True):
        assert torch.equal(a.input_ids, b.input_ids)
        assert torch.equal(a.pixel_values, b.pixel_values)


def test_data_processes_draw_pages_that_this_process_has_drawn_before():
    """Typst's threads do not outlive a fork: a forked data process would hang or refuse."""
    engine = create_engine("page")
    first = engine.sample(5, 0)
    _, processor = build(TINY, (64, 128), seed=0)
    stream = BatchStream(engine, Collator(processor, (8, 8), max_length=20_000), 1, 5, pool=1)
    (batch,) = batches(stream, 0, 1, workers=1)
    assert batch.characters == len(first.text)
    assert torch.equal(batch.levels, stream[0][0].levels)


def test_pixels_travel_as_bytes_and_arrive_as_the_processor_made_them():
    for mode in ("pad", "squash"):
        _, processor = build(replace(TINY, resize_mode=mode), (64, 128), seed=0)
        sample = ENGINE.sample(0, 3)
        batch = Collator(processor, (8, 8), 400)([sample])
        assert batch.levels.dtype == torch.uint8
        assert torch.equal(batch.pixel_values, processor(sample.image)["pixel_values"])


# --- guided attention -----------------------------------------------------------------------------------


def test_guidance_sees_the_attention_that_the_model_computes():
    """The loss equals the one from attention weights taken out of scaled_dot_product_attention's inputs."""
    model, _ = build(TINY, (64, 128), seed=1)
    guidance = GuidedAttention(model, layers=(1,), head=2)
    batch = tiny_collator()([ENGINE.sample(0, 3)])
    seen = []
    real = F.scaled_dot_product_attention

    def spy(q, k, v, **options):
        seen.append((q, k))
        return real(q, k, v, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F, "scaled_dot_product_attention", spy)
        model(batch.input_ids, batch.pixel_values)
    # The vision tower shares the function: the decoder's three layers are the last three calls.
    q, k = seen[-2]
    logits = (q[0, 2] @ k[0, 2].T) * q.shape[-1] ** -0.5
    mask = torch.ones_like(logits).triu(1).bool()
    weights = logits.masked_fill(mask, -torch.inf).log_softmax(-1)
    rows = (batch.alignment[0] != NOWHERE).nonzero().flatten()
    expected = -weights[rows, batch.alignment[0, rows]].mean()
    torch.testing.assert_close(guidance.loss(batch.alignment), expected, atol=1e-5, rtol=1e-5)
    guidance.remove()
    model(batch.input_ids, batch.pixel_values)
    assert guidance.loss(batch.alignment).item() == 0


# --- positions ------------------------------------------------------------------------------------------


def test_growing_keeps_the_start_and_repeats_what_was_learnt():
    small, large = (build(TINY, canvas, 0)[0].config.vision_config for canvas in ((64, 128), (128, 192)))
    learnt = torch.randn(1, *small.grid_hw, small.hidden_size)
    grown = grow_positions(sine_positions(small) + learnt, small, large)
    assert grown.shape == (1, 16, 24, 16)
    torch.testing.assert_close(grown[:, :8, :16], sine_positions(large)[:, :8, :16] + learnt)
    torch.testing.assert_close(grown[:, 8:, 16:], sine_positions(large)[:, 8:, 16:] + learnt[:, :, :8])
    assert sine_positions(small).flatten(0, 2).unique(dim=0).shape[0] == 8 * 16  # no two places alike


# --- settings -------------------------------------------------------------------------------------------


def test_the_rate_rises_stays_and_falls_to_zero():
    stage = StageConfig(steps=100, warmup=10, decay=0.2)
    rates = [stage.rate(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:81] == pytest.approx([1.0] * 72)
    assert rates[90] == pytest.approx(0.5)
    assert rates[100] == 0
    assert StageConfig(steps=100, warmup=1, decay=0.0).rate(99) == 1.0


def test_overrides_are_typed_and_named():
    stage = with_overrides(StageConfig(), {"steps": "7", "learning_rate": "1", "canvas": "(64, 128)"})
    assert (stage.steps, stage.learning_rate, stage.canvas) == (7, 1.0, (64, 128))
    for setting, message in (
        ({"stepz": "7"}, "Unknown setting 'stepz'"),
        ({"steps": "7.5"}, "steps must be a int, got 7.5"),
        ({"steps": "many"}, "not a number"),
        ({"degrade": "2.0"}, "between 0 and 1"),
        ({"steps": "0"}, "steps must be >= 1, got 0"),
    ):
        with pytest.raises(InvalidOptionError, match=message):
            with_overrides(StageConfig(), setting)


def test_recipes_are_found_by_name_and_changed_by_stage():
    for name, found in RECIPES.items():
        assert recipe(name) is found
    changed = with_stage_overrides(recipe("small"), ["strips.steps=5"])
    assert changed.stages[0][1] == replace(recipe("small").stages[0][1], steps=5)
    assert changed.stages[1] == recipe("small").stages[1]
    for text, message in (("steps=5", "STAGE.NAME=VALUE"), ("strip.steps=5", "Unknown stage 'strip'")):
        with pytest.raises(InvalidOptionError, match=message):
            with_stage_overrides(recipe("small"), [text])
    with pytest.raises(InvalidOptionError, match="Unknown recipe 'big'"):
        recipe("big")
