"""How the server bears load: throughput, first tokens, overload, clients that vanish; beside a plain wrapper.

Everything is on this machine, over its loopback address, and bounded in count and time. With 200 clients and two
minutes of overload it takes about a quarter of an hour on two cores; `--short` does the same with fewer, for CI.

    python benchmarks/serving.py [--short] [--out FILE]

Exit code 1: an answer was lost, mixed up or of another status than 200, 429 and 503; memory grew; a slot was not freed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from serving_clients import ROOT, Answer, Server, ask, gauges, got_server, plain_server
from serving_report import table

from got_ocr2 import OCR
from got_ocr2.machine import describe

PICTURES = ROOT / "examples"
TOGETHER = (8, 32)  # pictures that `read_many` reads together; the faster counts
ANY_RATE = 1_000_000  # requests a minute: no limit


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        clients: that ask at once for throughput.
        rounds: of throughput.
        lines: of which the first token is timed, beside `pages` clients that read whole pages all the time.
        overload: seconds of four times what the server can do; `plain_overload` for the wrapper.
        vanishing: clients that go away, `wave` at a time; `few` of them before the next answer is timed.
    """

    clients: int = 200
    rounds: int = 2
    lines: int = 40
    pages: tuple[int, ...] = (0, 4, 16)
    overload: float = 120.0
    plain_overload: float = 15.0
    vanishing: int = 500
    wave: int = 100
    few: int = 20


SHORT = Size(24, 1, 6, (0, 4), 8.0, 4.0, 40, 20, 4)


def pictures(least: int, most: int) -> list[Path]:
    """Example pictures that show so many lines of text."""
    found = sorted([*PICTURES.glob("*.png"), *PICTURES.glob("*.jpg")])
    lines = {path: len(path.with_suffix(".txt").read_text("utf-8").splitlines()) for path in found}
    return [path for path in found if least <= lines[path] <= most]


LINE, PART, PAGE = (1, 1), (1, 4), (15, 35)
PARTS = ("throughput", "first_token", "vanishing", "overload")

_READERS: dict[str, OCR] = {}


def read_directly(files: Sequence[Path], together: int) -> tuple[float, list[str]]:
    """`read_many`, in a process that keeps its model: seconds, and the texts."""
    if not _READERS:
        _READERS["one"] = OCR.from_pretrained(max_batch=64)
        list(_READERS["one"].read_many(files[:2]))
    began = time.monotonic()
    texts = [result.text for result in _READERS["one"].read_many(files, batch_size=together)]
    return time.monotonic() - began, texts


