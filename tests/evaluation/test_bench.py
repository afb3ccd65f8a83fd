"""`bench`: every figure is there and fits the others. How fast anything is, is no test's business."""

from __future__ import annotations

import json
import math
import os

import pytest
import torch

from got_ocr2 import machine
from got_ocr2.benchmarking import benchmark as bench
from got_ocr2.benchmarking import roofline, workload
from got_ocr2.benchmarking import worker as bench_worker
from got_ocr2.benchmarking.benchmark import BenchOptions, prepared, run_bench
from got_ocr2.benchmarking.plot import plot_bench
from got_ocr2.benchmarking.processes import TUNED_MALLOC, Worker
from got_ocr2.benchmarking.subjects import Ours, Theirs, ids_drafter, letters_drafter, spelt, variant
from got_ocr2.benchmarking.worker import Spec
from got_ocr2.cli import main
from got_ocr2.errors import FileAccessError, GotOcr2Error, InvalidOptionError
from got_ocr2.modeling import GotOcr2ForConditionalGeneration

TORCH = variant("torch", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_config):
    """Random weights without a processor, as `bench --random` makes them."""
    return workload.save_random_model(tmp_path_factory.mktemp("random"), tiny_config)


@pytest.fixture(scope="module")
def found(folder):
    options = BenchOptions(("torch",), batch_sizes=(2, 1), tokens=4, rounds=2)
    return run_bench(folder, options)


# --- the workload -----------------------------------------------------------------------------------------


def test_prompts_and_pictures_have_the_models_own_sizes(tiny_config):
    ids = workload.page_prompt(tiny_config, 2, seed=1)
    assert ids.shape == (2, 21 + 9 + 9)
    assert (ids == tiny_config.image_token_index).sum(1).tolist() == [9, 9]
    text = workload.text_prompt(tiny_config, 3, 500)
    assert not (text == tiny_config.image_token_index).any()
    assert 0 <= text.min() < 5
    assert 92 < text.max() < 97
    assert workload.pictures(tiny_config, 2).shape == (2, 3, 96, 96)


def test_random_weights_are_bf16_numbers_and_never_constant(tiny_config):
    model = workload.random_model(tiny_config)
    for name, p in model.named_parameters():
        assert p.dtype == torch.bfloat16
        assert p.float().std() > 0.01, name
    assert model.lm_head.weight is model.model.language_model.embed_tokens.weight


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [([[1, 2], [3, 4]], [[1, 2], [3, 4]], 1.0), ([[1, 2, 3]], [[1, 9, 3]], 1 / 3), ([[1, 2]], [[1]], 0.5)],
)
def test_same_prefix(a, b, share):
    assert workload.same_prefix(a, b) == share


# --- the roofline -----------------------------------------------------------------------------------------


def test_bytes_of_a_step(tiny_config):
    with torch.device("meta"):
        model = GotOcr2ForConditionalGeneration(tiny_config)
    linear = [m for m in model.model.language_model.modules() if isinstance(m, torch.nn.Linear)]
    weights = sum(m.weight.numel() for m in (*linear, model.lm_head))
    assert roofline.linear_weights(tiny_config) == weights
    assert roofline.weight_bytes(tiny_config, "fp32") == 2 * roofline.weight_bytes(tiny_config, "bf16")
    position = 2 * 3 * 2 * 8 * 4  # keys and values, layers, key heads, head size, bytes
    both = roofline.step_bytes(tiny_config, "bf16", "fp32", rows=2, context=10)
    assert both == 2 * weights + 2 * 10 * position


def test_bandwidth_is_a_number(monkeypatch):
    monkeypatch.setattr(roofline, "_SIZE", 1 << 16)
    assert 0 < roofline.read_bandwidth("cpu") < math.inf


# --- subjects ---------------------------------------------------------------------------------------------


