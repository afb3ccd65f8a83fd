"""Processes that are killed before they can work: no page is to blame, and what may pass is waited for."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest

from got_ocr2.cluster.executors.local import LocalExecutor
from got_ocr2.cluster.workers import process, starts
from got_ocr2.errors import CheckpointError


@pytest.fixture
def killed_at_birth(batch, monkeypatch) -> Callable[[Callable[[int], bool]], list[int]]:
    """`killed_at_birth(lambda number: ...)` kills the processes, from 1 on, of which that says so; their list grows."""

    def install(condemned: Callable[[int], bool]) -> list[int]:
        real, numbers, lock = process.start_python, [], threading.Lock()

        def start(environment):
            with lock:
                numbers.append(len(numbers) + 1)
                number = numbers[-1]
            child = real(environment)
            if condemned(number):
                os.kill(child.pid, signal.SIGKILL)
            return child

        monkeypatch.setattr(process, "start_python", start)
        return numbers

    return install


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(starts, "_PAUSE", 0.01)
    monkeypatch.setattr(starts, "_LONGEST", 0.02)


def test_three_in_a_row_are_enough_where_none_has_worked(documents, batch, killed_at_birth):
    numbers = killed_at_birth(lambda number: True)
    with pytest.raises(
        CheckpointError, match=r"3 processes in a row ended .* the last because it was ended by SIGKILL"
    ):
        batch(documents("pages=3"), workers=1)
    assert len(numbers) == 3


def test_what_passes_is_waited_for_and_costs_no_page_a_try(documents, batch, rows, killed_at_birth):
    given = documents("pages=9 kill=4", "pages=20 text=b")
    batch(given, "whole", workers=1, pages_per_task=3)
    # The first looks and reads until page 4 ends it; the next seven come to nothing.
    numbers = killed_at_birth(lambda number: 1 < number < 9)
    found = batch(given, workers=1, pages_per_task=3)
    assert len(numbers) >= 9
    assert found.total.statuses == {"complete": 28, "failed": 1}

    def told(row):
        return {name: value for name, value in row.items() if name != "seconds"}

    assert [told(row) for row in rows()] == [told(row) for row in rows("whole")]


def test_what_another_worker_has_done_is_proof(documents, batch, killed_at_birth):
    executors: list[LocalExecutor] = []

    def opened(*arguments):
        executors.append(LocalExecutor(*arguments))
        return executors[0]

    numbers = killed_at_birth(lambda number: 2 < number < 8)
    once = threading.Lock()

    def kill_one(progress):
        pid = executors[0].workers[0].supervisor.pid
        if progress.counts.rows and pid is not None and once.acquire(blocking=False):
            os.kill(pid, signal.SIGKILL)

    given = documents("pages=60 slow=0.02")
    found = batch(given, workers=2, pages_per_task=2, open_executor=opened, progress=kill_one)
    assert len(numbers) >= 8
    assert found.total.statuses == {"complete": 60}


def test_patience_ends(documents, batch, killed_at_birth, monkeypatch):
    monkeypatch.setattr(starts, "_PATIENCE", 0.5)
    numbers = killed_at_birth(lambda number: number > 1)
    with pytest.raises(CheckpointError, match="processes in a row ended before they could begin to work"):
        batch(documents("pages=9 kill=4"), workers=1)
    assert len(numbers) > 4


def test_what_an_earlier_run_has_done_is_proof(documents, batch, rows, killed_at_birth):
    given = documents("pages=9 text=a", "pages=9 ill=0")
    batch(given, workers=1, rows_per_shard=4, pages_per_task=2)
    numbers = killed_at_birth(lambda number: number < 6)
    given.with_name("in").joinpath("d1.txt").write_text("pages=9 text=b", "utf-8")
    batch(given, workers=1, rows_per_shard=4, pages_per_task=2, resume=True)
    assert len(numbers) >= 6
    assert [row["status"] for row in rows()] == ["complete"] * 18
