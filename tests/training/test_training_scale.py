"""More than one process, more than one batch a step, less memory, a mean of the weights: the same lesson."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_training_loop import STAGE, trainer, weights
from test_training_pieces import ENGINE, TINY, tiny_collator
from two_processes import SCALED, own_optimizers, scaled_trainer

from got_ocr2 import OCR
from got_ocr2.errors import FileAccessError, InvalidOptionError, MissingDependencyError
from got_ocr2.training.config import StageConfig
from got_ocr2.training.data.batch_stream import BatchStream
from got_ocr2.training.distributed import Group, join
from got_ocr2.training.loop import STATE_NAME
from got_ocr2.training.optimization.trained_parts import choose_trained
from got_ocr2.training.optimization.weight_average import WeightAverage
from got_ocr2.training.records.log import TrainingLog, duration, read_log
from got_ocr2.training.records.plots import LoggedStage, plot_run
from got_ocr2.training.run import build
from got_ocr2.training.validation import Checkup


@pytest.fixture(scope="module")
def one_process(tmp_path_factory):
    """State and log of three steps of four samples each, in one process and one batch."""
    folder = tmp_path_factory.mktemp("one")
    scaled_trainer(folder, Group()).run()
    return folder


def saved_weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / STATE_NAME, weights_only=True)["weights"]


def assert_same_weights(folder: Path, expected: Path) -> None:
    got, want = (saved_weights(f) for f in (folder, expected))
    for name, value in want.items():
        torch.testing.assert_close(got[name], value, atol=2e-6, rtol=2e-5, msg=name)


def assert_same_lesson(folder: Path, expected: Path) -> None:
    assert_same_weights(folder, expected)
    got, want = ([row for row in read_log(f) if "text" in row][-1] for f in (folder, expected))
    for name in ("text", "glyph", "guidance"):
        assert got[name] == pytest.approx(want[name], abs=2e-4)
    assert got["characters_per_second"] > 0


def test_parts_one_after_another_learn_what_one_batch_does(tmp_path, one_process):
    scaled_trainer(tmp_path, Group(), accumulate=2).run()
    assert_same_lesson(tmp_path, one_process)


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """The folders of both runs of `two_processes.py`, started together: most of its time goes into imports."""
    folder = tmp_path_factory.mktemp("two")
    start_two(folder)
    return folder / "whole", folder / "sharded"


def start_two(folder: Path) -> None:
    """The processes of `two_processes.py`; neither may warn or fail."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(here / "two_processes.py"), str(folder)],
        env={
            **os.environ, "PYTHONPATH": path, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
        },
        stderr=subprocess.PIPE, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "strides" not in done.stderr


def test_two_processes_learn_what_one_does_with_the_doubled_batch(two_processes, one_process):
    folder, _ = two_processes
    assert_same_lesson(folder, one_process)
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    # Only one of them writes, and reads held-out pages in the middle of the run.
    assert [(row["step"], "text" in row) for row in rows] == [(2, False), (3, True), (3, False)]


def test_two_processes_that_share_the_weights_learn_what_one_does(two_processes, one_process):
    """Sharded, each gradient in two parts, broken off after one step and gone on with; then exported whole."""
    _, folder = two_processes
    assert_same_weights(folder, one_process)
    got = read_log(folder)
    assert [row["held_out_loss"] for row in got if "held_out_loss" in row]
    assert [row["step"] for row in got] == [1, 2, 3, 3]
    exported = OCR.from_pretrained(folder / "model").model.state_dict()
    state = torch.load(folder / STATE_NAME, weights_only=True)
    for name, value in exported.items():
        if name == "lm_head.weight":  # the embedding under another name
            continue
        mean = state["average"].get(f"model.{name}", state["weights"][f"model.{name}"])
        torch.testing.assert_close(value, mean.bfloat16().float(), msg=name)
    tuned = OCR.from_pretrained(folder / "tuned" / "model").model.state_dict()
    changed = {name for name, value in tuned.items() if not torch.equal(value, exported[name])}
    assert changed
    assert not any("vision_tower" in name for name in changed)
    rows = [row for row in read_log(folder / "tuned" / "training") if "held_out_loss" in row]
    assert [row["step"] for row in rows] == [0, 1]
    # An unsharded process goes on from it.
    assert scaled_trainer(folder, Group(), stage=replace(SCALED, ema=0.5)).step == 3
    own_optimizers(folder / "alone", Group()).run()
    # Muon and AdamW blow rounding up where a gradient is next to nothing, so steps are compared, not weights.
    start = build(TINY, SCALED.canvas, SCALED.seed)[0].state_dict()
    own, alone = (saved_weights(folder / name) for name in ("own", "alone"))
    for name, value in start.items():
        wanted = alone[f"model.{name}"] - value
        assert (own[f"model.{name}"] - value - wanted).norm() <= 0.6 * wanted.norm(), name


