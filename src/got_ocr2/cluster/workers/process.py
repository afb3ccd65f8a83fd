"""A worker's process as seen from above: started, heard, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from .child import Settings

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


def start_python(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Starts what `child.main` is, in this environment; what it says on standard error is for those who look for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "got_ocr2.cluster.workers.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if os.environ.get("GOT_OCR2_TRACEBACK") else subprocess.DEVNULL,
        env=environment,
    )


class ChildProcess:
    """One process.

    Attributes:
        heard: `time.monotonic()` of its last word.
        started: whether it has said anything; on a busy machine that takes a while.
        opened: whether it has opened its model.
        reading: whether it was asked to read, for which it has to open its model.
    """

    def __init__(self, settings: Settings, threads: int, on_line: Callable[[bytes | None], None]) -> None:
        """Starts it.

        Args:
            settings: what it is told first.
            threads: processor cores that it may use.
            on_line: told every line, in a thread of its own, and None when the process has ended.
        """
        environment = {**os.environ, **dict.fromkeys(_THREADS, str(threads))}
        environment.setdefault("TOKENIZERS_PARALLELISM", "false")
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._process = start_python(environment)
        self._on_line = on_line
        self._lock = threading.Lock()
        self._why: str | None = None
        self.heard = time.monotonic()
        self.started = False
        self.opened = False
        self.reading = False
        threading.Thread(target=self._listen, name="got-ocr2 worker", daemon=True).start()
        self.send(json.dumps(asdict(settings)).encode() + b"\n")

    def send(self, line: bytes) -> None:
        """Says something; a process that has ended does not mind."""
        assert self._process.stdin is not None
        with self._lock, suppress(OSError, ValueError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def kill(self, why: str) -> None:
        """Ends it at once.

        Args:
            why: what `why_ended` says; a part of a sentence.
        """
        if self._why is None:
            self._why = why
        with suppress(OSError):
            self._process.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    def why_ended(self) -> str:
        """How it ended, as a part of a sentence; waits for the end."""
        code = self._process.wait()
        if self._why is not None:
            return self._why
        if code < 0:
            with suppress(ValueError):
                return f"it was ended by {signal.Signals(-code).name}"
        return f"it ended with code {code}"

    def memory(self) -> int:
        """Bytes that it holds; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()
            return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError, ValueError):
            return 0

    def close(self) -> None:
        """Ends it and waits."""
        self.kill("it was closed")
        self.reap()

    def reap(self) -> None:
        """Waits for its end and gives back what it held here."""
        self._process.wait()
        with self._lock, suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                if not line.endswith(b"\n"):
                    break  # it died while it spoke
                self.heard = time.monotonic()
                self._on_line(line)
        self._on_line(None)
