"""Processes that tests start often, forked from one that has done their imports: what Python and imports take of a
core, a third of a second for a worker and two for a driver that writes to a store, is spent once.

They are processes like any other: killed, waited for, with pipes and an environment of their own. How a worker is
started in earnest is left to tests of the commands, of drivers in processes of their own, and of `fuzz.py`.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

_NUMBER = struct.Struct("q")
_LARGEST = 1 << 17  # bytes of what is asked: most of it is the environment


class Forked:
    """What `ChildProcess` and tests use of `subprocess.Popen`.

    Attributes:
        stdin, stdout: pipes.
        pid: of the process.
        returncode: how it ended, minus the signal if it was killed; None before it is waited for.
    """

    def __init__(self, server: socket.socket, asked: bytes) -> None:
        down, into = os.pipe()
        out, up = os.pipe()
        self._status, status = os.pipe()
        try:
            socket.send_fds(server, [asked], [down, up, status])
        finally:
            for end in (down, up, status):
                os.close(end)
        self.stdin = os.fdopen(into, "wb")
        self.stdout = os.fdopen(out, "rb")
        self.pid = self._heard()
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdin.close()
        self.stdout.close()
        self.wait()

    def poll(self) -> int | None:
        """How it ended, None as long as it runs."""
        with self._lock:
            if self.returncode is None and select.select([self._status], [], [], 0)[0]:
                self._end()
            return self.returncode

    def wait(self) -> int:
        """How it ended, once it has."""
        with self._lock:
            if self.returncode is None:
                self._end()
            assert self.returncode is not None
            return self.returncode

    def kill(self) -> None:
        """SIGKILL; one that has ended does not mind."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _end(self) -> None:
        self.returncode = self._heard()
        os.close(self._status)

    def _heard(self) -> int:
        (number,) = _NUMBER.unpack(os.read(self._status, _NUMBER.size))
        return number


class ForkServer:
    """A process that has imported what it forks."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno()), *modules],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                    "OMP_NUM_THREADS": "1",  # a process of one thread is forked safely
                },
            )
        self._lock = threading.Lock()

    def start(
        self,
        target: str,
        words: Sequence[str] = (),
        *,
        environment: Mapping[str, str],
        cwd: Path,
        errors: str = os.devnull,
    ) -> Forked:
        """Calls a function in a process of its own.

        Args:
            target: "module:function"; it takes nothing.
            words: its `sys.argv`, from 1 on.
            environment: the whole of it.
            cwd: its folder.
            errors: the file that standard error is added to.
        """
        asked = [target, list(words), dict(environment), str(cwd), errors]
        with self._lock:
            return Forked(self._socket, json.dumps(asked).encode())

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


@contextmanager
def fork_server(*modules: str) -> Iterator[ForkServer]:
    """A server of these modules, while this lasts."""
    server = ForkServer(modules)
    try:
        yield server
    finally:
        server.close()


# --- in the server --------------------------------------------------------------------------------------


def _serve(listening: socket.socket) -> None:
    while True:
        asked, ends, _, _ = socket.recv_fds(listening, _LARGEST, 3)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # whose time counts as this process's from now on
                pass
        if not asked:
            return
        if os.fork() == 0:
            listening.close()
            _start(json.loads(asked), ends)
        for end in ends:
            os.close(end)


def _start(asked: list, ends: list[int]) -> None:
    """In a process that stays to say how the one that it starts ends."""
    *streams, status = ends
    pid = os.fork()
    if pid == 0:
        os.close(status)
        _call(asked, streams)
    for stream in streams:
        os.close(stream)
    os.write(status, _NUMBER.pack(pid))
    os.write(status, _NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
    os._exit(0)


def _call(asked: list, streams: list[int]) -> None:
    code = 1
    try:
        target, words, environment, cwd, errors = asked
        streams.append(os.open(errors, os.O_WRONLY | os.O_APPEND | os.O_CREAT))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(cwd)
        sys.argv[1:] = words
        module, _, name = target.partition(":")
        getattr(importlib.import_module(module), name)()
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    for _module in sys.argv[2:]:
        importlib.import_module(_module)
    _serve(socket.socket(fileno=int(sys.argv[1])))
