"""Failed pages that are tried again, and shards that keep the rows of what has not changed."""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from got_ocr2.cluster import assignments
from got_ocr2.cluster.driver import exit_code_of
from got_ocr2.cluster.earlier import kept_rows
from got_ocr2.cluster.shards import commit
from got_ocr2.errors import InvalidOptionError

SIZES = {"rows_per_shard": 8, "pages_per_task": 3}
ILL = ("pages=9 text=a ill=5", "pages=1 ill=0", "pages=12 text=b ill=12", "pages=3 text=c")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def cure(tmp_path: Path, *numbers: int) -> None:
    for number in numbers:
        (tmp_path / "in" / f"d{number}.txt.mark").touch()


@pytest.mark.parametrize("shards", ["jsonl", "parquet"])
def test_failed_pages_stay_until_they_are_tried_again(documents, batch, tmp_path, shards):
    given = documents(*ILL)
    first = batch(given, shards=shards, **SIZES)
    assert first.total.statuses == {"complete": 22, "failed": 3}
    assert first.summary("out").endswith(
        "22 complete, 3 failed. Failed pages stay so until --resume --retry-failed tries them again."
    )
    cure(tmp_path, 0, 1, 2)
    stayed = batch(given, resume=True, shards=shards, **SIZES)
    assert (stayed.pages_read, stayed.failed) == (0, 3)
    again = batch(given, resume=True, retry_failed=True, shards=shards, **SIZES)
    # Page 1 of d1 is a document that is looked at again.
    assert (again.pages_read, again.retried, again.failed) == (3, 3, 0)
    assert "25 pages of 4 documents (22 of them before), 3 of them tried again" in again.summary("out")
    assert again.summary("out").endswith(": 25 complete.")
    assert exit_code_of(again) == 0
    batch(given, "well", shards=shards, **SIZES)
    for folder in ("shards", "manifest", "plan"):
        assert contents(tmp_path / "out" / folder) == contents(tmp_path / "well" / folder)
    assert not [*(tmp_path / "out" / "tasks").iterdir()]
    once_more = batch(given, resume=True, retry_failed=True, shards=shards, **SIZES)
    assert (once_more.pages_read, once_more.retried) == (0, 0)


def test_what_fails_again_stays_failed(documents, batch, tmp_path):
    given = documents(*ILL)
    batch(given, **SIZES)
    before = contents(tmp_path / "out" / "shards")
    cure(tmp_path, 0)
    for pages, failed in ((2, 2), (1, 2)):  # d1 is looked at, and fails there
        again = batch(given, resume=True, retry_failed=True, **SIZES)
        assert (again.pages_read - 1, again.failed) == (pages, failed)
    after = contents(tmp_path / "out" / "shards")
    assert sorted(after) == sorted(before)
    assert after["part-00000000.jsonl"] != before["part-00000000.jsonl"]
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert report["this_run"]["failed_pages_tried_again"] == 2


def test_files_of_documents_that_are_cured(documents, batch, tmp_path):
    given = documents("pages=2 text=a ill=2", "pages=2 text=b")
    batch(given, files=("txt",), **SIZES)
    cure(tmp_path, 0)
    done = batch(given, resume=True, retry_failed=True, files=("txt",), **SIZES)
    assert done.failed == 0
    names = sorted(path.name for path in (tmp_path / "out" / "files").rglob("*") if path.is_file())
    assert names == ["d0.txt.txt", "d1.txt.txt"]


@pytest.mark.parametrize("retry", [True, False])
def test_a_retry_that_was_ended_is_gone_on_with(documents, batch, tmp_path, retry):
    given = documents(*ILL)
    batch(given, **SIZES)
    cure(tmp_path, 0, 1, 2)

    class EndedError(Exception):
        pass

    def end(progress):
        if progress.pages_read:
            raise EndedError

    with pytest.raises(EndedError):
        batch(given, resume=True, retry_failed=True, progress=end, **SIZES)
    assert [*(tmp_path / "out" / "tasks").rglob("earlier.json")]
    done = batch(given, resume=True, retry_failed=retry, **SIZES)
    assert done.pages_read <= 3
    batch(given, resume=True, retry_failed=True, **SIZES)
    batch(given, "well", **SIZES)
    assert contents(tmp_path / "out" / "shards") == contents(tmp_path / "well" / "shards")


def test_a_run_that_was_ended_writes_nothing_more(documents, batch, monkeypatch):
    written = threading.Event()

    def interrupted(*arguments):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.5)
        found = commit(*arguments)
        written.set()
        return found

    monkeypatch.setattr(assignments, "commit", interrupted)
    # Programs in the background ignore it, and so would the tests there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            batch(documents("pages=3"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert written.is_set()
    assert "got-ocr2 lane" not in {thread.name for thread in threading.enumerate()}


def test_only_documents_that_changed_are_read_again(documents, batch, tmp_path):
    given = documents("pages=4 text=a", "pages=4 text=b", "pages=9 text=c")
    batch(given, **SIZES)
    documents("pages=4 text=a", "pages=4 text=other", "pages=9 text=c")
    done = batch(given, resume=True, **SIZES)
    assert done.pages_read == 4
    assert batch.said == ["Documents of shard 0 have changed; their pages are read again."]
    batch(given, "new", **SIZES)
    assert contents(tmp_path / "out" / "shards") == contents(tmp_path / "new" / "shards")


def test_a_shard_that_is_damaged_meanwhile_gives_no_rows(documents, batch, tmp_path):
    given = documents("pages=4 text=a", "pages=4 text=b ill=2")
    batch(given, **SIZES)
    root = tmp_path / "out"
    manifest = json.loads((root / "manifest" / "part-00000000.json").read_bytes())
    (root / "tasks" / "part-00000000").mkdir()
    earlier = root / "tasks" / "part-00000000" / "earlier.json"
    shutil.copy(root / "plan" / "part-00000000.json", earlier)

    def kept(content: str) -> int:
        kept_rows.cache_clear()
        return len(kept_rows(str(root), "jsonl", 0, content))

    assert kept(manifest["content"]) == 7
    assert kept("another sum") == 0
    (root / "shards" / "part-00000000.jsonl").write_bytes(b"{}\n")
    assert kept(manifest["content"]) == 0
    earlier.write_bytes(b"")
    assert kept(manifest["content"]) == 0


def test_trying_again_is_about_an_earlier_run(documents, batch):
    with pytest.raises(InvalidOptionError, match=r"--retry-failed .* needs --resume"):
        batch(documents("pages=1"), retry_failed=True)
