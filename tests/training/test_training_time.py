"""Training against the clock: the schedule follows the time, a run stops when told and goes on."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from test_training_loop import STAGE, TEXT, trainer
from test_training_pieces import TINY

from got_ocr2 import OCR
from got_ocr2.cli import main
from got_ocr2.errors import InvalidOptionError
from got_ocr2.training import stage_budget as clock
from got_ocr2.training.config import StageConfig
from got_ocr2.training.distributed import Group
from got_ocr2.training.loop import STATE_NAME
from got_ocr2.training.recipes.catalog import RECIPES, Recipe, with_minutes
from got_ocr2.training.records.log import read_log
from got_ocr2.training.run import build, run
from got_ocr2.training.stage_budget import Clock

TIMED = replace(STAGE, steps=10_000, minutes=1.0, warmup=1, decay=0.5, checkpoint_every=1000, bf16=False)


@pytest.fixture
def ten_seconds_a_step(monkeypatch):
    """A clock that moves on by ten seconds whenever somebody looks."""
    seen = iter(range(0, 10**6, 10))
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: float(next(seen))))


def test_a_stage_ends_when_its_time_is_over(tmp_path, ten_seconds_a_step):
    t = trainer(tmp_path, TIMED)
    assert t.run()
    assert t.step == 6
    assert t.done
    (row,) = (row for row in read_log(tmp_path) if "text" in row)
    assert (row["step"], row["rate"], row["done"], row["seconds_left"]) == (6, 0.0, 1.0, 0)
    again = trainer(tmp_path, TIMED)
    assert again.run()
    assert again.step == 6


def test_time_counts_over_several_runs(tmp_path, ten_seconds_a_step):
    first = trainer(tmp_path, TIMED)
    assert not first.run(deadline=0.0)  # at once: not a step
    assert first.step == 0
    assert not first.run(deadline=50.0)
    assert 0 < first.step < 6
    assert torch.load(tmp_path / STATE_NAME, weights_only=True)["seconds"] == 10.0 * first.clock.seconds / 10
    second = trainer(tmp_path, TIMED)
    assert second.clock.seconds == first.clock.seconds
    assert second.run()
    assert second.clock.seconds == 60.0


def test_the_rate_follows_steps_or_time_whichever_is_further(ten_seconds_a_step):
    stage = StageConfig(steps=100, minutes=1.0, warmup=1, decay=0.5)
    measured = Clock(stage, Group())
    measured.start()
    for _ in range(4):
        measured.tick()
    assert measured.share(0) == pytest.approx(40 / 60)
    assert measured.share(90) == pytest.approx(0.9)
    assert stage.rate(0, measured.share(0)) == pytest.approx((1 - 40 / 60) / 0.5)
    assert measured.left(0.1, 0) == pytest.approx(10.0)
    assert measured.left(100.0, 0) == pytest.approx(20.0)
    assert replace(stage, minutes=0.0).rate(75) == pytest.approx(0.5)
    with pytest.raises(InvalidOptionError, match=r"minutes must be >= 0, got -1\.0"):
        replace(stage, minutes=-1.0)


def test_minutes_are_shared_out_by_minutes_or_by_steps():
    recipe = Recipe(TINY, (("a", replace(STAGE, steps=30)), ("b", replace(STAGE, steps=10))))
    assert [s.minutes for _, s in with_minutes(recipe, 8).stages] == [6.0, 2.0]
    timed = replace(
        recipe,
        stages=tuple((n, replace(s, minutes=m)) for (n, s), m in zip(recipe.stages, (1.0, 4.0), strict=True)),
    )
    assert [s.minutes for _, s in with_minutes(timed, 10).stages] == [2.0, 8.0]
    with pytest.raises(InvalidOptionError, match="minutes must be above 0, got 0"):
        with_minutes(recipe, 0)


def test_a_run_told_to_stop_leaves_a_model_and_goes_on(tmp_path):
    second = replace(STAGE, canvas=(128, 128), steps=2, engines=({**TEXT, "canvas": (128, 128)},))
    recipe = Recipe(TINY, (("first", STAGE), ("second", second)), largest_file="30KiB")
    told: list[str] = []
    model = run(recipe, tmp_path, told.append, stop_after=1e-9)
    assert "Stopped after 1e-09 minutes; the same command goes on from there." in told
    assert not (tmp_path / "second").exists()
    weights = list(model.glob("model-*-of-*.safetensors"))
    assert len(weights) > 2
    assert max(file.stat().st_size for file in weights) < 40_000
    assert OCR.from_pretrained(model).model.config.vision_config.image_hw == (64, 128)
    run(recipe, tmp_path, told.append)
    assert OCR.from_pretrained(model).model.config.vision_config.image_hw == (128, 128)
    assert [line.split(",")[0] for line in told if line.startswith("second")] == ["second: step 0 of 2"]


def test_the_half_hour_fits_the_wheel_and_starts_small():
    recipe = RECIPES["gpu-half-hour"]
    canvases = [stage.canvas for _, stage in recipe.stages]
    assert canvases == sorted(canvases)
    model, _ = build(recipe.preset, canvases[-1], seed=0)
    parameters = sum(p.numel() for p in model.parameters())
    assert 15e6 < parameters < 30e6
    assert 2 * parameters < 64e6
    assert sum(stage.minutes for _, stage in recipe.stages) == pytest.approx(28.0)


@pytest.mark.slow
def test_the_half_hour_is_rehearsed_with_a_small_network(tmp_path):
    """All that its stages draw, the growing canvas, the clock and the files, in seconds."""
    recipe = RECIPES["gpu-half-hour"]
    text = {**TINY.text, "max_position_embeddings": 4096}
    stages = tuple(
        (name, replace(stage, batch_size=2, pool=1, workers=0, held_out=0, ema=0.9))
        for name, stage in recipe.stages
    )
    small = Recipe(replace(TINY, text=text, max_length=3072), stages, largest_file="100KiB")
    told: list[str] = []
    folder = run(with_minutes(small, 0.05), tmp_path, told.append, progress=told.append)
    for name, _ in stages:
        assert any(line.startswith(f"{name}: step ") and "100% done" in line for line in told), told
    assert OCR.from_pretrained(folder).model.config.vision_config.image_hw == (512, 512)
    assert len(list(folder.glob("*.safetensors"))) > 1


@pytest.mark.slow
def test_the_half_hour_runs_from_the_command_line_in_three_calls(tmp_path, capsys):
    names = [name for name, _ in RECIPES["gpu-half-hour"].stages]
    settings = [
        f"--set={name}.{s}" for name in names for s in ("batch_size=2", "workers=1", "pool=1", "held_out=1")
    ]
    command = [
        "train",
        "gpu-half-hour",
        "-o",
        str(tmp_path),
        "--minutes",
        "0.6",
        "--stop-after",
        "0.25",
        *settings,
    ]
    for _ in range(2):
        assert main(command) == 0
        assert "Stopped after 0.25 minutes" in capsys.readouterr().err
    assert main(command[:6] + settings) == 0
    assert "pages: step" in capsys.readouterr().err
    files = list((tmp_path / "model").glob("*.safetensors"))
    assert len(files) > 2
    assert max(file.stat().st_size for file in files) < 16 * 2**20
    assert OCR.from_pretrained(tmp_path / "model").model.config.vision_config.image_hw == (512, 512)
