"""What `got-ocr2 batch` takes beside the options of `read`."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class ShardOptions:
    """What becomes of the rows."""

    to: Annotated[
        str | None,
        typer.Option(
            metavar="parquet|jsonl[,FORMAT...]",
            help="Format of the shards, parquet by default, and formats in which each document is written as well: md, "
            "html, docx, hocr and more; see got-ocr2 render.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    rows_per_shard: Annotated[
        int, typer.Option(parser=count, metavar="N", help="Pages of a shard.", rich_help_panel=OUTPUT)
    ] = 1000


@dataclass(frozen=True)
class ResumeOptions:
    """What becomes of an earlier run."""

    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on where an earlier run into this folder ended; begin if there is none.",
            rich_help_panel=RUN,
        ),
    ] = False
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="With --resume, read pages again that failed; without, they stay failed rows.",
            rich_help_panel=RUN,
        ),
    ] = False


@dataclass(frozen=True)
class PlaceOptions:
    """Where workers run."""

    local: Annotated[
        bool, typer.Option("--local", help="Processes of this machine; the default.", rich_help_panel=RUN)
    ] = False
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="A Ray cluster: its address, auto or nothing for the one that RAY_ADDRESS or this machine knows, or "
            "here to start one on this machine.",
            rich_help_panel=RUN,
        ),
    ] = None
    gpus: Annotated[
        float,
        typer.Option(
            min=0.0, metavar="N", help="Of a worker on Ray; 0.5 lets two share one.", rich_help_panel=RUN
        ),
    ] = 0.0
    draw_apart: Annotated[
        bool | None,
        typer.Option(
            "--draw-apart/--draw-with-reading",
            help="On Ray, open and draw pages in tasks on cores of their own, or in the workers; by default apart "
            "where workers have GPUs.",
            show_default=False,
            rich_help_panel=RUN,
        ),
    ] = None
    drawn_memory: Annotated[
        int | None,
        typer.Option(
            parser=size,
            metavar="SIZE",
            help="On Ray, drawn pages that wait for workers, such as 2GB; by default what Ray thinks fit.",
            rich_help_panel=RUN,
        ),
    ] = None


@dataclass(frozen=True)
class WorkerOptions:
    """How many workers there are, and what ends one."""

    workers: Annotated[
        int | None,
        typer.Option(
            parser=count,
            metavar="N",
            help="Processes that read; by default one here, and as many as the cluster has room for on Ray.",
            rich_help_panel=RUN,
        ),
    ] = None
    threads: Annotated[
        int | None,
        typer.Option(
            parser=count,
            metavar="N",
            help="Processor cores a worker; by default an equal part of this machine's.",
            rich_help_panel=RUN,
        ),
    ] = None
    pages_per_task: Annotated[
        int,
        typer.Option(
            parser=count, metavar="N", help="Pages that a worker is given at a time.", rich_help_panel=RUN
        ),
    ] = 16
    retries: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="How often a page that ended its worker is tried again, alone, before it is a failed row.",
            rich_help_panel=RUN,
        ),
    ] = 2
    page_timeout: Annotated[
        float,
        typer.Option(
            parser=positive,
            metavar="SECONDS",
            help="A worker that finishes no page for so long is ended.",
            rich_help_panel=RUN,
        ),
    ] = 600.0
    worker_memory: Annotated[
        int | None,
        typer.Option(
            parser=size,
            metavar="SIZE",
            help="A worker that takes more memory, such as 4GB, is ended; no limit by default.",
            rich_help_panel=RUN,
        ),
    ] = None


@dataclass(frozen=True)
class MetricsOptions:
    """Where Prometheus finds the numbers of the run."""

    metrics_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Numbers for Prometheus, written every 5 seconds.", rich_help_panel=RUN
        ),
    ] = None
    metrics_port: Annotated[
        int | None,
        typer.Option(
            parser=count,
            metavar="PORT",
            help="Numbers for Prometheus at /metrics on this port.",
            rich_help_panel=RUN,
        ),
    ] = None
