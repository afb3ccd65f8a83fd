"""Fixtures for runs with a reader that has no model, in processes of their own as in earnest."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_page_reader import TARGET
from forked_processes import Forked
from got_ocr2.cluster.driver import OpenExecutor, Told, run
from got_ocr2.cluster.executors.local import LocalExecutor
from got_ocr2.cluster.options import BatchOptions
from got_ocr2.cluster.progress import Progress
from got_ocr2.cluster.workers import process


def forked_worker(environment: dict[str, str]) -> Forked:
    """Starts a worker in no time."""
    return Forked("got_ocr2.cluster.workers.child:main", environment=environment, cwd=Path.cwd())


@pytest.fixture
def documents(tmp_path: Path) -> Callable[..., Path]:
    """`documents("pages=3", "pages=9 kill=4", ...)`: a list of files d0.txt, d1.txt ... in a folder of their own."""

    def make(*contents: str) -> Path:
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        for number, content in enumerate(contents):
            (folder / f"d{number}.txt").write_text(content, "utf-8")
        path = tmp_path / "list.csv"
        path.write_text("path\n" + "".join(f"in/d{n}.txt\n" for n in range(len(contents))), "utf-8")
        return path

    return make


@pytest.fixture
def batch(tmp_path: Path, monkeypatch) -> Callable[..., Any]:
    """`batch(list, "out", workers=2, ...)` runs; `batch.said` holds what was noted, `batch.lines` the progress."""

    def start(
        inputs: Path,
        output: str = "out",
        *,
        resume: bool = False,
        retry_failed: bool = False,
        open_executor: OpenExecutor = LocalExecutor,
        progress: Callable[[Progress], object] = lambda progress: None,
        **options: Any,
    ) -> Progress:
        start.said = []
        chosen = {"reader": TARGET, "shards": "jsonl", "retries": 0, "threads": 1, **options}
        return run(
            [str(inputs)],
            output if "://" in output else tmp_path / output,
            BatchOptions(**chosen),
            resume=resume,
            retry_failed=retry_failed,
            open_executor=open_executor,
            told=Told(start.said.append, progress),
            picture=False,
        )

    start.said = []
    if sys.platform == "linux":
        monkeypatch.setattr(process, "start_python", forked_worker)
    return start


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """`rows("out")`: all rows of a run, in order."""

    def read(output: str = "out") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for path in sorted((tmp_path / output / "shards").glob("*.jsonl")):
            found += [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
        return found

    return read
