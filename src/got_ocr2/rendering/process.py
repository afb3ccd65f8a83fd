"""Work on hostile input in a process of its own: native libraries abort on some of it, and would take us along.

The child runs one function of this package on a JSON value and answers with one. It has limits of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import RenderError

_CODE = "import sys; from {package} import run_here; run_here(sys.argv[1], int(sys.argv[2]))"


def run_apart(function: str, argument: Any, *, what: str, seconds: float, megabytes: int = 2048) -> Any:
    """Calls a function in a child process.

    Args:
        function: "module:name" within `rendering`.
        argument: any JSON value.
        what: what is worked on, for messages: "The score".
        seconds: how long it may take.
        megabytes: how much address space the child may have, where the system keeps such limits.

    Returns:
        What the function returned, a JSON value.

    Raises:
        RenderError: it took too long, ended by itself, or refused the argument with a sentence.
    """
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    code = _CODE.format(package=__name__)
    with tempfile.TemporaryDirectory() as empty:
        try:
            done = subprocess.run(
                [sys.executable, "-c", code, function, str(megabytes)],
                input=json.dumps(argument).encode(), capture_output=True, timeout=seconds, cwd=empty, env=environment,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as e:
            raise RenderError(f"{what} took longer than {seconds:g} seconds to draw.") from e
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise RenderError(
            f"{what} cannot be drawn: the program that draws it ended with code {done.returncode}."
        )
    answer = json.loads(lines[-1])
    if "error" in answer:
        raise RenderError(answer["error"])
    return answer["value"]


def run_here(function: str, megabytes: int) -> None:
    """The child's side."""
    try:
        import resource

        limit = megabytes * 1024**2
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except ImportError:  # Windows has no such limits
        pass
    argument = json.loads(sys.stdin.buffer.read())
    module, _, name = function.partition(":")
    try:
        answer = {"value": getattr(import_module(f".{module}", __package__), name)(argument)}
    except RenderError as e:
        answer = {"error": str(e)}
    except MemoryError:
        answer = {"error": f"It needs more than {megabytes} MB of memory to be drawn."}
    sys.stdout.buffer.write(b"\n" + json.dumps(answer).encode() + b"\n")
