"""`got-ocr2 serve`."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from ..errors import InvalidOptionError
from ..extras import need
from .options import reading, shared
from .options import serving as own
from .output.terminal import note

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..modeling.backends.choice import Kernels, Quantization
    from ..server.auth import Keys
    from ..server.settings import Settings


def serve(
    host: own.Host = "127.0.0.1",
    port: own.Port = 8000,
    api_keys: own.ApiKeys = None,
    new_key: own.NewKey = None,
    insecure_open: own.InsecureOpen = False,
    host_name: own.HostName = None,
    cors: own.Cors = None,
    fetch_private: own.FetchPrivate = False,
    data: own.Data = None,
    max_bytes: own.MaxBytes = None,
    max_bytes_in_flight: own.MaxBytesInFlight = None,
    max_pixels: own.MaxPixels = None,
    max_pages: own.MaxPages = None,
    max_tokens: own.MaxTokens = None,
    max_seconds: own.MaxSeconds = None,
    max_running: own.MaxRunning = None,
    max_queue: own.MaxQueue = None,
    pages_together: own.PagesTogether = None,
    requests_per_minute: own.RequestsPerMinute = None,
    fetch_seconds: own.FetchSeconds = None,
    file_seconds: own.FileSeconds = None,
    files_bytes: own.FilesBytes = None,
    max_jobs: own.MaxJobs = None,
    max_documents: own.MaxDocuments = None,
    jobs_bytes: own.JobsBytes = None,
    job_seconds: own.JobSeconds = None,
    drain_seconds: own.DrainSeconds = None,
    ray: own.Ray = None,
    min_replicas: own.MinReplicas = 1,
    max_replicas: own.MaxReplicas = 1,
    replica_cpus: own.ReplicaCpus = 1.0,
    replica_gpus: own.ReplicaGpus = 0.0,
    model: reading.Model = None,
    device: shared.Device = "auto",
    dtype: shared.Dtype = "auto",
    quantize: reading.Quantize = None,
    kernels: reading.Kernels = "auto",
    kv_memory: reading.KvMemory = None,
    max_batch: own.MaxBatch = 16,
) -> int:
    """Read over HTTP: a page for people at /, OpenAI's and Mistral's addresses under /v1, our own at /read and /jobs.

    Without API keys only this machine is answered. The log goes to standard error, one line of JSON a request.
    SIGTERM and Ctrl-C end the server once the running requests are answered.
    """
    given = dict(locals())
    for module in ("fastapi", "uvicorn", "prometheus_client", "python_multipart"):
        need(module, "Serving", extra="serve")
    if new_key is not None:
        _print_key(new_key)
        return 0
    keys = _keys(api_keys, host, insecure_open=insecure_open)
    settings = _settings(given)
    name = "got-ocr2" if model is None else Path(model).name

    def make() -> FastAPI:
        from ..ocr import OCR
        from ..server.app import create_app

        ocr = OCR.from_pretrained(
            model,
            device=device,
            dtype=dtype,
            quantization=cast("Quantization | None", quantize),
            kernels=cast("Kernels", kernels),
            kv_memory=kv_memory,
            max_batch=max_batch,
            threaded=True,
        )
        ocr.engine  # noqa: B018 - a lack of memory shows now, not at the first request
        return create_app(ocr, settings, keys, model_name=name, insecure_open=insecure_open)

    if ray is None:
        from ..server.running import listen, run

        with listen(host, port) as listening:
            run(make(), listening)
        return 0
    from ..cluster.serving import Replicas
    from ..cluster.serving import serve as serve_on_ray

    replicas = Replicas(
        least=min_replicas,
        most=max(min_replicas, max_replicas),
        cpus=replica_cpus,
        gpus=replica_gpus,
        drain_seconds=settings.drain_seconds,
    )
    serve_on_ray(make, ray, host, port, replicas)
    return 0


def _print_key(name: str) -> None:
    """A new key on standard output, its line for the file beside it."""
    from ..server.auth import line_of, new_key

    key = new_key()
    line = line_of(name, key)
    typer.echo(key)
    note(f"The line for --api-keys, which keeps no key:\n{line}")


def _keys(file: str | None, host: str, *, insecure_open: bool) -> Keys:
    """The keys of the file and of the environment.

    Raises:
        InvalidOptionError: there are none, but other machines can reach the server.
    """
    from ..server.auth import Keys

    plain = [key.strip() for key in os.environ.get("GOT_OCR2_API_KEYS", "").split(",") if key.strip()]
    keys = Keys.load(None if file is None else Path(file), plain)
    if not keys and not insecure_open and not _is_loopback(host):
        raise InvalidOptionError(
            f"--host {host} can be reached from other machines; give --api-keys, or --insecure-open to answer anybody."
        )
    return keys


def _settings(given: dict[str, Any]) -> Settings:
    """Of the command's parameters those that limit the server, under their own names."""
    from ..server.settings import Settings

    known = {one.name for one in fields(Settings)} - {"cors", "hosts", "data"}
    limits = {name: value for name, value in given.items() if name in known and value is not None}
    if given["data"] is not None:
        limits["data"] = Path(given["data"])
    hosts = tuple(name.lower() for name in given["host_name"] or ())
    return Settings(**limits, cors=tuple(given["cors"] or ()), hosts=hosts)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
