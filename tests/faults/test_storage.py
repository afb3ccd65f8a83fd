"""What storage does to a run: full, read-only, gone, damaged; inputs that vanish; two drivers; a clock that jumps."""

from __future__ import annotations

import builtins
import errno
import os
import shutil
import time
from pathlib import Path

import pytest

from got_ocr2.cluster.places import folder as folder_module
from got_ocr2.cluster.store import Store
from got_ocr2.errors import FileAccessError, InputError, InvalidOptionError

PAGES = ("pages=12 text=a", "pages=1", "pages=9 text=b")
SIZES = {"rows_per_shard": 5, "pages_per_task": 2}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def whole(documents, batch, tmp_path):
    """A run that went well, and its list."""
    given = documents(*PAGES)
    batch(given, "whole", **SIZES)
    return given, contents(tmp_path / "whole" / "shards")


@pytest.mark.parametrize(
    ("folder", "code"), [("tasks", errno.ENOSPC), ("manifest", errno.ENOSPC), ("tasks", errno.EROFS)]
)
def test_a_disk_that_is_full_or_turns_read_only_ends_the_run_and_loses_nothing(
    whole, batch, tmp_path, monkeypatch, folder, code
):
    given, shards = whole
    written = []

    def full(path, mode="r", *args, **options):
        file = builtins.open(path, mode, *args, **options)  # noqa: SIM115
        if mode == "xb" and folder in Path(path).parts:
            written.append(path)
            if len(written) > 1:
                file.close()
                raise OSError(code, os.strerror(code))
        return file

    monkeypatch.setattr(folder_module, "open", full, raising=False)
    said = rf"cannot be written: {os.strerror(code)}; what is done is kept"
    with pytest.raises(FileAccessError, match=said):
        batch(given, **SIZES)
    monkeypatch.undo()
    batch(given, resume=True, **SIZES)
    assert contents(tmp_path / "out" / "shards") == shards
    assert not [*(tmp_path / "out").rglob(".part-*")]


def test_output_that_cannot_be_written(documents, batch):
    with pytest.raises(FileAccessError, match=r"^/proc/nowhere cannot be written: "):
        batch(documents("pages=1"), "/proc/nowhere")


def test_an_output_folder_that_is_deleted_ends_the_run(documents, batch, tmp_path):
    given = documents("pages=200 slow=0.01")

    def delete(progress):
        if progress.counts.rows:
            shutil.rmtree(tmp_path / "out", ignore_errors=True)

    with pytest.raises((FileAccessError, InputError), match=r"cannot be written|has gone|is not in"):
        batch(given, progress=delete, **SIZES)
    assert not [path for path in tmp_path.glob("out/**/*") if path.is_file()]


def test_documents_that_vanish_or_change_are_rows(documents, batch, rows, tmp_path):
    given = documents(*PAGES, "pages=2")

    def vanish(progress):
        if progress.phase == "looking at documents":
            (tmp_path / "in" / "d1.txt").unlink(missing_ok=True)
            (tmp_path / "in" / "d3.txt").write_text("pages=2 text=other")

    batch(given, progress=vanish, **SIZES)
    failed = {
        (Path(row["document"]).name, row["page"]): row["error"]["message"] for row in rows() if row["error"]
    }
    assert sorted(failed) == [("d1.txt", 1), ("d3.txt", 1), ("d3.txt", 2)]
    assert failed["d1.txt", 1].endswith("d1.txt cannot be read: No such file or directory.")
    assert "has changed since the run looked at it" in failed["d3.txt", 2]
    assert len(rows()) == 24


def test_documents_that_do_not_come_are_rows(documents, batch, rows, tmp_path):
    given = documents("pages=2", "nobody writes into this one", "pages=1")
    path = tmp_path / "in" / "d1.txt"
    path.unlink()
    os.mkfifo(path)
    batch(given, page_timeout=2.5)
    assert [row["status"] for row in rows()] == ["complete", "complete", "failed", "complete"]
    assert rows()[2]["error"]["message"].endswith("there was no word from it for 2.5 seconds.")


def test_a_clock_that_jumps_changes_nothing(whole, batch, tmp_path, monkeypatch):
    given, shards = whole
    times = iter(range(10**9, 0, -(10**5)))
    monkeypatch.setattr(time, "time", lambda: float(next(times)))
    done = batch(given, **SIZES)
    assert contents(tmp_path / "out" / "shards") == shards
    assert done.speed > 0
    assert 0 <= done.elapsed < 600


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def test_what_is_damaged_is_said_and_read_again(whole, batch, tmp_path):
    given, shards = whole
    root = tmp_path / "whole"
    damaged(root / "shards" / "part-00000001.jsonl")
    cut(root / "shards" / "part-00000000.jsonl")
    emptied(root / "manifest" / "part-00000003.json")
    cut(root / "plan" / "part-00000002.json")
    done = batch(given, "whole", resume=True, **SIZES)
    assert done.counts.rows == 15
    assert contents(root / "shards") == shards
    *lines, manifest = batch.said
    assert [line.rpartition("/")[2] for line in lines] == [
        f"part-0000000{n}.jsonl is damaged: its sum is not that of its manifest; it is read again."
        for n in range(2)
    ]
    assert "part-00000003.json is damaged" in manifest
    assert manifest.endswith("Shard 3 is read again.")


def test_a_damaged_job_is_refused(whole, batch, tmp_path):
    damaged(tmp_path / "whole" / "job.json")
    with pytest.raises(InputError, match=r"job\.json is damaged"):
        batch(whole[0], "whole", resume=True, **SIZES)


def test_half_a_task_is_done_again(whole, batch, tmp_path):
    given, shards = whole
    root = tmp_path / "whole"
    (root / "manifest" / "part-00000000.json").unlink()
    folder = root / "tasks" / "part-00000000"
    folder.mkdir()
    (folder / "000000-0123456789abcdef.jsonl").write_bytes(b"{}\n")  # of other options
    done = batch(given, "whole", resume=True, **SIZES)
    assert done.counts.rows == 5
    assert contents(root / "shards") == shards
    assert not folder.exists()


def test_a_second_driver_is_refused(documents, batch, tmp_path):
    given = documents("pages=1")
    (tmp_path / "out").mkdir()
    with (
        Store(tmp_path / "out").place.locked(),
        pytest.raises(InvalidOptionError, match="Another run is writing to"),
    ):
        batch(given)
    batch(given)
