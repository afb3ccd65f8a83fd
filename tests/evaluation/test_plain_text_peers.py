"""The benchmark beside Tesseract and RapidOCR: what it does without them, and how boxes become text."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from fake_ocr import fake_ocr

ROOT = Path(__file__).parents[2]


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("plain_text_peers", ROOT / "benchmarks/plain_text_peers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class Facade:
        from_pretrained = staticmethod(lambda *_, **__: fake_ocr())

    def absent(*_):
        raise module.MissingPeerError("rapidocr is not installed (pip install rapidocr onnxruntime)")

    monkeypatch.setattr(module, "OCR", Facade)
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    monkeypatch.setattr(module, "Rapid", absent)
    monkeypatch.setattr(module.torch, "set_num_threads", lambda _: None)
    return module


def test_missing_peers_are_named_and_end_it(peers, capsys):
    assert peers.main([str(ROOT / "examples")]) == 3
    assert capsys.readouterr().err.splitlines() == [
        "tesseract is not installed (apt-get install tesseract-ocr)",
        "rapidocr is not installed (pip install rapidocr onnxruntime)",
        "Install them, or go on without with --skip-missing.",
    ]


def test_without_them_if_asked_and_the_last_line_is_json(peers, tmp_path, capsys):
    out = tmp_path / "peers.md"
    sets = [str(ROOT / "examples"), str(ROOT / "testsets/text-words")]
    assert peers.main([*sets, "--skip-missing", "--limit", "2", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    data = json.loads(lines[-1])
    assert list(data["sets"]) == ["examples", "text-words"]
    for rows in data["sets"].values():
        assert list(rows) == ["got-ocr2 default"]
        assert rows["got-ocr2 default"]["cer"]["pages"] == 2
    assert out.read_text("utf-8").count("| got-ocr2 default | ") == 2
    assert len(data["missing"]) == 2
    assert data["machine"]["cores"] >= 1


def test_whole_pages_are_timed(peers, capsys):
    assert peers.main(["--timing", "2", "--rounds", "1", "--skip-missing"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = json.loads(lines[-1])
    assert [(row["reader"], row["pages"]) for row in found["timing"]] == [("got-ocr2", 1), ("got-ocr2", 2)]
    assert all(row["wall"] > 0 and row["processor"] > 0 for row in found["timing"])
    assert found["sets"] == {}
    assert any(line.startswith("| got-ocr2 | 2 | ") for line in lines)
    with pytest.raises(SystemExit):
        peers.main(["--timing", "0"])


def test_what_is_no_folder_of_pairs(peers, capsys):
    assert peers.main(["/nowhere"]) == 5
    assert "There is no folder" in capsys.readouterr().err


def test_a_table_of_every_picture(peers, tmp_path, capsys):
    out = tmp_path / "pictures.md"
    arguments = [str(ROOT / "examples"), "--pictures", "--skip-missing", "--limit", "2", "--out", str(out)]
    assert peers.main(arguments) == 0
    pictures = json.loads(capsys.readouterr().out.splitlines()[-1])["pictures"]["examples"]
    assert len(pictures) == 2
    for name, rates in pictures.items():
        assert (ROOT / "examples" / f"{name}.txt").is_file()
        assert list(rates) == ["got-ocr2 default"]
        assert f"| {name} | {rates['got-ocr2 default']:.3f} |" in out.read_text("utf-8")


def test_peers_only_without_any_peer(peers, capsys):
    assert peers.main([str(ROOT / "examples"), "--peers-only", "--skip-missing"]) == 3
    assert "No reader is left" in capsys.readouterr().err


def test_boxes_become_lines(peers):
    def box(x, y, width=30, height=10):
        return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]

    boxes = np.array([box(50, 22), box(0, 0), box(0, 20), box(40, 3), box(0, 40)], float)
    assert peers.in_reading_order(boxes, ("d", "a", "c", "b", "e")) == "a b\nc d\ne"
