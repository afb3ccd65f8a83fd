"""Data sets on disk and streams: the same bytes however they are made, stopped or read."""

from __future__ import annotations

import json
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synth_helpers import PageOfLines

from got_ocr2.errors import FileAccessError, InputError, InvalidOptionError
from got_ocr2.synth import conversations, dataset, stream
from got_ocr2.synth.composing.documents import MultiPageEngine
from got_ocr2.synth.conversations import export_conversations
from got_ocr2.synth.dataset import DatasetRequest, read_dataset, save_sample, write_dataset
from got_ocr2.synth.registry import KINDS, create_engine
from got_ocr2.synth.sample import Sample
from got_ocr2.synth.stream import SampleStream

REQUEST = DatasetRequest("negative", seed=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_workers_change_nothing(tmp_path: Path) -> None:
    assert write_dataset(REQUEST, 5, tmp_path / "alone") == 5
    assert write_dataset(REQUEST, 5, tmp_path / "together", workers=2) == 5
    assert contents(tmp_path / "alone") == contents(tmp_path / "together")


@pytest.mark.parametrize("torn", [False, True])
def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path: Path, torn: bool) -> None:
    def stop_at_two(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    write_dataset(REQUEST, 4, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        write_dataset(REQUEST, 4, tmp_path / "stopped", progress=stop_at_two)
    if torn:
        with (tmp_path / "stopped" / dataset.LINES).open("a") as file:
            file.write('{"id": "negative-0000')
    assert write_dataset(REQUEST, 4, tmp_path / "stopped") == 2
    assert contents(tmp_path / "whole") == contents(tmp_path / "stopped")
    assert write_dataset(REQUEST, 3, tmp_path / "stopped") == 0
    assert write_dataset(REQUEST, 5, tmp_path / "stopped") == 1


def test_progress_counts_what_is_on_disk(tmp_path: Path) -> None:
    seen: list[int] = []
    write_dataset(REQUEST, 2, tmp_path, progress=seen.append)
    write_dataset(REQUEST, 4, tmp_path, progress=seen.append)
    assert seen == [0, 1, 2, 2, 3, 4]


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, seed=4),
        replace(REQUEST, kind="text"),
        replace(REQUEST, degrade=0.5),
        replace(REQUEST, split="test"),
    ],
)
def test_another_request_does_not_go_on_in_the_same_folder(tmp_path: Path, other: DatasetRequest) -> None:
    write_dataset(REQUEST, 1, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(InvalidOptionError, match="cannot be continued"):
        write_dataset(other, 2, tmp_path)
    assert contents(tmp_path) == before


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileAccessError, match="no data set"):
        write_dataset(REQUEST, 1, tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"mine"}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileAccessError, match="file"):
        write_dataset(REQUEST, 1, tmp_path / "file")


@pytest.mark.parametrize(("count", "workers"), [(-1, 1), (3, 0)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, count: int, workers: int) -> None:
    with pytest.raises(InvalidOptionError, match=rf"{count} samples by {workers} workers"):
        write_dataset(REQUEST, count, tmp_path, workers=workers)


def test_a_sample_that_cannot_be_drawn_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        kind = "negative"

        def sample(self, seed: int, index: int) -> Sample:
            if index == 1:
                raise ArithmeticError("sample 1 is broken")
            return create_engine("negative").sample(seed, index)

    monkeypatch.setattr(DatasetRequest, "engine", lambda self: Broken())
    with pytest.raises(ArithmeticError, match="sample 1"):
        write_dataset(REQUEST, 3, tmp_path)
    assert len(list(read_dataset(tmp_path))) == 1


def write_rows(folder: Path, samples: list[Sample]) -> None:
    for part in (dataset.IMAGES, dataset.GLYPHS):
        (folder / part).mkdir()
    rows = [save_sample(sample, index, folder) for index, sample in enumerate(samples)]
    (folder / dataset.LINES).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def samples_of_every_shape() -> list[Sample]:
    page = PageOfLines().sample(0, 0)
    boxed = replace(
        page, task=replace(page.task, box=(10.0, 20.0, 165.0, 105.0)), text='Zeile\n\\alpha "“é中'
    )
    framed = replace(page, task=replace(page.task, color="blue", format=True), meta={"source": "x", "n": 3})
    document = MultiPageEngine(PageOfLines(formatted=True), pages=(2, 2)).sample(0, 0)
    return [page, boxed, framed, document, create_engine("negative").sample(0, 0)]


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    written = samples_of_every_shape()
    write_rows(tmp_path, written)
    for before, after in zip(written, read_dataset(tmp_path), strict=True):
        assert (before.kind, before.text, before.task, before.meta) == (
            after.kind,
            after.text,
            after.task,
            after.meta,
        )
        assert [i.tobytes() for i in before.images] == [i.tobytes() for i in after.images]
        assert [(r.kind, r.text, r.page) for r in before.regions] == [
            (r.kind, r.text, r.page) for r in after.regions
        ]
        for one, other in zip(before.regions, after.regions, strict=True):
            assert np.allclose(one.box, other.box, atol=0.006)
        assert np.array_equal(before.glyphs.offsets, after.glyphs.offsets)
        assert np.array_equal(before.glyphs.boxes, after.glyphs.boxes)


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path, samples_of_every_shape())
    (tmp_path / "images" / "000002.png").unlink()
    with pytest.raises(FileAccessError, match=r"Line 3 .*000002\.png"):
        list(read_dataset(tmp_path))


