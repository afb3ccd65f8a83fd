"""Servers as processes of their own, and clients that ask them: what `serving.py` is made of."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
KEY = "a-key-for-measuring-only"
LONGEST = 600.0  # seconds that a client waits for anything


@dataclass(frozen=True)
class Answer:
    """What became of one request.

    Attributes:
        status: HTTP's; 0 where the connection broke, 599 where an answer broke off after its first event.
        text: what was read.
        seconds: from sending to the end of the answer.
        first: seconds to the first characters of the text, for answers in events; else as `seconds`.
        retry_after: a refusal said when to come again.
        why: what went wrong.
    """

    status: int
    text: str
    seconds: float
    first: float
    retry_after: bool = False
    why: str = ""


class Server:
    """One server on a loopback port."""

    def __init__(self, name: str, command: Sequence[str], port: int) -> None:
        self.name = name
        self.address = f"http://127.0.0.1:{port}"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        environment = {**os.environ, "GOT_OCR2_API_KEYS": KEY}
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=environment, cwd=ROOT
        )

    async def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + 300
        async with self.client() as client:
            while time.monotonic() < until:
                if self._process.poll() is not None:
                    self._log.seek(0)
                    raise SystemExit(
                        f"{self.name} ended: {self._log.read()[-2000:].decode(errors='replace')}"
                    )
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/health")).status_code == 200:
                        return
                await asyncio.sleep(0.2)
        raise SystemExit(f"{self.name} does not answer.")

    def client(self) -> httpx.AsyncClient:
        """Connections without limit, so that a request is a client of its own."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        return httpx.AsyncClient(
            base_url=self.address,
            headers={"Authorization": f"Bearer {KEY}"},
            limits=limits,
            timeout=LONGEST,
            trust_env=False,
        )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def memory(self) -> float:
        """What the process holds, in MB; 0 where the system does not tell."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text("ascii").splitlines():
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def end(self) -> int:
        """SIGTERM, and the exit code."""
        self._process.terminate()
        try:
            return self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._log.close()


@contextlib.asynccontextmanager
async def got_server(**limits: int) -> AsyncGenerator[Server]:
    """`got-ocr2 serve`, with limits such as `max_queue`."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as data:
        options = [
            part for name, value in limits.items() for part in (f"--{name.replace('_', '-')}", str(value))
        ]
        command = [sys.executable, "-m", "got_ocr2", "serve", "--port", str(port), "--data", data, *options]
        async with _running(Server("got-ocr2 serve", command, port)) as server:
            yield server


@contextlib.asynccontextmanager
async def plain_server() -> AsyncGenerator[Server]:
    """The plain wrapper."""
    port = _free_port()
    command = [sys.executable, str(ROOT / "benchmarks/plain_wrapper.py"), str(port)]
    async with _running(Server("plain wrapper", command, port)) as server:
        yield server


@contextlib.asynccontextmanager
async def _running(server: Server) -> AsyncGenerator[Server]:
    try:
        await server.wait()
        yield server
    finally:
        await asyncio.to_thread(server.end)


async def ask(client: httpx.AsyncClient, picture: Path, *, events: bool = False) -> Answer:
    """Sends a picture to `/read`, and waits for its whole answer.

    Args:
        client: of a server.
        picture: the file.
        events: ask for the text as it is written.
    """
    began = time.monotonic()
    accept = "application/x-ndjson" if events else "application/json"
    file = {"file": (picture.name, picture.read_bytes())}
    first: float | None = None
    try:
        async with client.stream("POST", "/read", files=file, headers={"Accept": accept}) as response:
            if response.status_code != 200:
                await response.aread()
                there = "retry-after" in response.headers
                return Answer(
                    response.status_code, "", time.monotonic() - began, 0, there, response.text[:300]
                )
            if not events:
                text = json.loads(await response.aread())["text"]
                seconds = time.monotonic() - began
                return Answer(200, text, seconds, seconds)
            async for line in response.aiter_lines():
                event = json.loads(line)
                if event["type"] == "text" and first is None:
                    first = time.monotonic() - began
                elif event["type"] == "error":
                    return Answer(599, "", time.monotonic() - began, 0, False, line[:300])
                elif event["type"] == "document":
                    seconds = time.monotonic() - began
                    return Answer(200, event["result"]["text"], seconds, first or seconds)
    except httpx.HTTPError as e:
        return Answer(0, "", time.monotonic() - began, 0, False, f"{type(e).__name__}: {e}")
    return Answer(599, "", time.monotonic() - began, 0, False, "The answer has no end.")


async def gauges(client: httpx.AsyncClient) -> dict[str, float]:
    """The numbers of `/metrics` that have no labels, without the package's prefix."""
    found: dict[str, float] = {}
    for line in (await client.get("/metrics")).text.splitlines():
        name, _, value = line.partition(" ")
        if name.startswith("got_ocr2_") and "{" not in name:
            found[name.removeprefix("got_ocr2_")] = float(value)
    return found


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]
