"""The parent's side of `worker`: start a process, ask it, end it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import GotOcr2Error
from .worker import Spec

if TYPE_CHECKING:
    from typing_extensions import Self

# glibc gives memory above 128 KiB back to the system at once and pays for its pages again the next time; with these it
# keeps it. A baseline that allocates its temporaries anew at every layer gains most.
TUNED_MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(256 << 20),
}


WORKER = f"{__package__}.worker"
"""The module that a worker runs."""


class Worker:
    """A process that holds one variant of a model; use it in a `with` block."""

    def __init__(
        self,
        spec: Spec,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", WORKER),
    ) -> None:
        """Starts loading; the first request waits for it.

        Args:
            spec: what to load.
            environment: variables over this process's own, such as `TUNED_MALLOC`.
            program: arguments of Python before the specification: what calls `worker.main`.
        """
        self.spec = spec
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, *program, json.dumps(asdict(spec))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "OMP_NUM_THREADS": str(spec.threads), **(environment or {})},
            encoding="utf-8",
        )
        self._ready = False

    def wait(self) -> dict[str, Any]:
        """Waits until the model is loaded.

        Raises:
            GotOcr2Error: it cannot be loaded.
        """
        self._ready = True
        return self._answer()

    def ask(self, task: str, **arguments: Any) -> dict[str, Any]:
        """Runs a task of `worker.TASKS` and returns its answer.

        Raises:
            GotOcr2Error: the task failed or the process ended.
        """
        if not self._ready:
            self.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either, which says more
            self._process.stdin.write(json.dumps({"task": task, **arguments}) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        name = self.spec.variant.label
        if not line:
            code = self._process.wait()
            self._log.seek(0)
            said = self._log.read().strip().splitlines()
            last = f": {said[-1]}" if said else ", perhaps for want of memory."
            raise GotOcr2Error(f"The process that measures {name} ended with code {code}{last}")
        answer = json.loads(line)
        if "error" in answer:
            raise GotOcr2Error(f"{name} cannot be measured: {answer['error']}.")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()
        self._log.close()