class Load:
    """The measurements; what goes wrong is noted in `faults`, what is found in `found`."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.faults: list[str] = []
        self.found: dict[str, Any] = {}
        self.truth: dict[Path, str] = {}

    def check(self, good: bool, said: str) -> None:
        if not good:
            self.faults.append(said)

    async def run(self, parts: Sequence[str]) -> None:
        """Measures these of `PARTS`."""
        async with got_server(requests_per_minute=ANY_RATE, max_queue=1000) as ours, plain_server() as plain:
            for part in parts:
                await getattr(self, part)(ours, plain)
                say(f"{part}: {json.dumps(self.found[part])}")

    # --- throughput ---

    async def throughput(self, ours: Server, plain: Server) -> None:
        """All clients at once, a picture each, beside `read_many` on the same pictures."""
        parts = pictures(*PART)
        files = [parts[i % len(parts)] for i in range(self.size.clients)]
        seconds: dict[str, list[float]] = {}
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            for turn in range(self.size.rounds):
                for together in TOGETHER:
                    say(f"read_many, {len(files)} pictures, {together} together, round {turn + 1}")
                    took, texts = await asyncio.wrap_future(pool.submit(read_directly, files, together))
                    self.truth |= dict(zip(files, texts, strict=True))
                    seconds.setdefault(f"read_many, {together} together", []).append(took)
                for server in (ours, plain):
                    seconds.setdefault(server.name, []).append(await self._burst(server, files))
        rates = {name: len(files) / statistics.median(took) for name, took in seconds.items()}
        best = max(rate for name, rate in rates.items() if name.startswith("read_many"))
        self.found["throughput"] = {
            "clients": len(files),
            "pages_per_second": {name: round(rate, 3) for name, rate in rates.items()},
            "share_of_read_many": round(rates[ours.name] / best, 3),
            "times_plain_wrapper": round(rates[ours.name] / rates[plain.name], 3),
            "seconds": {name: [round(one, 2) for one in took] for name, took in seconds.items()},
        }

    async def _burst(self, server: Server, files: Sequence[Path]) -> float:
        say(f"{server.name}, {len(files)} clients at once")
        async with server.client() as client:
            await ask(client, files[0])
            began = time.monotonic()
            answers = await asyncio.gather(*(ask(client, file) for file in files))
            took = time.monotonic() - began
        for file, answer in zip(files, answers, strict=True):
            self.check(answer.status == 200, f"{server.name}: {answer.status} for {file.name}: {answer.why}")
            right = self.truth.setdefault(file, answer.text)
            self.check(answer.text == right, f"{server.name}: another text of {file.name}")
        return took

    # --- first tokens ---

    async def first_token(self, ours: Server, plain: Server) -> None:
        """Lines of text, one after another, beside clients that read whole pages all the time."""
        self.found["first_token"] = {ours.name: {}, plain.name: {}}
        for pages in self.size.pages:
            await self._first_tokens(ours, pages, events=True)
            if pages <= 4:
                await self._first_tokens(plain, pages, events=False)

    async def _first_tokens(self, server: Server, clients: int, *, events: bool) -> None:
        say(f"{server.name}, first tokens of {self.size.lines} lines beside {clients} pages")
        lines, pages = pictures(*LINE), pictures(*PAGE)
        firsts: list[float] = []
        async with server.client() as client:

            async def long(number: int) -> None:
                while True:
                    answer = await ask(client, pages[number % len(pages)])
                    self.check(
                        answer.status == 200, f"{server.name}: {answer.status} for a page: {answer.why}"
                    )
                    number += clients

            tasks = [asyncio.create_task(long(i)) for i in range(clients)]
            await asyncio.sleep(2)
            began = time.monotonic()
            while len(firsts) < self.size.lines and time.monotonic() - began < 120:
                answer = await ask(client, lines[len(firsts) % len(lines)], events=events)
                self.check(answer.status == 200, f"{server.name}: {answer.status} for a line: {answer.why}")
                firsts.append(answer.first)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await ask(client, lines[0])  # what the others left behind is over
        self.found["first_token"][server.name][f"beside {clients} pages"] = {
            "lines": len(firsts),
            "median": round(statistics.median(firsts), 3),
            "p95": round(_percentile(firsts, 95), 3),
        }

    # --- clients that vanish ---

    async def vanishing(self, ours: Server, plain: Server) -> None:
        """Clients that ask for a page and close their connection at a moment of chance within two seconds."""
        line = pictures(*LINE)[0]
        found: dict[str, Any] = {
            "clients": self.size.vanishing,
            "next_answer_after": {},
            "few": self.size.few,
        }
        async with ours.client() as client:
            memory: list[float] = []
            for first in range(0, self.size.vanishing, self.size.wave):
                say(f"{ours.name}, clients {first + 1} to {first + self.size.wave} vanish")
                await _vanish(client, min(self.size.wave, self.size.vanishing - first))
                memory.append(ours.memory())
            found["slots_free_after"] = await self._slots_free(client)
            answer = await ask(client, line)
            self.check(
                answer.text == self.truth.get(line, answer.text), "after vanished clients: another text"
            )
            self.check(answer.status == 200, f"after vanished clients: {answer.status}")
            found["memory"] = [*map(round, memory), round(ours.memory())]
            early, late = found["memory"][0], found["memory"][-1]
            self.check(late <= 1.1 * early + 50, f"vanishing: memory grew from {early} to {late} MB")
        for server in (ours, plain):
            say(f"{server.name}, {self.size.few} clients vanish")
            async with server.client() as client:
                await _vanish(client, self.size.few)
                found["next_answer_after"][server.name] = round((await ask(client, line)).seconds, 2)
        self.found["vanishing"] = found

    async def _slots_free(self, client: httpx.AsyncClient) -> float:
        """Seconds until nothing is read or waits any more; a fault if that takes a minute."""
        began = time.monotonic()
        while True:
            numbers = await gauges(client)
            left = {name: numbers[name] for name in ("waiting", "running", "engine_rows")}
            passed = time.monotonic() - began
            if not any(left.values()):
                return round(passed, 2)
            if passed > 60:
                self.faults.append(f"vanished clients hold {left}")
                return round(passed, 2)
            await asyncio.sleep(0.05)

    # --- overload ---

    async def overload(self, ours: Server, plain: Server) -> None:
        """Four times what the server can do, at even intervals, whatever becomes of the answers."""
        lines = pictures(*LINE)
        rate = 4 * len(lines) / await self._burst(ours, 4 * lines)
        # Both refusals shall come: half of the requests are too many a minute, most of the others too many at once.
        limits = {"requests_per_minute": max(30, round(120 * rate)), "max_queue": 32}
        found: dict[str, Any] = {"per_second": round(4 * rate, 2), "limits": limits}
        async with got_server(**limits) as limited:
            found[limited.name] = await self._overload(limited, 4 * rate, self.size.overload)
        found[plain.name] = await self._overload(plain, 4 * rate, self.size.plain_overload)
        statuses, memory = found[ours.name]["statuses"], found[ours.name]["memory"]
        self.check(set(statuses) <= {200, 429, 503}, f"overload: statuses {dict(statuses)}")
        self.check(found[ours.name]["without_retry_after"] == 0, "overload: refusals without Retry-After")
        self.check(statuses[200] > 0, "overload: nothing was read")
        early, late = memory["after_a_quarter"], memory["at_the_end"]
        self.check(late <= 1.1 * early + 50, f"overload: memory grew from {early} to {late} MB")
        self.found["overload"] = found

    async def _overload(self, server: Server, rate: float, seconds: float) -> dict[str, Any]:
        say(f"{server.name}, {rate:.1f} requests a second for {seconds:g} s")
        lines = pictures(*LINE)
        tasks: list[asyncio.Task[Answer]] = []
        memory: list[float] = []
        async with server.client() as client:
            await ask(client, lines[0])
            began = time.monotonic()
            while (passed := time.monotonic() - began) < seconds:
                while len(tasks) < passed * rate:
                    tasks.append(asyncio.create_task(ask(client, lines[len(tasks) % len(lines)])))
                memory.append(server.memory())
                await asyncio.sleep(0.1)
            answers = await asyncio.gather(*tasks)
            drained = time.monotonic() - began - seconds
        for i, answer in enumerate(answers):
            if answer.status == 200:
                right = self.truth[lines[i % len(lines)]]
                self.check(answer.text == right, f"{server.name}: another text under overload")
        read = [answer.seconds for answer in answers if answer.status == 200]
        refused = [answer for answer in answers if answer.status in (429, 503)]
        return {
            "seconds": seconds,
            "requests": len(answers),
            "statuses": Counter(answer.status for answer in answers),
            "without_retry_after": sum(not answer.retry_after for answer in refused),
            "read_per_second": round(len(read) / (seconds + drained), 3),
            "p95_of_read": round(_percentile(read, 95), 2),
            "p95_of_refused": round(_percentile([one.seconds for one in refused], 95), 3)
            if refused
            else None,
            "last_answer_after": round(drained, 1),
            "memory": {
                "after_a_quarter": round(memory[len(memory) // 4]),
                "most": round(max(memory)),
                "at_the_end": round(memory[-1]),
            },
        }


async def _vanish(client: httpx.AsyncClient, count: int) -> None:
    chance = random.Random(count)
    pages = pictures(*PAGE)

    async def one(number: int) -> None:
        asking = ask(client, pages[number % len(pages)], events=True)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asking, chance.uniform(0.05, 2))

    await asyncio.gather(*(one(i) for i in range(count)))


def _percentile(values: Sequence[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)] if ordered else float("nan")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the measurements; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="fewer clients and seconds, for CI")
    parser.add_argument("--clients", type=int, help="that ask at once; 200 by default")
    parser.add_argument("--rounds", type=int, help="of throughput; 2 by default")
    parser.add_argument("--overload", type=float, help="seconds of four times too much; 120 by default")
    parser.add_argument("--vanishing", type=int, help="clients that go away; 500 by default")
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="measure this alone; may come several times"
    )
    parser.add_argument("--out", type=Path, help="write the table here as Markdown")
    options = parser.parse_args(arguments)
    names = ("clients", "rounds", "overload", "vanishing")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    load = Load(replace(SHORT if options.short else Size(), **given))
    asyncio.run(load.run([part for part in PARTS if part in (options.only or PARTS)]))
    machine = describe("cpu")
    print(
        f"{machine['processor']}, {machine['cores']} cores; Python {machine['python']}, {machine['packages']}\n"
    )
    print(table(load.found) + "\n")
    if options.out is not None:
        options.out.write_text(table(load.found) + "\n", encoding="utf-8")
    for fault in list(dict.fromkeys(load.faults))[:20]:
        print(f"FAULT: {fault}", file=sys.stderr)
    print(
        json.dumps(
            {
                "benchmark": "serving",
                "size": asdict(load.size),
                "machine": machine,
                "faults": len(load.faults),
                **load.found,
            }
        )
    )
    return 1 if load.faults else 0


if __name__ == "__main__":
    sys.exit(main())
