"""kill -9 of drivers and workers at random moments: every page is there exactly once, and nothing half-written.

`benchmarks/faults.py` does the same 50 times with 1,000 pages.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from got_ocr2.cluster.executors.local import LocalExecutor

DRIVER = Path(__file__).parents[1] / "batch_driver.py"
SETTINGS = {"rows_per_shard": 10, "pages_per_task": 3, "workers": 2}
PAGES = ("pages=40 slow=0.05 text=a bad=7", "pages=1", "pages=19 slow=0.05 text=b")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(output: Path) -> int:
    """Files of tasks, shards and manifests: it only grows but where tasks become a shard."""
    folders = (output / folder for folder in ("tasks", "shards", "manifest"))
    return sum(len(names) for folder in folders for _, _, names in os.walk(folder))


def processes_of(output: Path) -> list[int]:
    """Workers whose driver was killed are started with the output folder among their settings, so look at parents."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes()
                cwd = os.readlink(entry / "cwd")
            except OSError:
                continue
            if b"got_ocr2.cluster.workers.child" in words and cwd == str(output.parent):
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for processes in /proc")
def test_a_driver_that_is_killed_again_and_again(documents, batch, rows, tmp_path):
    given = documents(*PAGES)
    batch(given, "whole", **SETTINGS)
    draw = random.Random(7)
    command = [sys.executable, str(DRIVER), str(given), str(tmp_path / "out"), json.dumps(SETTINGS)]
    kills = 0
    while True:
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as driver:
            enough = written(tmp_path / "out") + draw.randint(1, 9)
            while driver.poll() is None and (written(tmp_path / "out") < enough or kills == 3):
                time.sleep(draw.uniform(0.0, 0.1))
            driver.kill()
            _, said = driver.communicate()
        if driver.returncode == 0:
            break
        assert driver.returncode == -signal.SIGKILL, said.decode()
        kills += 1
    assert kills
    assert contents(tmp_path / "out" / "shards") == contents(tmp_path / "whole" / "shards")
    assert contents(tmp_path / "out" / "manifest") == contents(tmp_path / "whole" / "manifest")
    assert len(rows()) == 60
    assert not [*(tmp_path / "out").rglob(".part-*")]
    deadline = time.monotonic() + 20
    while processes_of(tmp_path / "out"):
        assert time.monotonic() < deadline, "workers outlive their driver"
        time.sleep(0.1)


def test_workers_that_are_killed(documents, batch, tmp_path):
    given = documents(*PAGES)
    batch(given, "whole", **SETTINGS)
    executors: list[LocalExecutor] = []
    killed: list[int] = []
    over = threading.Event()

    def opened(*arguments):
        executors.append(LocalExecutor(*arguments))
        return executors[0]

    def kill():
        draw = random.Random(3)
        while len(killed) < 3 and not over.wait(draw.uniform(0.0, 0.3)):
            workers = [worker for executor in executors for worker in executor.workers]
            pids = [worker.supervisor.pid for worker in workers if worker.supervisor.pid is not None]
            if pids and progress and progress[-1].counts.rows:
                killed.append(draw.choice(pids))
                with suppress(ProcessLookupError):
                    os.kill(killed[-1], signal.SIGKILL)

    progress = []
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        batch(given, "out", open_executor=opened, progress=progress.append, **{**SETTINGS, "retries": 9})
    finally:
        over.set()
        killer.join()
    assert killed
    assert contents(tmp_path / "out" / "shards") == contents(tmp_path / "whole" / "shards")