def test_a_step_has_the_same_samples_however_it_is_divided():
    whole, halves = (BatchStream(ENGINE, tiny_collator(), 4, 3, parts=parts, pool=1) for parts in (1, 2))
    (batch,) = whole[5]
    assert sorted(batch.labels.sum(1).tolist()) == sorted(
        row for part in halves[5] for row in repadded(part.labels, batch.labels.shape[1]).sum(1).tolist()
    )
    first = BatchStream(ENGINE, tiny_collator(), 4, 3, parts=2, own=[1], pool=1)[5]
    assert torch.equal(first[0].input_ids, halves[5][1].input_ids)
    with pytest.raises(InvalidOptionError, match="4 samples cannot be divided evenly into 3 parts"):
        BatchStream(ENGINE, tiny_collator(), 4, 3, parts=3)


def repadded(labels, length):
    return torch.nn.functional.pad(labels, (0, length - labels.shape[1]), value=-100)


def test_joining_reads_what_torchrun_says():
    assert join("cpu", {}) == Group(0, 1, torch.device("cpu"))
    assert join("cpu", {"WORLD_SIZE": "1", "RANK": "0"}).is_first
    if not torch.cuda.is_available():
        with pytest.raises(InvalidOptionError, match="'cuda' is not there"):
            join("cuda", {})


def test_recomputed_activations_give_the_same_gradients(tmp_path):
    plain = trainer(tmp_path / "a", replace(STAGE, bf16=False))
    saving = trainer(tmp_path / "b", replace(STAGE, bf16=False, checkpointing=True))
    batch = plain.stream[0][0]
    for t in (plain, saving):
        for _ in range(2):  # what was recomputed must not leak into the next step
            found = t.losses(batch)
            t.trained.zero_grad()
            (found.text + found.glyph + found.guidance).backward()
    for (name, p), q in zip(plain.trained.named_parameters(), saving.trained.parameters(), strict=True):
        torch.testing.assert_close(q.grad, p.grad, atol=1e-6, rtol=1e-4, msg=name)


def test_a_frozen_encoder_stays_as_it_was(tmp_path):
    t = trainer(tmp_path, replace(STAGE, steps=1))
    choose_trained(t.model, "decoder")
    t = type(t)(t.model, replace(STAGE, glyph_weight=0.0), t.stream, tmp_path)
    before = weights(t)
    t.train_step(t.stream[0][0])
    changed = {name for name, value in weights(t).items() if not torch.equal(value, before[name])}
    assert changed
    assert not any("vision_tower" in name or "conv_upsampler" in name or "glyph" in name for name in changed)
    assert any("multimodal_projector" in name for name in changed)


def test_the_mean_of_the_weights_follows_and_is_put_in_place():
    layer = torch.nn.Linear(2, 1, bias=False)
    mean = WeightAverage(layer, 0.9)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    start = mean.means["weight"].clone()
    mean.update(1000)
    torch.testing.assert_close(mean.means["weight"], 0.9 * start + 0.1)
    mean.update(0)  # early on the past counts little
    torch.testing.assert_close(mean.means["weight"], 0.1 * (0.9 * start + 0.1) + 0.9)
    with mean.in_place():
        assert torch.equal(layer.weight, mean.means["weight"])
    assert (layer.weight == 1).all()
    with pytest.raises(KeyError, match="other weights"):
        mean.load({"bias": torch.zeros(1)})


def test_a_resumed_run_has_the_same_mean_of_the_weights(tmp_path):
    stage = replace(STAGE, ema=0.9)
    whole = trainer(tmp_path / "whole", stage)
    whole.run()
    part = trainer(tmp_path / "part", stage)
    for step in range(3):
        part.train_step(part.stream[0][step])
    part.save()
    part = trainer(tmp_path / "part", stage)
    part.run()
    assert part.average is not None
    for name, value in whole.average.means.items():
        assert torch.equal(value, part.average.means[name]), name


