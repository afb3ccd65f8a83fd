"""What `got-ocr2 bench` takes, in the order of its help."""

from __future__ import annotations

from typing import Annotated

import typer

from .shared import HOW, OUTPUT

WHAT = "What to measure"

Random = Annotated[
    bool,
    typer.Option(
        "--random",
        help="Random weights of the published size instead of a model: 1.1 GB of temporary files.",
        rich_help_panel=HOW,
    ),
]
Variants = Annotated[
    str,
    typer.Option(
        metavar="NAME,...",
        help="exact: the weights as published; int8, int4: quantised; torch: without kernels of our own.",
        rich_help_panel=WHAT,
    ),
]
Against = Annotated[
    str | None,
    typer.Option(metavar="transformers", help="Measure it too, and give ratios to it.", rich_help_panel=WHAT),
]
Batch = Annotated[
    str, typer.Option(metavar="N,...", help="Pages that are read together.", rich_help_panel=WHAT)
]
Tokens = Annotated[
    int, typer.Option(metavar="N", min=2, help="Written for every page.", rich_help_panel=WHAT)
]
Rounds = Annotated[
    int,
    typer.Option(metavar="N", min=1, help="Medians over so many measurements.", rich_help_panel=WHAT),
]
Device = Annotated[
    str,
    typer.Option(
        envvar="GOT_OCR2_DEVICE", metavar="auto|cpu|cuda", help="Where to run.", rich_help_panel=HOW
    ),
]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the figures here as JSON.", rich_help_panel=OUTPUT),
]
Plot = Annotated[
    str | None,
    typer.Option("--plot", metavar="FILE", help="Draw them: .png, .svg or .pdf.", rich_help_panel=OUTPUT),
]