def test_both_sides_write_the_same_ids_and_features(folder, tiny_config):
    pytest.importorskip("transformers")
    ours = Ours(folder, TORCH, "cpu", 1)
    theirs = Theirs(folder, variant("transformers", "cpu"), "cpu")
    pixels = workload.pictures(tiny_config, 2)
    torch.testing.assert_close(ours.encode(pixels), theirs.encode(pixels), rtol=1e-4, atol=1e-4)
    ids = workload.page_prompt(tiny_config, 2)
    a, b = (side.write(ids, pixels, 5) for side in (ours, theirs))
    assert a.ids == b.ids
    for written in (a, b):
        assert [len(row) for row in written.ids] == [5, 5]
        assert len(written.steps) == 4
        assert min(written.first, *written.steps) >= 0
        assert written.first + sum(written.steps) <= written.seconds
    with pytest.raises(InvalidOptionError, match="Drafts are not measured"):
        theirs.write(ids, pixels, 5, draft=[1])


def test_a_draft_of_ids_changes_nothing_and_is_counted(folder, tiny_config):
    ours = Ours(folder, TORCH, "cpu", 1)
    ids = workload.text_prompt(tiny_config, 1, 20)
    plain = ours.write(ids, None, 24)
    drafted = ours.write(ids, None, 24, draft=plain.ids[0])
    assert drafted.ids == plain.ids
    assert drafted.drafted >= drafted.kept > 0
    assert plain.drafted == 0


def test_ids_of_any_vocabulary_can_be_drafted():
    draft = [0, 151_859, 7, 70_000, 3]
    drafter = ids_drafter(draft)
    assert drafter.propose([0, 151_859], 2) == [7, 70_000]
    drafter = letters_drafter(spelt(draft))
    assert drafter.propose([0, 151_859], 2) == [7, 70_000]


def test_unknown_variants_are_refused():
    with pytest.raises(InvalidOptionError, match="no variant 'int3'"):
        variant("int3", "cpu")


# --- workers ----------------------------------------------------------------------------------------------


def test_a_worker_answers_and_ends(folder):
    with Worker(Spec(str(folder), TORCH, "cpu", 1), TUNED_MALLOC) as worker:
        assert worker.wait()["ready"]
        answer = worker.ask("vision", images=1)
        assert answer["seconds"] > 0
        with pytest.raises(GotOcr2Error, match=r"^got-ocr2 torch fp32 cannot be measured: .*rows.*\.$"):
            worker.ask("page", tokens=2)
        assert len(worker.ask("decode", rows=2, prompt=7, tokens=3)["ids"]) == 2
    assert worker._process.returncode == 0
    assert worker._process.stdout.closed


def test_what_cannot_be_loaded_is_one_sentence(tmp_path):
    with Worker(Spec(str(tmp_path), TORCH, "cpu", 1)) as worker, pytest.raises(GotOcr2Error) as e:
        worker.ask("vision", images=1)
    assert str(e.value).startswith("got-ocr2 torch fp32 cannot be measured: ")
    assert "\n" not in str(e.value)


def test_a_worker_that_dies_says_with_what(folder):
    with Worker(Spec(str(folder), TORCH, "cpu", 1)) as worker:
        worker._process.kill()
        with pytest.raises(GotOcr2Error, match="ended with code -9, perhaps for want of memory"):
            worker.ask("vision", images=1)


def test_specs_survive_json():
    spec = Spec("a b", TORCH, "cpu", 2)
    text = json.dumps({**spec.__dict__, "variant": TORCH.__dict__})
    assert bench_worker.Spec.from_json(text) == spec


# --- a whole run ------------------------------------------------------------------------------------------


def test_figures_are_complete_and_fit_each_other(found):
    assert [(one.variant, one.batch) for one in found.figures] == [("torch", 1), ("torch", 2)]
    for one in found.figures:
        assert one.seconds >= one.first_token_seconds > 0
        assert one.token_seconds > 0
        assert one.pages_per_second == pytest.approx(one.batch / one.seconds)
        assert one.tokens_per_second == pytest.approx(4 * one.pages_per_second)
        assert one.roofline == pytest.approx(one.step_bytes / one.token_seconds / found.bandwidth)
        assert one.same_ids == 1.0
        assert one.speedup is None
        assert one.peak_bytes is None or one.peak_bytes > 50e6
    data = json.loads(json.dumps(found.to_dict()))
    assert data["prompt_tokens"] == 39
    assert data["machine"]["threads"] == 1
    assert {"libc", "environment", "processor", "packages"} <= data["machine"].keys()


