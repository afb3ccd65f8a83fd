"""Processes that tests start often, forked from one that has done their imports: what Python and imports take of a
core, a third of a second for a worker and two for a driver that writes to a store, is spent once.

They come from the fork server of `multiprocessing`. How a worker is started in earnest is left to tests of the
commands, of drivers in processes of their own, and of `fuzz.py`.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path

import pytest

IMPORTS = ["got_ocr2.cluster.workers.child", "fake_page_reader", "batch_driver", "s3fs", "gcsfs"]


class Forked:
    """Calls a function in a process of its own; what `ChildProcess` and tests use of `subprocess.Popen`.

    Attributes:
        stdin, stdout: pipes.
    """

    def __init__(
        self,
        target: str,
        words: Sequence[str] = (),
        *,
        environment: Mapping[str, str],
        cwd: Path,
        errors: str = os.devnull,
    ) -> None:
        """Starts it.

        Args:
            target: "module:function"; it takes nothing.
            words: its `sys.argv`, from 1 on.
            environment: the whole of it.
            cwd: its folder.
            errors: the file that standard error is added to.
        """
        _run_server()
        context = get_context("forkserver")
        (down, into), (out, up) = context.Pipe(duplex=False), context.Pipe(duplex=False)
        called = (target, list(words), dict(environment), str(cwd), errors, down, up)
        self._process = context.Process(target=_call, args=called)
        self._process.start()
        down.close()
        up.close()
        self.stdin, self.stdout = (
            os.fdopen(os.dup(into.fileno()), "wb"),
            os.fdopen(os.dup(out.fileno()), "rb"),
        )
        into.close()
        out.close()
        self._lock = threading.Lock()  # two threads that ask at once would both read how it ended

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdin.close()
        self.stdout.close()
        self.wait()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended, minus the signal if it was killed; None before that is known."""
        return self.poll()

    def poll(self) -> int | None:
        with self._lock:
            return self._process.exitcode

    def wait(self) -> int:
        """How it ended, once it has."""
        wait([self._process.sentinel])  # not by the lock: others kill it meanwhile
        code = self.poll()
        assert code is not None
        return code

    def kill(self) -> None:
        """SIGKILL; one that has ended does not mind."""
        self._process.kill()


def _run_server() -> None:
    """Starts the server if it does not run, with these imports; its path is not told to it before them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        patch.setenv("OMP_NUM_THREADS", "1")  # a process of one thread is forked safely
        forkserver.set_forkserver_preload(IMPORTS)
        forkserver.ensure_running()


def _call(
    target: str,
    words: list[str],
    environment: dict[str, str],
    cwd: str,
    errors: str,
    down: Connection,
    up: Connection,
) -> None:
    with open(errors, "ab") as said:
        for number, stream in enumerate((down, up, said)):
            os.dup2(stream.fileno(), number)
    down.close()
    up.close()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv[1:] = words
    module, _, name = target.partition(":")
    getattr(importlib.import_module(module), name)()
