"""Hostile inputs, each in a process with limits: nothing may end in a traceback, hang, or be lost.

    python benchmarks/hostile_inputs.py --seed 0 --count 10000

Pictures, PDFs, checkpoint files, markup and requests to the server are changed at random (`hostile.py`), always in the
same way for a seed. Each must be read, or refused in one sentence. Printed are the faults with the number of their
input, and what was found of each kind; the last line is JSON. The exit code is 1 if there was a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import random
import resource
import select
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from got_ocr2.errors import GotOcr2Error

FAULTS = ("traceback", "hang", "crash", "not one sentence", "printed", "lost")


def main(arguments: list[str] | None = None) -> int:
    asked = parser().parse_args(arguments)
    if asked.worker is not None:
        _work(asked.worker, asked.seed, asked.megabytes, asked.kinds.split(","))
        return 0
    found = run(asked)
    print(json.dumps(found, ensure_ascii=False))
    return 1 if found["faults"] else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--count", type=int, default=10_000, help="inputs, of every kind in turn")
    made.add_argument("--first", type=int, default=0, help="number of the first input")
    made.add_argument("--kinds", default="", help="only these, such as tiff,pdf")
    made.add_argument("--workers", type=int, default=1, help="processes that take inputs")
    made.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        help="of processor time, after which an input counts as hanging",
    )
    made.add_argument("--megabytes", type=int, default=2048, help="of address space an input may take")
    made.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    return made


def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Hands out all inputs that `asked` describes, by the names of the command line; what came of them."""
    from hostile import KINDS

    kinds = [name for name in asked.kinds.split(",") if name] or [*KINDS]
    outcomes: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    faults: list[dict[str, Any]] = []
    slowest, peak, began = (0.0, -1), (0, -1), time.monotonic()
    for number, kind, answer in _answers(asked, kinds):
        outcomes[kind][answer["outcome"]] += 1
        slowest = max(slowest, (answer.get("seconds", 0.0), number))
        peak = max(peak, (answer.get("growth", 0), -number))  # the first that came so far
        if answer["outcome"] in FAULTS:
            faults.append({"number": number, "kind": kind, **answer})
            print(f"input {number}, {kind}: {answer['outcome']}: {answer.get('said', '')}", flush=True)
    for kind, found in outcomes.items():
        print(f"{kind:12} " + ", ".join(f"{name} {count}" for name, count in sorted(found.items())))
    total = sum(outcomes.values(), Counter[str]())
    return {
        "seed": asked.seed, "first": asked.first, "count": asked.count, "kinds": kinds,
        **{name.replace(" ", "_"): total[name] for name in ("read", "refused", *FAULTS)},
        "slowest_processor_seconds": round(slowest[0], 2), "slowest_input": slowest[1],
        "peak_megabytes_over_start": round(peak[0] / 2**20), "peak_input": -peak[1],
        "seconds": round(time.monotonic() - began),
        "by_kind": {kind: dict(found) for kind, found in outcomes.items()}, "faults": faults[:100],
    }  # fmt: skip


