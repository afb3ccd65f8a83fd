"""`got-ocr2 batch` as people call it, and the reader that it works with."""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from fake_ocr import fake_ocr
from got_ocr2.cli import main
from got_ocr2.cli.output.batch_progress import ProgressLine
from got_ocr2.cluster.inputs import list_sources
from got_ocr2.cluster.metrics import Metrics
from got_ocr2.cluster.progress import Progress
from got_ocr2.cluster.report import picture_of, report_of
from got_ocr2.cluster.serving import Replicas
from got_ocr2.cluster.tasks import Counts
from got_ocr2.cluster.workers.ocr_reader import OcrReader
from got_ocr2.cluster.workers.reader import Item, reader_class
from got_ocr2.errors import InvalidOptionError


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """a.tif of three pages 5x4, 6x4, 7x4; b.png 8x4; c.png, which is none."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    pages = [Image.new("RGB", (width, 4), "navy") for width in (5, 6, 7)]
    pages[0].save(folder / "a.tif", save_all=True, append_images=pages[1:])
    Image.new("RGB", (8, 4), "navy").save(folder / "b.png")
    (folder / "c.png").write_bytes(b"no picture")
    return folder


def reader(**reading: object) -> OcrReader:
    made = OcrReader({"model": {}, "reading": reading, "batch_size": 2})
    made._ocr = fake_ocr()
    return made


def test_pages_of_many_documents_go_through_one_engine_in_order(pictures):
    made = reader()
    sources = [*list_sources([str(pictures)])]
    looked = {source.name: made.look(source) for source in sources[:2]}
    assert [pages for _, pages in looked.values()] == [3, 1]
    with pytest.raises(Exception, match="neither a picture"):
        made.look(sources[2])
    digest = {source: looked.get(source.name, ("",))[0] for source in sources}
    a, b, c = sources
    asked = [(c, 1), (a, 3), (a, 9), (b, 1), (a, 1), (c, 1)]
    items = [Item(source, digest[source], page, number) for number, (source, page) in enumerate(asked)]
    found = [*made.read(iter(items))]
    assert [item for item, _ in found] == items
    assert [result.text for _, result in found] == ["", "7x4", "", "8x4", "5x4", ""]
    made.close()
    assert [result.status for _, result in found] == [
        "failed",
        "complete",
        "failed",
        "complete",
        "complete",
        "failed",
    ]


def test_pages_that_were_drawn_elsewhere_are_read_the_same(pictures):
    made = reader()
    sources = [*list_sources([str(pictures)])]
    digests = [made.look(source)[0] for source in sources[:2]] + [""]
    items = [Item(sources[i], digests[i], page) for i, page in [(0, 2), (0, 9), (1, 1), (2, 1), (0, 1)]]
    read = [result for _, result in made.read(iter(items))]
    drawn = [page for _, page in made.draw(iter(items))]
    errors = {place: result.error for place, result in enumerate(read) if result.error is not None}
    assert errors == {place: page for place, page in enumerate(drawn) if not isinstance(page, bytes)}
    assert [*errors] == [1, 3]
    made.close()
    for path in pictures.iterdir():
        path.unlink()  # nobody opens it again
    given = [
        replace(item, drawn=page) for item, page in zip(items, drawn, strict=True) if isinstance(page, bytes)
    ]
    texts = [result.text for _, result in reader().read(iter(given))]
    assert texts == [result.text for result in read if result.error is None] == ["6x4", "8x4", "5x4"]


def test_limits_reach_the_reader(pictures):
    (source,) = list_sources([str(pictures / "b.png")])
    made = reader(max_pixels=31)
    digest, _ = reader().look(source)
    ((_, result),) = made.read([Item(source, digest, 1)])
    assert result.error is not None
    assert "8 x 4 = 32 pixels, more than the limit of 31" in result.error.message


def test_the_name_of_a_model_changes_with_its_weights(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"one")
    first = OcrReader.identity({"model": {"model": str(tmp_path)}})
    assert first.startswith(f"{tmp_path.name}@")
    (tmp_path / "model.safetensors").write_bytes(b"two")
    assert OcrReader.identity({"model": {"model": str(tmp_path)}}) != first


@pytest.mark.parametrize("target", ["nowhere", "nowhere:Reader", "json:Reader"])
def test_a_reader_that_is_not_there_is_refused(target):
    with pytest.raises(InvalidOptionError, match="A reader is module:class"):
        reader_class(target)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "parquet,jsonl"], "Shards are parquet or jsonl, not both."),
        (["--to", "words"], "--to takes parquet or jsonl for the shards, and md, .*, got 'words'"),
        (["--to", "searchable-pdf"], "needs the pictures of the pages"),
        (["--on-loop", "pray"], "on_loop must be one of"),
        (["--gpus", "1"], "--gpus is about workers on Ray"),
        (["--ray", "auto", "--local"], "--local and --ray exclude each other"),
        (["--draw-apart"], "--draw-apart and --drawn-memory are about Ray; they need --ray"),
        (["--drawn-memory", "1GB"], "they need --ray"),
        (["--retry-failed"], "--retry-failed is about pages of an earlier run; it needs --resume"),
        (["--workers", "0"], "must be a whole number >= 1"),
        (["--metrics-port", "99999"], "Metrics cannot be served on port 99999"),
    ],
)
def test_mistakes_are_one_sentence(pictures, tmp_path, capsys, words, message):
    assert main(["batch", str(pictures), "-o", str(tmp_path / "out"), *words]) in (1, 5)
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_embedded_model_reads(tmp_path, capsys):
    picture = Path(__file__).parents[2] / "examples" / "brochure_heading.png"
    out, metrics = tmp_path / "out", tmp_path / "metrics.prom"
    words = ["batch", str(picture), str(tmp_path / "gone.png"), "-o", str(out), "--to", "jsonl,txt"]
    assert main(words) == 2
    assert "gone.png does not exist" in capsys.readouterr().err
    assert not out.exists()
    assert main([*words[:2], *words[3:], "--threads", "1", "--metrics-file", str(metrics)]) == 0
    (line,) = (out / "shards" / "part-00000000.jsonl").read_text("utf-8").splitlines()
    row = json.loads(line)
    truth = picture.with_suffix(".txt").read_text("utf-8").strip()
    assert row["text"] == row["lines"][0]["text"] == truth
    left, top, right, bottom = row["lines"][0]["box"]
    assert 0 <= left < right <= 690
    assert 0 <= top < bottom <= 50
    assert row["model"].startswith("default@")
    (text,) = (out / "files").rglob("*.txt")
    assert text.read_text("utf-8").strip() == truth
    assert 'got_ocr2_pages_total{status="complete"} 1.0' in metrics.read_text()
    assert (out / "report.png").read_bytes().startswith(b"\x89PNG")
    assert "1 pages of 1 documents in 1 shards" in capsys.readouterr().err


@pytest.mark.parametrize("counts", [(0, 1), (3, 2)])
def test_replicas_are_checked(counts):
    with pytest.raises(InvalidOptionError, match="1 <= least <= most"):
        Replicas(*counts)


def test_a_long_run_is_drawn_with_few_points():
    progress = Progress(pages=5000, documents=3, interval=1e-9)
    progress.begin_reading()
    for number in range(2000):
        progress.read(Counts(1, {"complete": 1}, {}, 0.5, ((float(number), "a$_{b.png", number),)))
    assert len(progress.curve) <= 400
    assert sum(progress.curve) == progress.total.rows == 2000
    report = report_of(progress, "nobody")
    assert [one["page"] for one in report["slowest"]] == [*range(1999, 1989, -1)]
    assert picture_of(report).startswith(b"\x89PNG")
    assert picture_of(report_of(Progress(), "nobody")).startswith(b"\x89PNG")


def test_progress_is_one_line(monkeypatch, capsys):
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress(pages=9000, documents=1200)
    with ProgressLine(shown=True) as line:
        line.show(progress)
        progress.begin_reading()
        now += 20.0
        progress.read(Counts(1000, {"complete": 997, "failed": 3}))
        line.show(progress)
        line.show(progress)  # too soon
        line.note("a.png is missing.")
    assert capsys.readouterr().err.split("\r\x1b[K") == [
        "",
        "looking at documents: 1,200",
        "1,000 of 9,000 pages, 50.00 pages/s, 3 failed, 0:02:40 to go",
        "a.png is missing.\n",
        "",
    ]


def test_metrics_are_written(tmp_path):
    metrics = Metrics(tmp_path / "m.prom")
    progress = Progress(pages=7)
    progress.read(Counts(2, {"failed": 2}))
    metrics.update(progress)
    assert 'got_ocr2_pages_total{status="failed"} 2.0' in (tmp_path / "m.prom").read_text()
    assert "got_ocr2_pages_expected 7.0" in (tmp_path / "m.prom").read_text()
