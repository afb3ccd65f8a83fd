"""The loop: it learns, resumes to the same numbers, stops at nonsense, and hands over between stages."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from test_training_pieces import ENGINE, TINY

from got_ocr2 import OCR
from got_ocr2.training.config import StageConfig
from got_ocr2.training.data.batch_stream import BatchStream
from got_ocr2.training.data.batches import Collator
from got_ocr2.training.loop import LOG_NAME, DivergedError, Trainer
from got_ocr2.training.recipes.catalog import Recipe
from got_ocr2.training.run import build, run

TEXT = {"kind": "text", "canvas": (64, 128), "em": (14.0, 24.0), "layouts": {"line": 1.0}}
STAGE = StageConfig(
    held_out=0,
    engines=(TEXT,), canvas=(64, 128), steps=6, batch_size=2, learning_rate=3e-3, warmup=2, degrade=0.0,
    workers=0, checkpoint_every=4,
)  # fmt: skip


def trainer(folder, stage=STAGE):
    model, processor = build(TINY, stage.canvas, stage.seed)
    return Trainer(
        model, stage, BatchStream(ENGINE, Collator(processor, (8, 8), 400), stage.batch_size, 1), folder
    )


def weights(t):
    return {name: p.detach().clone() for name, p in t.trained.state_dict().items()}


@pytest.mark.parametrize("muon", [False, True])
def test_every_loss_falls(tmp_path, muon):
    stage = replace(STAGE, steps=60, bf16=False, muon=muon)
    t = trainer(tmp_path, stage)
    batch = t.stream[0][0]
    first = t.losses(batch)
    for _ in range(60):
        last = t.train_step(batch)
    assert last.text < 0.5 * first.text
    assert last.glyph < 0.8 * first.glyph
    assert last.guidance < 0.8 * first.guidance


def test_a_run_broken_off_ends_with_the_same_weights(tmp_path):
    whole = trainer(tmp_path / "whole")
    whole.run()
    broken = trainer(tmp_path / "broken")
    real, calls = broken.train_step, []

    def breaking(batch):
        if len(calls) == 5:
            raise KeyboardInterrupt
        calls.append(1)
        return real(batch)

    broken.train_step = breaking
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    resumed = trainer(tmp_path / "broken")
    assert resumed.step == 4  # the last checkpoint, not the last step
    resumed.run()
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(resumed)[name]), name


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_state(tmp_path):
    t = trainer(tmp_path)
    t.save()
    good = weights(t)
    with torch.no_grad():
        t.model.lm_head.weight[0, 0] = math.nan
    with pytest.raises(DivergedError, match=r"Step 0: the loss is nan .* smaller learning_rate than 0\.003"):
        t.run()
    for name, value in weights(trainer(tmp_path)).items():
        assert torch.equal(value, good[name])


def test_the_log_holds_losses_and_speed(tmp_path):
    trainer(tmp_path).run()
    rows = [json.loads(line) for line in (tmp_path / LOG_NAME).read_text().splitlines()]
    assert rows[-1]["step"] == STAGE.steps
    assert {"text", "glyph", "guidance", "characters_per_second"} <= rows[-1].keys()


def test_stages_hand_over_and_the_model_opens(tmp_path):
    second = replace(STAGE, canvas=(128, 128), steps=2, engines=({**TEXT, "canvas": (128, 128)},))
    lines: list[str] = []
    model = run(Recipe(TINY, (("first", STAGE), ("second", second))), tmp_path, lines.append)
    assert [line.split(":")[0] for line in lines] == ["first", "second", "model"]
    result = OCR.from_pretrained(model).read(ENGINE.sample(0, 0).image, max_new_tokens=4)
    assert result.tokens <= 4
    # Run again, everything is done: nothing is trained a second time.
    log = (tmp_path / "second" / LOG_NAME).read_text()
    run(Recipe(TINY, (("first", STAGE), ("second", second))), tmp_path, lines.append)
    assert (tmp_path / "second" / LOG_NAME).read_text() == log
    assert lines[-2].startswith("second: step 2 of 2")