def _answers(asked: argparse.Namespace, kinds: list[str]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Numbers, kinds and answers of all inputs, as they come."""
    numbers, answers = queue.SimpleQueue[int](), queue.SimpleQueue[Any]()
    for number in range(asked.first, asked.first + asked.count):
        numbers.put(number)

    def take() -> None:
        with _Worker(asked) as worker, contextlib.suppress(queue.Empty):
            while True:
                number = numbers.get_nowait()
                kind = kinds[number % len(kinds)]
                answers.put((number, kind, worker.ask(number, kind)))

    threads = [threading.Thread(target=take, daemon=True) for _ in range(asked.workers)]
    for thread in threads:
        thread.start()
    for _ in range(asked.count):
        yield answers.get()
    for thread in threads:
        thread.join()


class _Worker:
    """A process that takes one input after another, started again when it dies or is stopped."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self._asked, self._process = asked, None

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def ask(self, number: int, kind: str) -> dict[str, Any]:
        process = self._process or self._start()
        began = time.monotonic()
        process.stdin.write(f"{number} {kind}\n".encode())
        process.stdin.flush()
        line = self._line(process, self._asked.seconds)
        if line:
            return json.loads(line)
        hangs = process.poll() is None
        self._stop()
        return {
            "outcome": "hang" if hangs else "crash", "seconds": time.monotonic() - began,
            "said": f"after {time.monotonic() - began:.0f} s" if hangs else f"code {process.returncode}",
        }  # fmt: skip

    def _start(self) -> Any:
        command = [sys.executable, __file__, "--seed", self._asked.seed, "--megabytes", self._asked.megabytes]
        ours, theirs = os.pipe()
        words = [str(word) for word in (*command, "--kinds", self._asked.kinds, "--worker", theirs)]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=[theirs])
        os.close(theirs)
        self._process, self._answers, self._rest = process, ours, b""
        if not self._line(process, 600):
            raise SystemExit("The worker does not start.")
        return process

    def _line(self, process: Any, seconds: float) -> bytes:
        """The next line, or nothing if the process has ended, worked so long, or slept twenty times as long."""
        until, spent = time.monotonic() + 20 * seconds, _processor_time(process.pid) + seconds
        while b"\n" not in self._rest:
            if not select.select([self._answers], [], [], 1.0)[0]:
                if time.monotonic() > until or _processor_time(process.pid) > spent:
                    return b""
                continue
            data = os.read(self._answers, 1 << 16)
            if not data:
                process.wait()
                return b""
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            os.close(self._answers)
            self._process = None


def _processor_time(pid: int) -> float:
    """Seconds that a process has worked (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _work(answers: int, seed: int, megabytes: int, kinds: list[str]) -> None:
    warnings.simplefilter("ignore")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import hostile

    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryFile() as printed:
        folder = Path(name)
        hostile.pictures()
        for kind in (
            kinds if kinds != [""] else hostile.KINDS
        ):  # what is imported and opened once is no input's fault
            _outcome(hostile.ACTIONS[kind], kind, random.Random(kind), folder)
        for stream in (1, 2):  # what C libraries print is caught
            os.dup2(printed.fileno(), stream)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (megabytes << 20),) * 2)
        start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.write(answers, b"ready\n")
        for line in sys.stdin:
            number, kind = line.split()
            before = os.lseek(printed.fileno(), 0, os.SEEK_END)
            began = time.process_time()
            answer = _outcome(hostile.ACTIONS[kind], kind, random.Random(f"{seed}:{number}"), folder)
            answer["seconds"] = time.process_time() - began
            answer["growth"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) << 10
            sys.stdout.flush()
            after = os.lseek(printed.fileno(), 0, os.SEEK_END)
            if after > before and answer["outcome"] not in FAULTS:
                said = os.pread(printed.fileno(), min(after - before, 300), before).decode(errors="replace")
                answer |= {"outcome": "printed", "said": said}
            os.write(answers, json.dumps(answer).encode() + b"\n")


def _outcome(action: Any, kind: str, rng: random.Random, folder: Path) -> dict[str, Any]:
    said: list[str] = []
    try:
        said += action(kind, rng, folder)
    except GotOcr2Error as e:
        said.append(str(e))
    except AssertionError as e:
        return {"outcome": "lost", "said": str(e)}
    except BaseException as e:
        where = traceback.extract_tb(e.__traceback__)[-1]
        return {
            "outcome": "traceback",
            "said": f"{type(e).__name__}: {str(e)[:200]} ({Path(where.filename).name}:{where.lineno})",
        }  # fmt: skip
    wrong = [text for text in said if not is_sentence(text)]
    if wrong:
        return {"outcome": "not one sentence", "said": wrong[0][:300]}
    return {"outcome": "refused" if said else "read", "said": said[0][:200] if said else ""}


def is_sentence(text: str) -> bool:
    """One line of printable text that ends as a sentence does."""
    return (
        text.isprintable() and text.endswith((".", '."')) and 0 < len(text) < 2000 and "Traceback" not in text
    )


if __name__ == "__main__":
    sys.exit(main())
