"""`got-ocr2 serve --ray`: the server's app in replicas of Ray Serve, which start and end with the load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import FileAccessError, InvalidOptionError
from ..extras import need
from ..wording import printable, reason

if TYPE_CHECKING:
    from fastapi import FastAPI


@dataclass(frozen=True)
class Replicas:
    """How many servers there are.

    Attributes:
        least, most: replicas; between them, as many as the load asks for.
        busy: requests of a replica at a time above which another one starts.
        cpus, gpus: of a replica; a fraction of a GPU shares it.
        drain_seconds: for running requests where a replica ends.
    """

    least: int = 1
    most: int = 1
    busy: int = 4
    cpus: float = 1.0
    gpus: float = 0.0
    drain_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise InvalidOptionError(f"Replicas are 1 <= least <= most, got {self.least} and {self.most}.")


def serve(make: Callable[[], FastAPI], address: str, host: str, port: int, replicas: Replicas) -> None:
    """Serves until this process is interrupted; then running requests are ended and the replicas with them.

    Args:
        make: opens a model and makes the app around it; called in every replica.
        address: of a cluster; "auto" or "here" as for `RayExecutor`.
        host, port: where the cluster's proxy listens.
        replicas: how many.

    Raises:
        MissingDependencyError: Ray is not installed.
        InvalidOptionError: no cluster answers.
        FileAccessError: the port cannot be had.
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
    try:
        ray_serve.start(http_options={"host": host, "port": port})
        ray_serve.run(application(make, replicas), name="got-ocr2", route_prefix="/", blocking=True)
    except (OSError, RuntimeError) as e:
        raise FileAccessError(f"The server cannot run on {host}, port {port}: {reason(e)}.") from e
    finally:
        ray_serve.shutdown()


def application(make: Callable[[], FastAPI], replicas: Replicas) -> Any:
    """A `ray.serve.Application`: the app that `make` makes, in each replica one."""
    ray_serve = need("ray.serve", "Serving on Ray", extra="ray")
    deployment = ray_serve.deployment(
        name="got-ocr2",
        ray_actor_options={"num_cpus": replicas.cpus, "num_gpus": replicas.gpus},
        autoscaling_config={
            "min_replicas": replicas.least,
            "max_replicas": replicas.most,
            "target_ongoing_requests": replicas.busy,
        },
        max_ongoing_requests=1
        << 10,  # the app has a queue and limits of its own, and says so when they are reached
        graceful_shutdown_timeout_s=replicas.drain_seconds,
    )
    return deployment(ray_serve.ingress(make)()).bind()