def test_a_line_that_is_no_sample_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path, samples_of_every_shape()[:1])
    with (tmp_path / dataset.LINES).open("a") as file:
        file.write('{"kind": "text"}\n')
    with pytest.raises(InputError, match="Line 2"):
        list(read_dataset(tmp_path))


def test_no_data_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match=r"data\.jsonl"):
        next(read_dataset(tmp_path))
    with pytest.raises(FileAccessError, match=r"data\.jsonl"):
        export_conversations(tmp_path, lambda task, size: "")


def test_conversations_are_what_the_published_trainer_reads(tmp_path: Path) -> None:
    from got_ocr2.cli.synth import _question

    write_rows(tmp_path, samples_of_every_shape())
    assert export_conversations(tmp_path, _question).name == conversations.CONVERSATIONS
    entries = json.loads((tmp_path / conversations.CONVERSATIONS).read_text("utf-8"))
    asked = [entry["conversations"][0]["value"] for entry in entries]
    assert asked[:4] == [
        "<image>\nOCR: ",
        "<image>\n[30, 95, 500, 500] OCR: ",
        "<image>\n[blue] OCR with format: ",
        "<image>\nOCR with format across multi pages: ",
    ]
    assert [entry["image"] for entry in entries] == [
        "images/000000.png", "images/000001.png", "images/000002.png", "images/000003", "images/000004.png",
    ]  # fmt: skip
    assert entries[1]["conversations"][1] == {"from": "gpt", "value": 'Zeile\n\\alpha "“é中'}


@pytest.mark.parametrize(("ranks", "workers"), [(1, 1), (1, 3), (2, 2)])
def test_every_sample_of_a_stream_is_drawn_once(
    monkeypatch: pytest.MonkeyPatch, ranks: int, workers: int
) -> None:
    class Counter:
        kind = "counter"

        def sample(self, seed: int, index: int) -> tuple[int, int]:
            return seed, index

    drawn: list[tuple[int, int]] = []
    for rank in range(ranks):
        for worker in range(workers):
            info = types.SimpleNamespace(num_workers=workers, id=worker) if workers > 1 else None
            monkeypatch.setattr(stream, "get_worker_info", lambda info=info: info)
            drawn += SampleStream(Counter(), 7, start=4, count=11, rank=rank, world_size=ranks)  # type: ignore[arg-type]
    assert sorted(drawn) == [(7, index) for index in range(4, 15)]


def test_a_stream_goes_on_where_it_stopped() -> None:
    whole = [sample.images[0].tobytes() for sample in SampleStream(PageOfLines(), 1, count=5)]
    rest = iter(SampleStream(PageOfLines(), 1, start=3))
    assert [next(rest).images[0].tobytes() for _ in range(2)] == whole[3:]


@pytest.mark.parametrize(
    ("options", "named"),
    [({"start": -1}, "-1"), ({"count": -2}, "-2"), ({"rank": 2, "world_size": 2}, "Rank 2")],
)
def test_nonsense_of_a_stream_is_refused(options: dict[str, int], named: str) -> None:
    with pytest.raises(InvalidOptionError, match=named):
        SampleStream(PageOfLines(), 0, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_registered_and_draws(kind: str) -> None:
    engine = create_engine(kind, split="test", language="en")
    assert engine.kind == kind
    sample = engine.sample(0, 1)
    assert sample.kind == kind
    assert bool(sample.text) == (kind != "negative")
    assert all(image.mode == "RGB" for image in sample.images)


def test_options_reach_the_engine_and_unknown_ones_are_refused() -> None:
    assert create_engine("negative", answer="none").sample(0, 0).text == "none"
    assert create_engine("region", jitter=0.25).jitter == 0.25  # type: ignore[attr-defined]
    for kind in ("negative", "crop", "text"):
        with pytest.raises(InvalidOptionError, match="sauce"):
            create_engine(kind, sauce=1)
    with pytest.raises(InvalidOptionError, match="poem"):
        create_engine("poem")