@pytest.mark.slow
def test_ratios_are_those_of_the_same_run(folder):
    pytest.importorskip("transformers")
    options = BenchOptions(("torch",), against="transformers", batch_sizes=(1,), tokens=3, rounds=1)
    theirs, ours = run_bench(folder, options).figures
    assert (theirs.variant, theirs.speedup, theirs.token_speedup) == ("transformers", 1.0, 1.0)
    assert ours.speedup == pytest.approx(theirs.seconds / ours.seconds)
    assert ours.token_speedup == pytest.approx(theirs.token_seconds / ours.token_seconds)
    assert ours.same_ids == 1.0


def test_what_transformers_cannot_hold_is_said_before_any_work(tmp_path, tiny_wide_config):
    workload.save_random_model(tmp_path, tiny_wide_config)
    with (
        pytest.raises(InvalidOptionError, match="square, this model reads 104x56 pixels"),
        prepared(tmp_path, against="transformers"),
    ):
        raise AssertionError


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"variants": ("int3",)}, "A variant is one of"),
        ({"variants": ()}, "got none"),
        ({"variants": ("exact", "exact")}, "once each"),
        ({"against": "onnx"}, "Only transformers"),
        ({"batch_sizes": (0,)}, "Batch sizes"),
        ({"tokens": 1}, "tokens must be at least 2, got 1"),
        ({"rounds": 0}, "rounds must be at least 1"),
    ],
)
def test_impossible_options_are_refused(bad, message):
    with pytest.raises(InvalidOptionError, match=message):
        BenchOptions(**bad)


def test_settings_name_the_allocator(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "7")
    found = machine.settings()
    assert found["environment"]["MALLOC_TRIM_THRESHOLD_"] == "7"
    assert found["libc"]
    assert not {"PATH", "HOME"} & found["environment"].keys()
    if os.path.exists("/proc/self/status"):
        assert machine.peak_memory() > 10e6


# --- the command ------------------------------------------------------------------------------------------


def test_the_command_ends_with_json_and_writes_files(found, tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    asked = []

    def run(model, options, report):
        asked.append((model, options))
        report("working")
        return found

    monkeypatch.setattr(bench, "run_bench", run)
    data, plot = tmp_path / "figures.json", tmp_path / "figures.svg"
    arguments = ["somewhere", "--variants", "torch,int8", "--batch", "2,1", "--tokens", "4", "--rounds", "2"]
    more = ["--threads", "1", "--device", "cpu", "--json", str(data), "--plot", str(plot)]
    assert main(["bench", *arguments, *more]) == 0
    options = BenchOptions(("torch", "int8"), batch_sizes=(1, 2), tokens=4, rounds=2, device="cpu", threads=1)
    assert asked == [("somewhere", options)]
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert json.loads(lines[-1]) == json.loads(data.read_text()) == json.loads(json.dumps(found.to_dict()))
    assert plot.read_text().startswith("<?xml")
    assert "GB/s" in lines[0]
    assert lines[-2].startswith("got-ocr2 torch fp32\t2\t")
    assert captured.err == "working\n"


def test_plots_that_cannot_be_written(found, tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("plot.xyz", "nowhere/plot.png"):
        with pytest.raises(FileAccessError, match=r"plot cannot be written to .*plot\."):
            plot_bench(found, tmp_path / name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch", "1,x"], "--batch must be whole numbers such as 1,4,8, got '1,x'"),
        (["--random", "somewhere"], "--random takes no model, got 'somewhere'"),
        (["--variants", "int3"], "A variant is one of"),
    ],
)
def test_mistakes_are_one_sentence(arguments, message, capsys):
    assert main(["bench", "--device", "cpu", *arguments]) == 1
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
