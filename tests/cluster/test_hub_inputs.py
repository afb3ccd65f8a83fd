"""Inputs behind hf://, read by huggingface_hub's own file system from a server of the tests."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hub_server import REPO, hub

pytest.importorskip("fsspec")
ROOT = f"hf://datasets/{REPO}"
DRIVER = Path(__file__).parents[1] / "batch_driver.py"
LIST_TWICE = f"""
import urllib.request
from got_ocr2.cluster.inputs import content_of, list_sources
from got_ocr2.documents import Limits

def listed():
    found = list_sources(["{ROOT}/more"])
    return [(source.name, source.stamp, content_of(source, Limits()).decode()) for source in found]

first = listed()
body = urllib.request.Request(ENDPOINT + "/more/c.png", b"pages=2", method="PUT")
urllib.request.urlopen(body).close()
second = listed()
assert [name for name, _, _ in first] == [name for name, _, _ in second] == ["{ROOT}/more/c.png"]
assert [text for *_, text in first + second] == ["pages=1 text=c", "pages=2"]
assert None not in (first[0][1], second[0][1])
assert first[0][1] != second[0][1]
"""


def tar(**members: str) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as file:
        for name, text in members.items():
            info = tarfile.TarInfo(f"{name}.png")
            info.size = len(text)
            file.addfile(info, io.BytesIO(text.encode()))
    return sink.getvalue()


@pytest.fixture
def served():
    """The address of a hub and its files."""
    files = {
        "a 1.png": b"pages=3 text=a",
        "b.tar": tar(x="pages=1 text=x", y="pages=2 text=y"),
        "list.csv": b"path\nmore/c.png\ngone.png\n",
        "notes.md": b"no document",
        "more/c.png": b"pages=1 text=c",
    }
    with hub(files) as address:
        yield address


def run(address: str, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # Its address is read once, when the package is imported.
    environment = {
        **os.environ,
        "HF_ENDPOINT": address,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HOME": str(folder / "home"),
        "NO_PROXY": "127.0.0.1",
    }
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=folder, capture_output=True, text=True
    )


def read(address: str, given: str, folder: Path) -> list[tuple[str, int, str]]:
    settings = {"rows_per_shard": 100, "pages_per_task": 2, "workers": 1}
    done = run(address, [str(DRIVER), given, str(folder / "out"), json.dumps(settings)], folder)
    assert done.returncode == 0, done.stderr
    (shard,) = (folder / "out" / "shards").iterdir()
    rows = [json.loads(line) for line in shard.read_bytes().split(b"\n") if line]
    return [(row["document"], row["page"], row["text"][:1] or row["error"]["message"]) for row in rows]


def test_a_data_set_is_a_folder(served, tmp_path):
    assert read(served, ROOT, tmp_path) == [
        (f"{ROOT}/a 1.png", 1, "a"),
        (f"{ROOT}/a 1.png", 2, "a"),
        (f"{ROOT}/a 1.png", 3, "a"),
        (f"{ROOT}/b.tar#x.png", 1, "x"),
        (f"{ROOT}/b.tar#y.png", 1, "y"),
        (f"{ROOT}/b.tar#y.png", 2, "y"),
    ]


def test_a_list_in_a_data_set_and_a_file_that_is_missing(served, tmp_path):
    assert read(served, f"{ROOT}/list.csv", tmp_path) == [
        (f"{ROOT}/more/c.png", 1, "c"),
        (f"{ROOT}/gone.png", 1, f"{ROOT}/gone.png does not exist."),
    ]


def test_what_changes_is_seen_by_the_same_process(served, tmp_path):
    done = run(served, ["-c", f"ENDPOINT = {served!r}\n{LIST_TWICE}"], tmp_path)
    assert done.returncode == 0, done.stderr


def test_no_such_data_set_is_one_sentence(served, tmp_path):
    words = [str(DRIVER), "hf://datasets/someone/other", str(tmp_path / "out"), "{}"]
    said = run(served, words, tmp_path).stderr.splitlines()[-1]
    assert said == "got_ocr2.errors.FileAccessError: hf://datasets/someone/other does not exist."
