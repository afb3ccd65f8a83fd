"""The thread pool through its C interface: regions, barriers, tasks, nesting, several callers, fork."""

from __future__ import annotations

import ctypes
import os
import threading
import time

import pytest

from got_ocr2 import kernels
from got_ocr2.errors import InvalidOptionError

pytestmark = pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))

TEAM = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_int)


@pytest.fixture(autouse=True)
def _restore_threads():
    before = kernels.threads()
    yield
    kernels.set_threads(before)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_member_runs_once_and_barriers_hold(count):
    lib = kernels.native()
    kernels.set_threads(count)
    assert kernels.threads() == count
    turns: list[list[int]] = [[0] * count for _ in range(20)]
    broken: list[str] = []

    @TEAM
    def body(_ctx, thread, n_threads):
        if n_threads != count:
            broken.append(f"{n_threads} members")
        for turn in turns:
            turn[thread] += 1
            lib.got_barrier()
            if turn != [1] * count:
                broken.append(f"{thread} sees {turn}")
            lib.got_barrier()

    for _ in range(3):
        turns = [[0] * count for _ in range(20)]
        lib.got_team(body, None)
        assert not broken


def test_a_late_member_is_waited_for_asleep():
    lib = kernels.native()
    kernels.set_threads(3)
    seen: list[int] = []

    @TEAM
    def body(_ctx, thread, _n):
        if thread == 1:
            time.sleep(0.05)
            seen.append(thread)
        lib.got_barrier()
        assert seen == [1]

    lib.got_team(body, None)
    assert seen == [1]


def test_every_task_is_done_once():
    lib = kernels.native()
    kernels.set_threads(4)
    done: list[int] = []
    lib.got_parallel(TASK(lambda _ctx, task, _thread: done.append(task)), None, 100)
    assert sorted(done) == list(range(100))
    lib.got_parallel(TASK(lambda _ctx, task, _thread: done.append(task)), None, 0)
    assert len(done) == 100


def test_a_region_inside_a_region_runs_alone():
    lib = kernels.native()
    kernels.set_threads(3)
    sizes: list[int] = []

    @TEAM
    def inner(_ctx, _thread, n_threads):
        lib.got_barrier()
        sizes.append(n_threads)

    @TEAM
    def outer(_ctx, _thread, n_threads):
        lib.got_team(inner, None)
        lib.got_barrier()
        sizes.append(n_threads)

    lib.got_team(outer, None)
    assert sorted(sizes) == [1, 1, 1, 3, 3, 3]


def test_several_callers_take_turns():
    lib = kernels.native()
    kernels.set_threads(3)
    done: list[int] = []
    task = TASK(lambda _ctx, number, _thread: done.append(number))
    callers = [threading.Thread(target=lib.got_parallel, args=(task, None, 50)) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(done) == sorted(list(range(50)) * 6)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_starts_its_own_team():
    lib = kernels.native()
    kernels.set_threads(3)
    done: list[int] = []
    task = TASK(lambda _ctx, number, _thread: done.append(number))
    lib.got_parallel(task, None, 10)
    child = os.fork()
    if child == 0:
        lib.got_parallel(task, None, 10)
        os._exit(0 if len(done) == 20 and kernels.threads() == 3 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("count", [0, 257])
def test_refused_numbers_of_threads(count):
    with pytest.raises(InvalidOptionError, match=f"is {count}; it must be between 1 and 256"):
        kernels.set_threads(count)
