"""What `got-ocr2 batch` takes beside the options of `read`."""

from __future__ import annotations

from typing import Annotated

import typer

from .shared import OUTPUT, RUN
from .values import count, positive, size

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Pictures, PDFs, folders, patterns, lists (txt, CSV, JSONL, Parquet), tar files, and addresses such as "
        "https://, s3://, gs://, hf://.",
        show_default=False,
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="FOLDER", help="A folder for this run alone.", rich_help_panel=OUTPUT
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        metavar="parquet|jsonl[,FORMAT...]",
        help="Format of the shards, parquet by default, and formats in which each document is written as well: md, "
        "html, docx, hocr and more; see got-ocr2 render.",
        rich_help_panel=OUTPUT,
    ),
]
RowsPerShard = Annotated[
    int, typer.Option(parser=count, metavar="N", help="Pages of a shard.", rich_help_panel=OUTPUT)
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on where an earlier run into this folder ended; begin if there is none.",
        rich_help_panel=RUN,
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed",
        help="With --resume, read pages again that failed; without, they stay failed rows.",
        rich_help_panel=RUN,
    ),
]
Local = Annotated[
    bool, typer.Option("--local", help="Processes of this machine; the default.", rich_help_panel=RUN)
]
Ray = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="A Ray cluster: its address, auto for the one that RAY_ADDRESS or this machine knows, or here to start "
        "one on this machine.",
        rich_help_panel=RUN,
    ),
]
Gpus = Annotated[
    float,
    typer.Option(
        min=0.0, metavar="N", help="Of a worker on Ray; 0.5 lets two share one.", rich_help_panel=RUN
    ),
]
DrawApart = Annotated[
    bool | None,
    typer.Option(
        "--draw-apart/--draw-with-reading",
        help="On Ray, open and draw pages in tasks on cores of their own, or in the workers; by default apart where "
        "workers have GPUs.",
        show_default=False,
        rich_help_panel=RUN,
    ),
]
DrawnMemory = Annotated[
    int | None,
    typer.Option(
        parser=size,
        metavar="SIZE",
        help="On Ray, drawn pages that wait for workers, such as 2GB; by default what Ray thinks fit.",
        rich_help_panel=RUN,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        parser=count,
        metavar="N",
        help="Processes that read; by default one here, and as many as the cluster has room for on Ray.",
        rich_help_panel=RUN,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        parser=count,
        metavar="N",
        help="Processor cores a worker; by default an equal part of this machine's.",
        rich_help_panel=RUN,
    ),
]
PagesPerTask = Annotated[
    int,
    typer.Option(
        parser=count, metavar="N", help="Pages that a worker is given at a time.", rich_help_panel=RUN
    ),
]
Retries = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="How often a page that ended its worker is tried again, alone, before it is a failed row.",
        rich_help_panel=RUN,
    ),
]
PageTimeout = Annotated[
    float,
    typer.Option(
        parser=positive,
        metavar="SECONDS",
        help="A worker that finishes no page for so long is ended.",
        rich_help_panel=RUN,
    ),
]
WorkerMemory = Annotated[
    int | None,
    typer.Option(
        parser=size,
        metavar="SIZE",
        help="A worker that takes more memory, such as 4GB, is ended; no limit by default.",
        rich_help_panel=RUN,
    ),
]
MetricsFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Numbers for Prometheus, written every 5 seconds.", rich_help_panel=RUN
    ),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        parser=count,
        metavar="PORT",
        help="Numbers for Prometheus at /metrics on this port.",
        rich_help_panel=RUN,
    ),
]
