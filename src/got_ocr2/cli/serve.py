"""`got-ocr2 serve`."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import InvalidOptionError
from ..extras import need
from .options import serving as own
from .options.groups import grouped
from .options.model import ModelOptions
from .output.terminal import note

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..server.auth import Keys
    from ..server.settings import Settings


@grouped
def serve(
    network: own.NetworkOptions,
    limits: own.LimitOptions,
    replicas: own.RayOptions,
    model: ModelOptions,
    max_batch: own.MaxBatch = 16,
) -> int:
    """Read over HTTP: a page for people at /, OpenAI's and Mistral's addresses under /v1, our own at /read and /jobs.

    Without API keys only this machine is answered. The log goes to standard error, one line of JSON a request.
    SIGTERM and Ctrl-C end the server once the running requests are answered.
    """
    for module in ("fastapi", "uvicorn", "prometheus_client", "python_multipart"):
        need(module, "Serving", extra="serve")
    if network.new_key is not None:
        _print_key(network.new_key)
        return 0
    keys = _keys(network)
    settings = _settings(network, limits)

    def make() -> FastAPI:
        from ..ocr import OCR
        from ..server.app import create_app

        ocr = OCR.from_pretrained(**model.arguments(), max_batch=max_batch, threaded=True)
        ocr.engine  # noqa: B018 - a lack of memory shows now, not at the first request
        name = "got-ocr2" if model.model is None else Path(model.model).name
        return create_app(ocr, settings, keys, model_name=name, insecure_open=network.insecure_open)

    if replicas.ray is None:
        from ..server.running import listen, run

        with listen(network.host, network.port) as listening:
            run(make(), listening)
    else:
        _serve_on_ray(make, replicas, network, settings)
    return 0


def _serve_on_ray(
    make: Callable[[], FastAPI], replicas: own.RayOptions, network: own.NetworkOptions, settings: Settings
) -> None:
    from ..cluster.serving import Replicas, serve

    assert replicas.ray is not None
    asked = Replicas(
        least=replicas.min_replicas,
        most=max(replicas.min_replicas, replicas.max_replicas),
        cpus=replicas.replica_cpus,
        gpus=replicas.replica_gpus,
        drain_seconds=settings.drain_seconds,
    )
    serve(make, replicas.ray, network.host, network.port, asked)


def _print_key(name: str) -> None:
    """A new key on standard output, its line for the file beside it."""
    from ..server.auth import line_of, new_key

    key = new_key()
    line = line_of(name, key)
    typer.echo(key)
    note(f"The line for --api-keys, which keeps no key:\n{line}")


def _keys(network: own.NetworkOptions) -> Keys:
    """The keys of the file and of the environment.

    Raises:
        InvalidOptionError: there are none, but other machines can reach the server.
    """
    from ..server.auth import Keys

    plain = [key.strip() for key in os.environ.get("GOT_OCR2_API_KEYS", "").split(",") if key.strip()]
    keys = Keys.load(None if network.api_keys is None else Path(network.api_keys), plain)
    if not keys and not network.insecure_open and not _is_loopback(network.host):
        raise InvalidOptionError(
            f"--host {network.host} can be reached from other machines; give --api-keys, or --insecure-open to answer "
            "anybody."
        )
    return keys


def _settings(network: own.NetworkOptions, limits: own.LimitOptions) -> Settings:
    from ..server.settings import Settings

    given: dict[str, Any] = {name: value for name, value in vars(limits).items() if value is not None}
    if network.data is not None:
        given["data"] = Path(network.data)
    hosts = tuple(name.lower() for name in network.host_name or ())
    return Settings(**given, fetch_private=network.fetch_private, cors=tuple(network.cors or ()), hosts=hosts)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