def test_held_out_pages_are_read_and_counted(tmp_path, monkeypatch):
    t = trainer(tmp_path, replace(STAGE, steps=2, bf16=False))
    samples = [ENGINE.sample(9, i) for i in range(3)]
    checkup = Checkup(tiny_collator(), samples, batch_size=2)
    found = checkup(t.model)
    assert t.model.training
    # The mean over tokens of all three pages at once.
    batch = tiny_collator()(samples)
    t.model.eval()
    loss = t.model(batch.input_ids, batch.pixel_values, labels=batch.labels).loss.item()
    assert found.loss == pytest.approx(loss, abs=1e-4)
    t.model.train()
    assert found.pages == 3
    assert found.cer > 0
    assert math.isnan(checkup(t.model, read=False).cer)
    one_by_one = Checkup(tiny_collator(), samples, batch_size=1)(t.model)
    assert one_by_one.cer == pytest.approx(found.cer)  # pages that are read together do not see each other
    with monkeypatch.context() as patch:
        answers = iter([*(sample.text.encode() for sample in samples[:2]), samples[2].text.encode()[:-2]])

        def generate(ids, **_):
            rows = [list(next(answers)) for _ in ids]
            written = [row + [t.stream.collator.processor.tokenizer.pad_token_id] * 99 for row in rows]
            return torch.cat([ids, torch.tensor([row[:99] for row in written])], 1)

        patch.setattr(t.model, "generate", generate)
        assert checkup(t.model).cer == pytest.approx(2 / sum(len(sample.text) for sample in samples))
    t.checkup = checkup
    t.run()
    rows = read_log(tmp_path)
    assert [set(row) >= {"held_out_loss", "held_out_cer"} for row in rows] == [False, True]


def test_the_log_tells_people_and_is_plotted(tmp_path):
    told: list[str] = []
    log = TrainingLog(tmp_path, "strips", 60, tell=told.append)
    log.row(20, text=2.5, glyph=0.5, guidance=0.0, images_per_second=12.25, seconds_left=7500)
    log.row(40, held_out_loss=2.0, held_out_cer=0.75)
    log.row(20, text=2.25, glyph=0.5, guidance=0.0, images_per_second=12.25, seconds_left=95)
    assert told[0] == "strips: step 20 of 60, loss 2.500, 12.2 images/s, 2 h 5 min left"
    assert told[1] == "strips: step 40 of 60, held-out pages: loss 2.000, CER 0.750"
    assert [row.get("text") for row in read_log(tmp_path)] == [2.25, None]  # the later row of a step counts
    assert [duration(s) for s in (0.4, 95, 3600)] == ["0 s", "1 min 35 s", "1 h 0 min"]
    pytest.importorskip("matplotlib")
    stages = [LoggedStage("strips", tmp_path, 14), LoggedStage("none", tmp_path / "none", 8)]
    assert (
        plot_run([*stages, stages[0]], tmp_path / "pictures" / "log.png").read_bytes().startswith(b"\x89PNG")
    )
    with pytest.raises(FileAccessError, match=r"no log\.jsonl to plot in .*none"):
        plot_run(stages[1:], tmp_path / "log.png")


def test_tensorboard_is_written_or_asked_for_by_name(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch.utils.tensorboard", None)
        with pytest.raises(MissingDependencyError, match=r"pip install 'got-ocr2\[train\]'"):
            TrainingLog(tmp_path, tensorboard=True)


def test_tensorboard_gets_every_number(tmp_path):
    pytest.importorskip("tensorboard")
    TrainingLog(tmp_path, "strips", 60, tensorboard=True).row(20, text=2.5, rate=0.5)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert {tag: events.Scalars(tag)[0].value for tag in events.Tags()["scalars"]} == {
        "text": 2.5,
        "rate": 0.5,
    }
    assert events.Scalars("text")[0].step == 20


def test_the_cosine_falls_all_the_way():
    stage = StageConfig(steps=110, warmup=10, schedule="cosine", decay=0.5)
    assert stage.rate(0) == pytest.approx(0.1)
    assert stage.rate(10) == 1
    assert stage.rate(60) == pytest.approx(0.5)
    assert stage.rate(110) == pytest.approx(0)
    for setting, message in (
        ({"schedule": "step"}, "plateau, cosine, got 'step'"), ({"trained": "head"}, "all, decoder, got 'head'"),
        ({"ema": 1.0}, "below 1, got 1.0"), ({"workers": -1}, "workers must be >= 0, got -1"),
        ({"accumulate": 0}, "accumulate must be >= 1"),
    ):  # fmt: skip
        with pytest.raises(InvalidOptionError, match=message):
            replace(stage, **setting)
