"""`got-ocr2 serve`."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ..errors import InvalidOptionError
from ..extras import need
from . import options as shared
from . import read_options as own
from .terminal import note
from .values import count, positive, size

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..modeling.backends.choice import Kernels, Quantization
    from ..server.settings import Settings

NETWORK, LIMITS, RAY = "Network", "Limits", "On Ray"


def _limit(kind: Any, metavar: str, help: str) -> Any:
    return typer.Option(parser=kind, metavar=metavar, help=help, show_default=False, rich_help_panel=LIMITS)


def serve(
    host: Annotated[
        str, typer.Option(envvar="GOT_OCR2_HOST", help="Address to listen on.", rich_help_panel=NETWORK)
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65_535, envvar="GOT_OCR2_PORT", help="0 takes a free one.", rich_help_panel=NETWORK
        ),
    ] = 8000,
    api_keys: Annotated[
        str | None,
        typer.Option(
            envvar="GOT_OCR2_API_KEYS_FILE",
            metavar="FILE",
            help="Names and hashes of API keys, see --new-key. GOT_OCR2_API_KEYS may hold keys themselves, with "
            "commas between them.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    new_key: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Print a new key and the line for the file, and end.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    insecure_open: Annotated[
        bool,
        typer.Option(
            "--insecure-open", help="Without keys, answer other machines too.", rich_help_panel=NETWORK
        ),
    ] = False,
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Without keys, a name beside localhost by which the server may be called.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="An origin whose web pages may use the server, such as https://example.org.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    fetch_private: Annotated[
        bool,
        typer.Option(
            "--fetch-private", help="Fetch addresses in private networks too.", rich_help_panel=NETWORK
        ),
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            envvar="GOT_OCR2_DATA",
            metavar="FOLDER",
            help="Where jobs are kept; a folder of yours by default.",
            rich_help_panel=NETWORK,
        ),
    ] = None,
    max_bytes: Annotated[int | None, _limit(size, "SIZE", "The largest document; 50MB.")] = None,
    max_bytes_in_flight: Annotated[int | None, _limit(size, "SIZE", "All running requests; 500MB.")] = None,
    max_pixels: Annotated[int | None, _limit(count, "N", "The largest page; 40000000.")] = None,
    max_pages: Annotated[int | None, _limit(count, "N", "Pages of a document; 500.")] = None,
    max_tokens: Annotated[
        int | None, _limit(count, "N", "Tokens that may be asked for, a page; 8192.")
    ] = None,
    max_seconds: Annotated[float | None, _limit(positive, "SECONDS", "The longest request; 600.")] = None,
    max_running: Annotated[int | None, _limit(count, "N", "Documents read at a time; 8.")] = None,
    max_queue: Annotated[int | None, _limit(count, "N", "Requests that wait; 256.")] = None,
    pages_together: Annotated[int | None, _limit(count, "N", "Pages of one document at a time; 4.")] = None,
    requests_per_minute: Annotated[int | None, _limit(count, "N", "Of one API key; 600.")] = None,
    fetch_seconds: Annotated[float | None, _limit(positive, "SECONDS", "To download an address; 30.")] = None,
    file_seconds: Annotated[float | None, _limit(positive, "SECONDS", "That uploads are kept; 3600.")] = None,
    files_bytes: Annotated[int | None, _limit(size, "SIZE", "All uploads together; 2GB.")] = None,
    drain_seconds: Annotated[
        float | None, _limit(positive, "SECONDS", "For running requests at the end; 30.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Replicas on a Ray cluster: its address, auto for the one that is known here, or here to start one.",
            rich_help_panel=RAY,
        ),
    ] = None,
    min_replicas: Annotated[
        int, typer.Option(parser=count, metavar="N", help="That are always there.", rich_help_panel=RAY)
    ] = 1,
    max_replicas: Annotated[
        int, typer.Option(parser=count, metavar="N", help="When there is much to do.", rich_help_panel=RAY)
    ] = 1,
    replica_cpus: Annotated[
        float, typer.Option(parser=positive, metavar="N", help="Of a replica.", rich_help_panel=RAY)
    ] = 1.0,
    replica_gpus: Annotated[
        float, typer.Option(min=0.0, metavar="N", help="Of a replica; 0.5 shares one.", rich_help_panel=RAY)
    ] = 0.0,
    model: own.Model = None,
    device: shared.Device = "auto",
    dtype: shared.Dtype = "auto",
    quantize: own.Quantize = None,
    kernels: own.Kernels = "auto",
    kv_memory: own.KvMemory = None,
    max_batch: Annotated[
        int,
        typer.Option(
            parser=count, metavar="N", help="Pages or lines in one step.", rich_help_panel=shared.HOW
        ),
    ] = 64,
) -> int:
    """Read over HTTP: a page for people at /, OpenAI's and Mistral's addresses under /v1, our own at /read and /jobs.

    Without API keys only this machine is answered. The log goes to standard error, one line of JSON a request.
    SIGTERM and Ctrl-C end the server once the running requests are answered.
    """
    for module in ("fastapi", "uvicorn", "prometheus_client", "python_multipart"):
        need(module, "Serving", extra="serve")
    from ..server.auth import Keys, line_of
    from ..server.auth import new_key as make_key

    if new_key is not None:
        key = make_key()
        line = line_of(new_key, key)
        typer.echo(key)
        note(f"The line for --api-keys, which keeps no key:\n{line}")
        return 0
    plain = [key.strip() for key in os.environ.get("GOT_OCR2_API_KEYS", "").split(",") if key.strip()]
    keys = Keys.load(None if api_keys is None else Path(api_keys), plain)
    if not keys and not insecure_open and not _is_loopback(host):
        raise InvalidOptionError(
            f"--host {host} can be reached from other machines; give --api-keys, or --insecure-open to answer anybody."
        )
    given = {
        "max_bytes": max_bytes,
        "max_bytes_in_flight": max_bytes_in_flight,
        "max_pixels": max_pixels,
        "max_pages": max_pages,
        "max_tokens": max_tokens,
        "max_seconds": max_seconds,
        "max_running": max_running,
        "max_queue": max_queue,
        "pages_together": pages_together,
        "requests_per_minute": requests_per_minute,
        "fetch_seconds": fetch_seconds,
        "fetch_private": fetch_private,
        "file_seconds": file_seconds,
        "files_bytes": files_bytes,
        "drain_seconds": drain_seconds,
        "data": None if data is None else Path(data),
        "cors": tuple(cors or ()),
        "hosts": tuple(name.lower() for name in host_name or ()),
    }
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

    if ray is not None:
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
    from ..server.running import listen, run

    with listen(host, port) as listening:
        run(make(), listening)
    return 0


def _settings(given: dict[str, Any]) -> Settings:
    from ..server.settings import Settings

    known = {one.name for one in fields(Settings)}
    return Settings(**{name: value for name, value in given.items() if name in known and value is not None})


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
