"""The server in replicas of Ray Serve: more with the load, fewer without, and running requests are answered at the end.

As in `test_ray.py`, left out by default: `pip install ".[test,ray]"` and `pytest -m ray`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from got_ocr2.cluster.serving import NAME, Replicas, application, serve
from ray_processes import quiet

if TYPE_CHECKING:
    from fastapi import FastAPI

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
LONGEST = 180.0  # seconds for anything on a busy machine


def make() -> FastAPI:
    """An app that takes its time and says which replica it is in."""
    import asyncio

    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/wait")
    async def wait(seconds: float) -> int:
        await asyncio.sleep(seconds)
        return os.getpid()

    return app


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture
def port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def ask(port: int, seconds: float) -> httpx.Response:
    address = f"http://127.0.0.1:{port}/wait"
    return httpx.get(address, params={"seconds": seconds}, timeout=LONGEST, trust_env=False)


def answers(port: int) -> bool:
    try:
        return ask(port, 0).status_code == 200
    except httpx.HTTPError:
        return False


def replicas() -> int:
    from ray import serve as ray_serve

    states = ray_serve.status().applications[NAME].deployments[NAME].replica_states
    return sum(states.values())


@pytest.fixture
def served(ray_here, port) -> Iterator[int]:
    from ray import serve as ray_serve

    with quiet():
        ray_serve.start(http_options={"host": "127.0.0.1", "port": port})
        counts = Replicas(least=1, most=2, busy=1, busy_seconds=0.5, idle_seconds=2.0, cpus=0.5)
        ray_serve.run(application(make, counts), name=NAME, route_prefix="/")
        yield port
        ray_serve.shutdown()


def test_replicas_come_and_go_with_the_load(served):
    assert replicas() == 1
    with ThreadPoolExecutor(8) as clients:
        seen: set[int] = set()

        def load() -> bool:
            seen.update(answer.json() for answer in clients.map(lambda _: ask(served, 1.0), range(8)))
            return len(seen) == 2

        until(load)
    # A request that runs in a replica when replicas go is answered, whichever of them it is in.
    with ThreadPoolExecutor(2) as clients:
        running = [clients.submit(ask, served, 8.0) for _ in range(2)]
        until(lambda: replicas() == 1)
        assert [one.result().status_code for one in running] == [200, 200]


def test_running_requests_are_answered_at_the_end(served):
    from ray import serve as ray_serve

    found: list[httpx.Response] = []
    running = threading.Thread(target=lambda: found.append(ask(served, 5.0)))
    running.start()
    time.sleep(1.5)
    ray_serve.delete(NAME)
    running.join()
    assert found[0].status_code == 200
    assert not answers(served)


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_asked_to_end_answers_first(settings, port, kind):
    server = subprocess.Popen([sys.executable, __file__, str(port)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(port))
        found: list[httpx.Response] = []
        running = threading.Thread(target=lambda: found.append(ask(port, 5.0)))
        running.start()
        time.sleep(1.5)
        server.send_signal(kind)
        running.join()
        assert found[0].status_code == 200
        assert server.wait(LONGEST) == 0
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    serve(make, "here", "127.0.0.1", int(sys.argv[1]), Replicas())
