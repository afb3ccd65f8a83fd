"""What `got-ocr2 serve` takes, in the order of its help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from .shared import HOW
from .values import count, positive, size

NETWORK, LIMITS, RAY = "Network", "Limits", "On Ray"

MaxBatch = Annotated[
    int,
    typer.Option(
        parser=count,
        metavar="N",
        help="Pages or lines in one step: few let a short page in soon, a GPU is faster with more.",
        rich_help_panel=HOW,
    ),
]


def _limit(kind: Any, metavar: str, help: str) -> Any:
    return typer.Option(parser=kind, metavar=metavar, help=help, show_default=False, rich_help_panel=LIMITS)


@dataclass(frozen=True)
class NetworkOptions:
    """Who may reach the server, and where it keeps what it is given."""

    host: Annotated[
        str, typer.Option(envvar="GOT_OCR2_HOST", help="Address to listen on.", rich_help_panel=NETWORK)
    ] = "127.0.0.1"
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65_535, envvar="GOT_OCR2_PORT", help="0 takes a free one.", rich_help_panel=NETWORK
        ),
    ] = 8000
    api_keys: Annotated[
        str | None,
        typer.Option(
            envvar="GOT_OCR2_API_KEYS_FILE",
            metavar="FILE",
            help="Names and hashes of API keys, see --new-key. GOT_OCR2_API_KEYS may hold keys themselves, with "
            "commas between them.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    new_key: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Print a new key and the line for the file, and end.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    insecure_open: Annotated[
        bool,
        typer.Option(
            "--insecure-open", help="Without keys, answer other machines too.", rich_help_panel=NETWORK
        ),
    ] = False
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Without keys, a name beside localhost by which the server may be called.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    cors: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="An origin whose web pages may use the server, such as https://example.org.",
            rich_help_panel=NETWORK,
        ),
    ] = None
    fetch_private: Annotated[
        bool,
        typer.Option(
            "--fetch-private", help="Fetch addresses in private networks too.", rich_help_panel=NETWORK
        ),
    ] = False
    data: Annotated[
        str | None,
        typer.Option(
            envvar="GOT_OCR2_DATA",
            metavar="FOLDER",
            help="Where jobs are kept; a folder of yours by default.",
            rich_help_panel=NETWORK,
        ),
    ] = None


@dataclass(frozen=True)
class LimitOptions:
    """What the server takes from its clients. `server.settings.Settings` has the same names, and the defaults."""

    max_bytes: Annotated[int | None, _limit(size, "SIZE", "The largest document; 50MB.")] = None
    max_bytes_in_flight: Annotated[int | None, _limit(size, "SIZE", "All running requests; 500MB.")] = None
    max_pixels: Annotated[int | None, _limit(count, "N", "The largest page; 40000000.")] = None
    max_pages: Annotated[int | None, _limit(count, "N", "Pages of a document; 500.")] = None
    max_tokens: Annotated[int | None, _limit(count, "N", "Tokens that may be asked for, a page; 8192.")] = (
        None
    )
    max_seconds: Annotated[float | None, _limit(positive, "SECONDS", "The longest request; 600.")] = None
    max_running: Annotated[int | None, _limit(count, "N", "Documents read at a time; 24.")] = None
    max_queue: Annotated[int | None, _limit(count, "N", "Requests that wait; 256.")] = None
    pages_together: Annotated[int | None, _limit(count, "N", "Pages of one document at a time; 4.")] = None
    requests_per_minute: Annotated[
        int | None, _limit(count, "N", "Of one API key, or with --insecure-open of one address; 600.")
    ] = None
    fetch_seconds: Annotated[float | None, _limit(positive, "SECONDS", "To download an address; 30.")] = None
    file_seconds: Annotated[float | None, _limit(positive, "SECONDS", "That uploads are kept; 3600.")] = None
    files_bytes: Annotated[int | None, _limit(size, "SIZE", "All uploads together; 2GB.")] = None
    max_jobs: Annotated[
        int | None, _limit(count, "N", "Jobs that are kept, finished ones included; 1000.")
    ] = None
    max_documents: Annotated[int | None, _limit(count, "N", "Documents of a job; 1000.")] = None
    jobs_bytes: Annotated[
        int | None, _limit(size, "SIZE", "Documents of jobs that are not read yet; 10GB.")
    ] = None
    job_seconds: Annotated[
        float | None, _limit(positive, "SECONDS", "That finished jobs are kept; 604800.")
    ] = None
    drain_seconds: Annotated[
        float | None, _limit(positive, "SECONDS", "For running requests at the end; 30.")
    ] = None


@dataclass(frozen=True)
class RayOptions:
    """Replicas on a Ray cluster."""

    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="Replicas on a Ray cluster: its address, auto or nothing for the one that is known here, or here to "
            "start one.",
            rich_help_panel=RAY,
        ),
    ] = None
    min_replicas: Annotated[
        int, typer.Option(parser=count, metavar="N", help="That are always there.", rich_help_panel=RAY)
    ] = 1
    max_replicas: Annotated[
        int, typer.Option(parser=count, metavar="N", help="When there is much to do.", rich_help_panel=RAY)
    ] = 1
    replica_cpus: Annotated[
        float, typer.Option(parser=positive, metavar="N", help="Of a replica.", rich_help_panel=RAY)
    ] = 1.0
    replica_gpus: Annotated[
        float, typer.Option(min=0.0, metavar="N", help="Of a replica; 0.5 shares one.", rich_help_panel=RAY)
    ] = 0.0
