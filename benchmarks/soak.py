"""An hour of the engine and of the server: memory, file handles and threads must stay flat.

    python benchmarks/soak.py [--minutes 60] [--warm-up 10] [--pause 3] [--every 10] [--out FILE.png]

Two processes with the embedded model: one reads with `OCR.read_many`, the other is `got-ocr2 serve`. Both get, again
and again and with a pause between, lines of text, a page that is no picture and a document of several pages; the server
also gets answers in events, clients that leave in the middle, chat requests with nonsense in them, and its own page.
What each process holds is looked at every few seconds. Ends with a JSON line, and with exit code 1 if anything has
grown or a request was not answered as it should.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from serving_clients import ROOT, ask, got_server

from got_ocr2.machine import describe

GOOD = [
    ROOT / "examples" / f"{name}.png" for name in ("segmentation_heading", "huckleberry_line", "lyre_title")
]
BROKEN = b"\x89PNG\r\n\x1a\n no picture"
# What may lie between the second quarter of the time and the last one.
MEMORY_MIB, HANDLES, THREADS = 8.0, 0, 0


@dataclass(frozen=True)
class Sample:
    """What a process holds: seconds since the beginning, MiB of memory, open file handles, threads, things done."""

    seconds: float
    memory: float
    handles: int
    threads: int
    done: int


def several_pages() -> bytes:
    """Three lines as the pages of one TIFF."""
    first, *rest = (Image.open(path).convert("L") for path in GOOD)
    sink = io.BytesIO()
    first.save(sink, "tiff", save_all=True, append_images=rest, compression="tiff_lzw")
    return sink.getvalue()


def read_for_ever(pause: float) -> None:
    """The process of the engine: a line on standard output for every round."""
    from got_ocr2 import OCR

    ocr = OCR.from_pretrained()
    sources = [*map(str, GOOD), BROKEN, several_pages()]
    while True:
        failed = sum(result.status == "failed" for result in ocr.read_many(sources, batch_size=4))
        print(failed, flush=True)
        time.sleep(pause * len(sources))


class Engine:
    """That process, and how many rounds it has done."""

    def __init__(self, pause: float) -> None:
        self.done, self.wrong = 0, 0
        command = [sys.executable, __file__, "--engine", "--pause", str(pause)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.pid = self._process.pid

    async def listen(self) -> None:
        assert self._process.stdout is not None
        while line := await asyncio.to_thread(self._process.stdout.readline):
            self.done += 1
            self.wrong += line.strip() != "1"
        raise SystemExit(f"The engine's process ended with {self._process.wait()}.")

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


class Requests:
    """Asks the server for one thing after another, and counts answers of a wrong kind."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.done = 0
        self.wrong: list[str] = []
        self._tiff = several_pages()

    async def for_ever(self, pause: float) -> None:
        kinds: list[Callable[[], Coroutine[Any, Any, bool]]] = [
            self._whole,
            self._events,
            self._leaves,
            self._broken,
            self._pages,
            self._chat,
            self._nonsense,
            self._upload,
            self._page,
        ]
        while True:
            kind = kinds[self.done % len(kinds)]
            try:
                fine = await kind()
            except httpx.HTTPError as e:
                fine = False
                self.wrong.append(f"{kind.__name__}: {type(e).__name__} {e}")
            if not fine:
                self.wrong.append(f"{kind.__name__}: another answer")
            self.done += 1
            await asyncio.sleep(pause)

    def _picture(self) -> Path:
        return GOOD[self.done // 7 % len(GOOD)]

    async def _whole(self) -> bool:
        return bool((await ask(self._client, self._picture())).text)

    async def _events(self) -> bool:
        return bool((await ask(self._client, self._picture(), events=True)).text)

    async def _leaves(self) -> bool:
        """A client that goes after the first event."""
        file = {"file": ("a.tif", self._tiff)}
        accept = {"Accept": "application/x-ndjson"}
        async with self._client.stream("POST", "/read", files=file, headers=accept) as response:
            async for _ in response.aiter_lines():
                return response.status_code == 200
        return False

    async def _broken(self) -> bool:
        return (await self._client.post("/read", files={"file": ("a.png", BROKEN)})).status_code == 422

    async def _pages(self) -> bool:
        answer = await self._client.post("/read", files={"file": ("a.tif", self._tiff)})
        return answer.status_code == 200 and len(answer.json()["pages"]) == len(GOOD)

    async def _chat(self) -> bool:
        picture = base64.b64encode(self._picture().read_bytes()).decode()
        parts = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}]
        body = {"model": "got-ocr2", "messages": [{"role": "user", "content": parts}]}
        answer = await self._client.post("/v1/chat/completions", json=body)
        return answer.status_code == 200 and bool(answer.json()["choices"][0]["message"]["content"])

    async def _nonsense(self) -> bool:
        answer = await self._client.post("/v1/chat/completions", content=b'{"messages": [[[')
        return 400 <= answer.status_code < 500

    async def _upload(self) -> bool:
        files = {"file": ("a.tif", self._tiff)}
        sent = await self._client.post("/v1/files", files=files, data={"purpose": "ocr"})
        if sent.status_code != 200:
            return False
        gone = await self._client.delete(f"/v1/files/{sent.json()['id']}")
        return gone.status_code == 200

    async def _page(self) -> bool:
        page, numbers = await self._client.get("/"), await self._client.get("/metrics")
        return page.status_code == numbers.status_code == 200


