"""Whole runs here: equal rows for any number of workers, failures as rows, going on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from got_ocr2.cluster.driver import exit_code_of
from got_ocr2.errors import InvalidOptionError

MIXED = ("pages=3 text=a", "pages=17 text=b bad=5", "pages=1", "no document", "pages=8 text=c")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("shards", ["jsonl", "parquet"])
def test_shards_do_not_depend_on_workers_or_tasks(documents, batch, tmp_path, shards):
    given = documents(*MIXED)
    one = batch(given, "one", rows_per_shard=7, pages_per_task=16, workers=1, shards=shards)
    batch(given, "two", rows_per_shard=7, pages_per_task=2, workers=2, shards=shards)
    for folder in ("shards", "manifest", "plan"):
        assert contents(tmp_path / "one" / folder) == contents(tmp_path / "two" / folder)
    assert one.total.rows == one.pages == 30
    assert one.total.statuses == {"complete": 28, "failed": 2}
    assert not list((tmp_path / "one" / "tasks").iterdir())


def test_one_row_a_page_in_order(documents, batch, rows):
    done = batch(documents(*MIXED), rows_per_shard=4)
    found = rows()
    pages = [(Path(row["document"]).stem, row["page"]) for row in found]
    counts = (3, 17, 1, 1, 8)
    assert pages == [(f"d{n}", page) for n, count in enumerate(counts) for page in range(1, count + 1)]
    assert list(found[0]) == [
        "document",
        "page",
        "status",
        "text",
        "lines",
        "seconds",
        "model",
        "version",
        "error",
    ]
    bad = next(row for row in found if row["error"])
    assert bad["error"] == {"type": "InputError", "message": "Page 5 is bad.", "exit_code": 2}
    unread = found[21]
    assert unread["status"] == "failed"
    assert unread["error"]["message"] == "This is no document."
    assert exit_code_of(done) == 2


def test_parquet_holds_what_jsonl_holds(documents, batch, rows, tmp_path):
    import pyarrow.parquet as pq

    given = documents(*MIXED)
    batch(given, "out")
    batch(given, "parquet", shards="parquet")
    assert pq.read_table(tmp_path / "parquet" / "shards").to_pylist() == rows()


def test_pages_that_end_their_process_fail_alone(documents, batch, rows):
    given = documents("pages=8 kill=3 grow=5 once=7")
    batch(given, worker_memory=400 << 20, retries=1, workers=2, pages_per_task=8)
    failed = {row["page"]: row["error"]["message"] for row in rows() if row["status"] == "failed"}
    name = rows()[0]["document"]
    times = f"of {name} ended the process that worked on it, alone, 2 times: "
    assert failed == {
        3: f"Page 3 {times}it was ended by SIGKILL.",
        5: f"Page 5 {times}it took more than 419,430,400 bytes of memory.",
    }
    assert [row["page"] for row in rows()] == [*range(1, 9)]


def test_a_page_that_hangs_fails_alone(documents, batch, rows):
    batch(documents("pages=3 hang=2"), page_timeout=2.5)
    assert [row["status"] for row in rows()] == ["complete", "failed", "complete"]
    said = "alone, once: there was no word from it for 2.5 seconds."
    assert rows()[1]["error"]["message"].endswith(said)


def test_a_document_that_ends_the_process_that_looks_at_it_is_a_row(documents, batch, rows):
    batch(documents("pages=2", "pages=1 kill_look=1", "pages=1"))
    assert [row["status"] for row in rows()] == ["complete", "complete", "failed", "complete"]
    assert rows()[2]["error"]["type"] == "WorkerError"


def test_going_on_does_only_what_is_missing(documents, batch, tmp_path, rows):
    given = documents(*MIXED)
    batch(given, rows_per_shard=7)
    whole = contents(tmp_path / "out" / "shards")
    (tmp_path / "out" / "manifest" / "part-00000001.json").unlink()
    (tmp_path / "out" / "shards" / "part-00000002.jsonl").unlink()
    again = batch(given, rows_per_shard=7, resume=True)
    assert contents(tmp_path / "out" / "shards") == whole
    assert again.counts.rows == 14
    assert again.earlier.rows == 16
    assert any("part-00000002.jsonl is missing" in line for line in batch.said)
    last = batch(given, rows_per_shard=7, resume=True)
    assert last.counts.rows == 0
    assert exit_code_of(last) == 2  # the failed pages are still in the output
    assert json.loads((tmp_path / "out" / "report.json").read_bytes())["statuses"] == {
        "complete": 28,
        "failed": 2,
    }


def test_changed_documents_are_noticed_and_said(documents, batch, rows, tmp_path):
    given = documents("pages=6", "pages=6 text=old", "pages=6")
    batch(given, rows_per_shard=6)
    documents("pages=6", "pages=5 text=newer", "pages=6")
    batch(given, rows_per_shard=6, resume=True)
    assert [line for line in batch.said if "changed" in line] == [
        "Documents of shard 1 have changed; their pages are read again.",
        "Documents of shard 2 have changed; their pages are read again.",
    ]
    assert [row["page"] for row in rows()] == [*range(1, 7), *range(1, 6), *range(1, 7)]
    assert sum(row["text"].startswith("newer") for row in rows()) == 5
    documents("pages=6")
    again = batch(given, rows_per_shard=6, resume=True)
    assert len(rows()) == again.pages == 6
    assert any("belongs to documents that are gone" in line for line in batch.said)


def test_other_options_or_another_model_are_refused(documents, batch):
    given = documents("pages=2")
    batch(given)
    with pytest.raises(InvalidOptionError, match="holds a run already; go on with --resume"):
        batch(given)
    with pytest.raises(InvalidOptionError, match="made with another rows_per_shard: 1000, now 5"):
        batch(given, resume=True, rows_per_shard=5)
    with pytest.raises(InvalidOptionError, match="another model: 'fake@1', now 'fake@2'"):
        batch(given, resume=True, model={"model": "fake@2"})
    with pytest.raises(InvalidOptionError, match=r"another reading: {}, now {'crop': True}"):
        batch(given, resume=True, reading={"crop": True})


def test_a_password_is_written_nowhere(documents, batch, tmp_path):
    batch(documents("pages=2"), reading={"password": "swordfish"})
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or b"swordfish" not in path.read_bytes(), path


def test_a_model_that_cannot_be_opened_ends_the_run(documents, batch):
    with pytest.raises(Exception, match="There is no such model"):
        batch(documents("pages=2", "pages=3"), reading={"no_model": True}, workers=2)


def test_a_folder_of_other_files_is_left_alone(documents, batch, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InvalidOptionError, match="holds other files; a run needs a folder of its own"):
        batch(documents("pages=2"))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidOptionError, match="is a file; a run writes into a folder"):
        batch(documents("pages=2"), "file")


def test_a_file_a_document(documents, batch, tmp_path):
    given = documents("pages=5 text=x", "pages=2 text=y bad=2", "pages=1 bad=1")
    done = batch(given, rows_per_shard=3, pages_per_task=2, files=("md", "txt"))
    files = {path.name: path for path in (tmp_path / "out" / "files").rglob("*") if path.is_file()}
    assert sorted(files) == ["d0.txt.md", "d0.txt.txt", "d1.txt.partial.md", "d1.txt.partial.txt"]
    assert done.files == 4
    text = files["d0.txt.txt"].read_text("utf-8")
    assert [f"x page {n} of" in text for n in range(1, 7)] == [True] * 5 + [False]
    files["d0.txt.md"].unlink()
    again = batch(given, rows_per_shard=3, files=("md", "txt"), resume=True)
    assert again.counts.rows == 0
    assert files["d0.txt.md"].exists()


def test_half_surrogates_become_the_replacement_character(documents, batch, tmp_path):
    import pyarrow.parquet as pq

    odd = tmp_path / "d\udcff.txt"
    try:
        odd.write_text("pages=1")
    except OSError:
        pytest.skip("this file system takes no such name")
    names = tmp_path / "names.jsonl"
    names.write_text(json.dumps(str(odd)))
    batch(names, shards="parquet")
    (row,) = pq.read_table(tmp_path / "out" / "shards").to_pylist()
    assert row["document"].endswith(r"d\udcff.txt")
    assert row["status"] == "complete"
