"""`got-ocr2 serve --ray`: the server's app in replicas of Ray Serve, which start and end with the load."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import FileAccessError, InvalidOptionError
from ..extras import need
from ..wording import printable, reason

if TYPE_CHECKING:
    from fastapi import FastAPI

NAME = "got-ocr2"
_LOOK = 5.0  # seconds between two looks at the cluster


@dataclass(frozen=True)
class Replicas:
    """How many servers there are.

    Attributes:
        least, most: replicas; between them, as many as the load asks for.
        busy: requests of a replica at a time above which another one starts.
        busy_seconds, idle_seconds: how long the load must call for more or fewer before there are.
        cpus, gpus: of a replica; a fraction of a GPU shares it.
        drain_seconds: for running requests where a replica ends.
    """

    least: int = 1
    most: int = 1
    busy: int = 4
    busy_seconds: float = 30.0
    idle_seconds: float = 600.0
    cpus: float = 1.0
    gpus: float = 0.0
    drain_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise InvalidOptionError(f"Replicas are 1 <= least <= most, got {self.least} and {self.most}.")


def serve(make: Callable[[], FastAPI], address: str, host: str, port: int, replicas: Replicas) -> None:
    """Serves until SIGTERM or Ctrl-C; then running requests are answered, and the replicas end.

    Args:
        make: opens a model and makes the app around it; called in every replica.
        address: of a cluster; "auto" or "here" as for `RayExecutor`.
        host, port: where the cluster's proxy listens.
        replicas: how many.

    Raises:
        MissingDependencyError: Ray is not installed.
        InvalidOptionError: no cluster answers.
        FileAccessError: the port cannot be had, or the cluster is gone.
    """
    ray = need("ray", "Serving on Ray", extra="ray")
    ray_serve = need("ray.serve", "Serving on Ray", extra="ray")
    if not ray.is_initialized():
        place: dict[str, Any] = {"address": address}
        if address == "here":
            place = {"address": "local", "include_dashboard": False}
        try:
            ray.init(**place, log_to_driver=False, configure_logging=False)
        except (ConnectionError, ValueError, RuntimeError) as e:
            raise InvalidOptionError(f"No Ray cluster answers at {printable(address)}: {reason(e)}.") from e
    with _signals() as asked_to_end:
        try:
            ray_serve.start(http_options={"host": host, "port": port})
            ray_serve.run(application(make, replicas), name=NAME, route_prefix="/")
            while not asked_to_end.wait(_LOOK):
                ray_serve.status()  # raises where the cluster is gone
            ray_serve.delete(NAME)  # waits for the running requests
        except (OSError, RuntimeError, ray.exceptions.RayError) as e:
            raise FileAccessError(f"The server cannot run on {host}, port {port}: {reason(e)}.") from e
        finally:
            with suppress(Exception):  # what is gone cannot be shut down
                ray_serve.shutdown()


@contextmanager
def _signals() -> Generator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set while this lasts."""
    asked = threading.Event()
    kinds = (signal.SIGTERM, signal.SIGINT)
    earlier = [signal.signal(kind, lambda *_: asked.set()) for kind in kinds]
    try:
        yield asked
    finally:
        for kind, handler in zip(kinds, earlier, strict=True):
            signal.signal(kind, handler)


def application(make: Callable[[], FastAPI], replicas: Replicas) -> Any:
    """A `ray.serve.Application`: the app that `make` makes, in each replica one."""
    ray_serve = need("ray.serve", "Serving on Ray", extra="ray")
    deployment = ray_serve.deployment(
        name=NAME,
        ray_actor_options={"num_cpus": replicas.cpus, "num_gpus": replicas.gpus},
        autoscaling_config={
            "min_replicas": replicas.least,
            "max_replicas": replicas.most,
            "target_ongoing_requests": replicas.busy,
            "upscale_delay_s": replicas.busy_seconds,
            "downscale_delay_s": replicas.idle_seconds,
        },
        max_ongoing_requests=1
        << 10,  # the app has a queue and limits of its own, and says so when they are reached
        graceful_shutdown_timeout_s=replicas.drain_seconds,
    )
    return deployment(ray_serve.ingress(make)()).bind()
