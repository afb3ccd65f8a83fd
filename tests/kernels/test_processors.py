"""The number of threads to start with."""

from __future__ import annotations

import pytest

from got_ocr2.kernels import cpu_cores as processors


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of 8 processors, two to a core."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(processors, "_processors", lambda: set(range(8)))
    for number in range(8):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{number}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{number % 4},{number % 4 + 4}\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    return tmp_path


def test_cores_count_once(machine):
    assert processors.default_threads(machine) == 4


@pytest.mark.parametrize(
    ("quota", "threads"),
    [("max 100000", 4), ("150000 100000", 2), ("20000 100000", 1), ("900000 100000", 4), ("nonsense", 4)],
)
def test_a_container_may_have_less(machine, quota, threads):
    (machine / "sys/fs/cgroup/cpu.max").write_text(quota + "\n")
    assert processors.default_threads(machine) == threads


@pytest.mark.parametrize(("asked", "threads"), [("3", 3), ("2,1", 2), ("0", 4), ("many", 4), ("", 4)])
def test_the_usual_variable_counts(machine, monkeypatch, asked, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert processors.default_threads(machine) == threads


def test_a_system_that_does_not_tell(machine, tmp_path):
    assert processors.default_threads(tmp_path / "nothing") == 8


def test_this_machine(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert processors.default_threads() >= 1
