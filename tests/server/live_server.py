"""A server on loopback, in this process, around a model whose answers the tests write down."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from got_ocr2.ocr import OCR
from got_ocr2.server.app import create_app
from got_ocr2.server.auth import Keys
from got_ocr2.server.settings import Settings


@dataclass
class Live:
    """A server that answers.

    Attributes:
        url: where.
        http: a client of it.
        state: what its routes share.
    """

    url: str
    http: httpx.Client
    ocr: OCR
    state: Any
    server: uvicorn.Server


class _Server(uvicorn.Server):
    """uvicorn's, which looks ten times a second for its end: each test would wait for that."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(0.005)


@contextmanager
def live(ocr: OCR, settings: Settings, keys: Keys | None = None, **more: Any) -> Iterator[Live]:
    """Runs a server as long as the block."""
    app = create_app(ocr, settings, keys, **more)
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, timeout=20, trust_env=False, verify=NO_CERTIFICATES) as http:
            wait_for(lambda: server.started)
            yield Live(url, http, ocr, app.state.server, server)
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
        assert not thread.is_alive()


NO_CERTIFICATES = False
"""Servers of tests speak plain HTTP: reading the certificates of every authority takes longer than to start one."""

LONG = " ".join(map(str, range(250)))
"""A text of 890 tokens without a loop."""


def slowed(ocr: OCR, seconds: float) -> OCR:
    """Every step of the engine takes so long at least."""
    forward = ocr.runner.forward

    def slow(*given: Any) -> Any:
        time.sleep(seconds)
        return forward(*given)

    ocr.runner.forward = slow
    return ocr


def wait_for(ready: Callable[[], object], seconds: float = 10) -> None:
    """Waits until something holds.

    Raises:
        AssertionError: it does not.
    """
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.01)
