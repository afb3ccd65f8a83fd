"""The benchmark scripts on a tiny model, without processes: complete figures, honest ratios, tables and plots."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from got_ocr2 import kernels
from got_ocr2.benchmarking import workload
from got_ocr2.benchmarking.subjects import letters_drafter, open_subject, variant
from got_ocr2.benchmarking.worker import TASKS
from got_ocr2.errors import GotOcr2Error
from got_ocr2.evaluation.metrics.edit_distance import levenshtein

ROOT = Path(__file__).parents[2]


class InProcess:
    """A worker without a process."""

    def __init__(self, spec, environment=None, program=()):
        self.spec = spec
        self.environment = environment

    def wait(self):
        self._subject = open_subject(
            Path(self.spec.folder), self.spec.variant, self.spec.device, self.spec.threads
        )
        return {"ready": True}

    def ask(self, task, **arguments):
        if task == "bandwidth":
            return {"bytes_per_second": 1e9, "peak_bytes": 1}
        return {**TASKS[task](self._subject, **arguments), "peak_bytes": 10**8}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")

    def load(name):
        spec = importlib.util.spec_from_file_location(name, ROOT / f"benchmarks/{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    # Imported by name by the scripts: fresh for each test, and not left behind.
    for name in ("measuring", "peers"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    measuring = load("measuring")
    monkeypatch.setattr(measuring, "Worker", InProcess)

    return load


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_config):
    return workload.save_random_model(tmp_path_factory.mktemp("random"), tiny_config)


@pytest.mark.slow
@pytest.mark.skipif(not kernels.available(), reason="the native kernels were not built")
def test_engine(script, folder, tmp_path, capsys):
    pytest.importorskip("transformers")
    engine = script("engine")
    path = tmp_path / "engine.json"
    arguments = [
        "--model",
        str(folder),
        "--threads",
        "1",
        "--rounds",
        "2",
        "--page-rounds",
        "1",
        "--json",
        str(path),
    ]
    assert (
        engine.main([*arguments, "--page-tokens", "40", "--decode-tokens", "4", "--batches", "1", "3"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    found = json.loads(lines[-1])
    assert found == json.loads(path.read_text())
    rows = {(row["measure"], row["variant"]): row for row in found["rows"]}
    measures = {
        "page", "peak memory of a page", "page with a draft", "page with its lines, 2 % misread",
        "page with its lines, 5 % misread", "page with its lines, 10 % misread", "prompt of 39 tokens",
        "decode, batch 1", "decode, batch 3", "vision, default malloc", "vision, tuned malloc",
    }  # fmt: skip
    assert {measure for measure, _ in rows} == measures
    for (measure, _), row in rows.items():
        assert row["value"] > 0
        assert min(row["runs"]) <= row["value"] <= max(row["runs"])
        if not measure.startswith("page with "):
            base = rows[measure, engine.BASELINE]
            assert row["ratio"] == pytest.approx(base["value"] / row["value"])
    assert rows["page", "exact"]["same_ids"] == rows["page", "torch"]["same_ids"] == 1.0
    assert rows["page", "int8"]["same_ids"] is None
    assert {goal["measure"] for goal in found["goals"] if goal["found"] is None} == {"decode, batch 4"}
    assert any(line.endswith(("reached", "missed")) for line in lines)

    pytest.importorskip("matplotlib")
    report = script("report")
    document = tmp_path / "performance.md"
    document.write_text((ROOT / "docs/performance.md").read_text(encoding="utf-8"), encoding="utf-8")
    assert report.main([str(path), "--document", str(document), "--images", str(tmp_path / "images")]) == 0
    text = document.read_text(encoding="utf-8")
    assert "| decode, batch 3, ms | " in text
    assert f"Model: {folder}." in text
    assert {image.name for image in (tmp_path / "images").iterdir()} == {"decode.png", "ratios.png"}
    before = text
    assert report.main([str(path), "--document", str(document), "--images", str(tmp_path / "images")]) == 0
    assert document.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("name", "modules"),
    [("onnxruntime-fp32", ("onnx", "onnxruntime")), ("openvino-fp32", ("onnx", "openvino"))],
)
def test_peers_write_what_torch_writes(script, folder, tmp_path, name, modules):
    for module in modules:
        pytest.importorskip(module)
    peers = script("peers")
    exports = peers.export(folder, tmp_path / "exports", lambda _: None)
    peer = peers.Peer(exports, folder, peers.VARIANTS[name], 1)
    torch_side = open_subject(folder, variant("torch", "cpu"), "cpu", 1)
    ids, pixels = workload.text_prompt(peer.config, 2, 9), workload.pictures(peer.config, 1)
    page = workload.page_prompt(peer.config, 1)
    assert peer.write(ids, None, 8).ids == torch_side.write(ids, None, 8).ids
    assert peer.write(page, pixels, 8).ids == torch_side.write(page, pixels, 8).ids
    answers = dict(np.load(exports / "answers.npz"))
    np.savez(exports / "answers.npz", **{**answers, "scores": answers["scores"] + 1})
    with pytest.raises(GotOcr2Error, match=r"scores of .* of the largest from torch's, more than 0\.01"):
        peers.Peer(exports, folder, peers.VARIANTS[name], 1)


def test_a_peer_that_is_not_installed_is_one_sentence(script, folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnx", None)
    engine = script("engine")
    assert engine.main(["--model", str(folder), "--peers", "openvino-int4"]) != 0
    said = "Measuring OpenVINO int4 needs the package onnx; install it with: pip install 'got-ocr2[bench]'.\n"
    assert capsys.readouterr().err == said


@pytest.mark.skipif(not kernels.available(), reason="the native kernels were not built")
def test_quantisation(script, byte_folder, tmp_path, capsys):
    pages = tmp_path / "pages"
    pages.mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (60, 40), "gray").save(pages / f"{name}.png")
        (pages / f"{name}.txt").write_text("ab\n", encoding="utf-8")
    path = tmp_path / "quantisation.json"
    arguments = [str(pages), "--model", str(byte_folder), "--threads", "1", "--json", str(path)]
    assert script("quantisation").main(arguments) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found == json.loads(path.read_text())
    assert [row["variant"] for row in found["rows"]] == ["exact", "int8", "int4", "kv-bf16", "kv-int8"]
    for row in found["rows"]:
        assert row["pages"] == 2
        assert 0 <= row["text_kept"] <= 1
        assert 0 <= row["best_kept"] <= 1
    exact = found["rows"][0]
    assert (exact["best_kept"], exact["text_kept"], exact["cer_to_exact"]) == (1, 1, 0)
    document = tmp_path / "performance.md"
    document.write_text(
        "before\n<!-- quantisation -->\nold\n<!-- /quantisation -->\nafter\n", encoding="utf-8"
    )
    pytest.importorskip("matplotlib")
    report = script("report")
    assert report.main([str(path), "--document", str(document), "--images", str(tmp_path)]) == 0
    lines = document.read_text(encoding="utf-8").splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("before", "after", 11)
    assert (tmp_path / "quantisation.png").stat().st_size > 1000


def test_files_that_hold_no_figures(script, tmp_path, capsys):
    path = tmp_path / "other.json"
    path.write_text("{}")
    assert script("report").main([str(path)]) == 1
    assert "other.json holds no figures of engine or quantisation." in capsys.readouterr().err


def test_a_place_that_is_missing(script):
    with pytest.raises(ValueError, match="There is no place for goals"):
        script("report").rewrite("nothing", {"goals": "x"})


def test_a_draft_with_errors(script):
    engine = script("engine")
    ids = list(range(1000))
    spoilt = engine.with_errors(ids, 0.05, 5000)
    assert spoilt == engine.with_errors(ids, 0.05, 5000)
    kept = len(set(ids) & set(spoilt))
    assert 940 < kept < 995
    assert engine.with_errors(ids, 0, 5000) == ids


def test_letters_that_were_misread(script):
    engine = script("engine")
    ids = [hash((n, 7)) % 151_000 for n in range(500)]
    letters = engine.spelt(ids)
    assert len(letters) == 4 * len(ids)
    assert engine.misread(letters, 0) == letters
    spoilt = engine.misread(letters, 0.1)
    assert spoilt == engine.misread(letters, 0.1)
    assert 0.07 < levenshtein(letters, spoilt) / len(letters) < 0.12
    drafter = letters_drafter(spoilt)
    kept = sum(drafter.propose(ids[:k], 1) == ids[k : k + 1] for k in range(1, len(ids)))
    assert 0.4 < kept / len(ids) < 0.8


@pytest.mark.skipif(not kernels.available(), reason="the native kernels were not built")
def test_opening(script, folder, capsys):
    assert (
        script("opening").main(["--model", str(folder), "--rounds", "1", "--tokens", "5", "--threads", "1"])
        == 0
    )
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(found["seconds"]) == ["imports", "opening", "first token of a prompt", "picture", "page"]
    assert min(found["seconds"].values()) > 0
    peaks = list(found["peak_bytes"].values())
    assert peaks == sorted(peaks)


@pytest.mark.skipif(not kernels.available(), reason="the native kernels were not built")
def test_lines_dealt_out_are_measured_beside_teams(script, capsys):
    assert script("line_encoder").main(["--rounds", "1", "--pieces", "4"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["pieces"], found["threads"], found["equal"]) == (4, 2, True)
    assert found["ratio"] > 0
