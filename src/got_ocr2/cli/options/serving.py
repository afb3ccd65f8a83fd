"""What `got-ocr2 serve` takes, in the order of its help."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .shared import HOW
from .values import count, positive, size

NETWORK, LIMITS, RAY = "Network", "Limits", "On Ray"

Host = Annotated[
    str, typer.Option(envvar="GOT_OCR2_HOST", help="Address to listen on.", rich_help_panel=NETWORK)
]
Port = Annotated[
    int,
    typer.Option(
        min=0, max=65_535, envvar="GOT_OCR2_PORT", help="0 takes a free one.", rich_help_panel=NETWORK
    ),
]
ApiKeys = Annotated[
    str | None,
    typer.Option(
        envvar="GOT_OCR2_API_KEYS_FILE",
        metavar="FILE",
        help="Names and hashes of API keys, see --new-key. GOT_OCR2_API_KEYS may hold keys themselves, with "
        "commas between them.",
        rich_help_panel=NETWORK,
    ),
]
NewKey = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Print a new key and the line for the file, and end.", rich_help_panel=NETWORK
    ),
]
InsecureOpen = Annotated[
    bool,
    typer.Option("--insecure-open", help="Without keys, answer other machines too.", rich_help_panel=NETWORK),
]
HostName = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Without keys, a name beside localhost by which the server may be called.",
        rich_help_panel=NETWORK,
    ),
]
Cors = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ORIGIN",
        help="An origin whose web pages may use the server, such as https://example.org.",
        rich_help_panel=NETWORK,
    ),
]
FetchPrivate = Annotated[
    bool,
    typer.Option("--fetch-private", help="Fetch addresses in private networks too.", rich_help_panel=NETWORK),
]
Data = Annotated[
    str | None,
    typer.Option(
        envvar="GOT_OCR2_DATA",
        metavar="FOLDER",
        help="Where jobs are kept; a folder of yours by default.",
        rich_help_panel=NETWORK,
    ),
]


def _limit(kind: Any, metavar: str, help: str) -> Any:
    return typer.Option(parser=kind, metavar=metavar, help=help, show_default=False, rich_help_panel=LIMITS)


# Their defaults are those of `server.settings.Settings`, which has them under the same names.
MaxBytes = Annotated[int | None, _limit(size, "SIZE", "The largest document; 50MB.")]
MaxBytesInFlight = Annotated[int | None, _limit(size, "SIZE", "All running requests; 500MB.")]
MaxPixels = Annotated[int | None, _limit(count, "N", "The largest page; 40000000.")]
MaxPages = Annotated[int | None, _limit(count, "N", "Pages of a document; 500.")]
MaxTokens = Annotated[int | None, _limit(count, "N", "Tokens that may be asked for, a page; 8192.")]
MaxSeconds = Annotated[float | None, _limit(positive, "SECONDS", "The longest request; 600.")]
MaxRunning = Annotated[int | None, _limit(count, "N", "Documents read at a time; 8.")]
MaxQueue = Annotated[int | None, _limit(count, "N", "Requests that wait; 256.")]
PagesTogether = Annotated[int | None, _limit(count, "N", "Pages of one document at a time; 4.")]
RequestsPerMinute = Annotated[
    int | None, _limit(count, "N", "Of one API key, or with --insecure-open of one address; 600.")
]
FetchSeconds = Annotated[float | None, _limit(positive, "SECONDS", "To download an address; 30.")]
FileSeconds = Annotated[float | None, _limit(positive, "SECONDS", "That uploads are kept; 3600.")]
FilesBytes = Annotated[int | None, _limit(size, "SIZE", "All uploads together; 2GB.")]
MaxJobs = Annotated[int | None, _limit(count, "N", "Jobs that are kept, finished ones included; 1000.")]
MaxDocuments = Annotated[int | None, _limit(count, "N", "Documents of a job; 1000.")]
JobsBytes = Annotated[int | None, _limit(size, "SIZE", "Documents of jobs that are not read yet; 10GB.")]
JobSeconds = Annotated[float | None, _limit(positive, "SECONDS", "That finished jobs are kept; 604800.")]
DrainSeconds = Annotated[float | None, _limit(positive, "SECONDS", "For running requests at the end; 30.")]

Ray = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Replicas on a Ray cluster: its address, auto for the one that is known here, or here to start one.",
        rich_help_panel=RAY,
    ),
]
MinReplicas = Annotated[
    int, typer.Option(parser=count, metavar="N", help="That are always there.", rich_help_panel=RAY)
]
MaxReplicas = Annotated[
    int, typer.Option(parser=count, metavar="N", help="When there is much to do.", rich_help_panel=RAY)
]
ReplicaCpus = Annotated[
    float, typer.Option(parser=positive, metavar="N", help="Of a replica.", rich_help_panel=RAY)
]
ReplicaGpus = Annotated[
    float, typer.Option(min=0.0, metavar="N", help="Of a replica; 0.5 shares one.", rich_help_panel=RAY)
]
MaxBatch = Annotated[
    int,
    typer.Option(
        parser=count,
        metavar="N",
        help="Pages or lines in one step: few let a short page in soon, a GPU is faster with more.",
        rich_help_panel=HOW,
    ),
]