def look(pid: int, seconds: float, done: int) -> Sample:
    """What a process holds now."""
    said = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    memory = int(said["VmRSS"].split()[0]) / 1024
    return Sample(round(seconds, 1), memory, len(os.listdir(f"/proc/{pid}/fd")), int(said["Threads"]), done)


async def soak(minutes: float, pause: float, every: float) -> tuple[dict[str, list[Sample]], list[str]]:
    """Runs both; what they held, by name, and what went wrong."""
    samples: dict[str, list[Sample]] = {"engine": [], "server": []}
    engine = Engine(pause)
    with contextlib.ExitStack() as stack:
        stack.callback(engine.end)
        async with got_server(requests_per_minute=100_000) as server, server.client() as client:
            requests = Requests(client)
            tasks = [asyncio.create_task(engine.listen()), asyncio.create_task(requests.for_ever(pause))]
            start = time.monotonic()
            while (now := time.monotonic() - start) < 60 * minutes:
                samples["engine"].append(look(engine.pid, now, engine.done))
                samples["server"].append(look(server.pid, now, requests.done))
                done, _ = await asyncio.wait(tasks, timeout=every, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
    wrong = [*requests.wrong, *(["engine: another result"] * engine.wrong)]
    return samples, wrong


def growth(samples: list[Sample], warm_up: float) -> dict[str, float]:
    """What the last quarter of the time after the warm-up holds more than the first one, by its median."""
    warm = [one for one in samples if one.seconds >= warm_up]
    quarter = max(1, len(warm) // 4)
    found: dict[str, float] = {}
    for name in ("memory", "handles", "threads"):
        first, last = ([getattr(one, name) for one in part] for part in (warm[:quarter], warm[-quarter:]))
        found[name] = round(statistics.median(last) - statistics.median(first), 2)
        found[f"{name}_at_first"] = round(statistics.median(first), 1)
    found["done"] = samples[-1].done
    return found


def plot(samples: dict[str, list[Sample]], out: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    parts = figure.subplots(3, 1, sharex=True)
    for part, name, label in zip(
        parts, ("memory", "handles", "threads"), ("memory, MiB", "file handles", "threads"), strict=True
    ):
        for process, color in (("engine", "#4878a8"), ("server", "#c97b3c")):
            minutes = [one.seconds / 60 for one in samples[process]]
            part.plot(
                minutes, [getattr(one, name) for one in samples[process]], color=color, label=process, lw=1.2
            )
        part.set(
            ylabel=label,
            ylim=(0, 1.15 * max(getattr(one, name) for both in samples.values() for one in both)),
        )
        part.grid(alpha=0.3)
    parts[0].legend(loc="lower right")
    parts[-1].set_xlabel("minutes")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=90)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--warm-up", type=float, default=10.0, help="minutes that are not judged")
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between two requests")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks")
    parser.add_argument("--out", type=Path, help="a picture of it")
    parser.add_argument("--engine", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.engine:
        read_for_ever(chosen.pause)
    samples, wrong = asyncio.run(soak(chosen.minutes, chosen.pause, chosen.every))
    found = {name: growth(one, 60 * chosen.warm_up) for name, one in samples.items()}
    for name, one in found.items():
        print(
            f"{name}: memory {one['memory']:+.1f} MiB from {one['memory_at_first']:.0f}, file handles "
            f"{one['handles']:+.0f} from {one['handles_at_first']:.0f}, threads {one['threads']:+.0f} from "
            f"{one['threads_at_first']:.0f}; {one['done']} rounds or requests"
        )
    for line in wrong[:20]:
        print(line)
    if chosen.out is not None:
        plot(samples, chosen.out)
    flat = all(
        one["memory"] <= MEMORY_MIB and one["handles"] <= HANDLES and one["threads"] <= THREADS
        for one in found.values()
    )
    print(
        json.dumps(
            {
                "measure": "soak",
                "minutes": chosen.minutes,
                "flat": flat,
                "wrong_answers": len(wrong),
                "growth": found,
                "samples": {name: [[*asdict(s).values()] for s in one[::6]] for name, one in samples.items()},
                "machine": describe(),
            }
        )
    )
    return 0 if flat and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
