"""Work on hostile input in a process of its own: native libraries abort on some of it, and would take us along.

The child runs functions of this package on JSON values and answers with one each. It has limits of its own, serves the
jobs that follow one another, since its imports cost more than a job, and ends when it has nothing to do. A job that
fails by the child's death is done once more by a new child, so that no score suffers from one before it.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import IO, Any

from ..errors import RenderError

_MEGABYTES = 2048  # of address space, where the system has such limits
_IDLE = 30.0  # seconds without a job, after which the child ends
_MOST_JOBS = 200  # that one child does: libraries leak
_CODE = "from {package} import serve; serve()"


def run_apart(function: str, argument: Any, *, what: str, seconds: float) -> Any:
    """Calls a function in a child process.

    Args:
        function: "module:name" within `rendering`.
        argument: any JSON value.
        what: what is worked on, for messages: "The score".
        seconds: how long it may take.

    Returns:
        What the function returned, a JSON value.

    Raises:
        RenderError: it took too long, ended by itself, or refused the argument with a sentence.
    """
    child = _taken()
    used = child.jobs > 0
    answer = child.ask([function, argument], seconds)
    if answer is None and used and not child.too_slow:
        child = _Child()
        answer = child.ask([function, argument], seconds)
    if answer is None:
        if child.too_slow:
            raise RenderError(f"{what} took longer than {seconds:g} seconds to draw.")
        raise RenderError(f"{what} cannot be drawn: the program that draws it ended with code {child.code}.")
    _give_back(child)
    if "error" in answer:
        raise RenderError(answer["error"])
    return answer["value"]


class _Child:
    def __init__(self) -> None:
        self.jobs = 0
        self.too_slow = False
        self.code: int | None = None
        path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
        self._folder = tempfile.TemporaryDirectory()  # empty, so that there is nothing near to open or import
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CODE.format(package=__name__)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self._folder.name,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def ask(self, job: list[Any], seconds: float) -> dict[str, Any] | None:
        """The child's answer, or None if it has ended."""
        self.jobs += 1
        timer = Timer(seconds, self._stop)
        timer.daemon = True
        timer.start()
        line = b""
        try:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:  # it is gone; its code tells more
            pass
        finally:
            timer.cancel()
        if line.endswith(b"\n"):
            return json.loads(line)
        self.close()
        return None

    def _stop(self) -> None:
        self.too_slow = True
        self._process.kill()

    def close(self) -> None:
        """Ends it, and waits until it has."""
        for stream in (self._process.stdin, self._process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:  # what was not yet written goes nowhere
                pass
        try:
            self.code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.code = self._process.wait()
        self._folder.cleanup()


_idle: dict[int, _Child] = {}  # by the process that started it: a fork of us has none at first


def _taken() -> _Child:
    return _idle.pop(os.getpid(), None) or _Child()


def _give_back(child: _Child) -> None:
    if child.too_slow or child.jobs >= _MOST_JOBS or _idle.setdefault(os.getpid(), child) is not child:
        child.close()


def close_idle() -> None:
    """Ends the child that waits for another job, if there is one."""
    child = _idle.pop(os.getpid(), None)
    if child is not None:
        child.close()


atexit.register(close_idle)


def serve() -> None:
    """The child's side: a job a line on standard input, an answer a line on what was standard output."""
    answers = _private_output()
    try:
        import resource

        limit = _MEGABYTES * 1024**2
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except ImportError:  # Windows has no such limits
        pass
    while True:
        idle = Timer(_IDLE, os._exit, (0,))
        idle.daemon = True
        idle.start()
        line = sys.stdin.buffer.readline()
        idle.cancel()
        if not line:
            return
        function, argument = json.loads(line)
        answers.write(json.dumps(_answer(function, argument)).encode() + b"\n")
        answers.flush()


def _private_output() -> IO[bytes]:
    """Standard output under another number, so that what libraries print does not get among the answers."""
    private = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return private


def _answer(function: str, argument: Any) -> dict[str, Any]:
    module, _, name = function.partition(":")
    try:
        return {"value": getattr(import_module(f".{module}", __package__), name)(argument)}
    except RenderError as e:
        return {"error": str(e)}
    except MemoryError:
        return {"error": f"It needs more than {_MEGABYTES} MB of memory to be drawn."}
