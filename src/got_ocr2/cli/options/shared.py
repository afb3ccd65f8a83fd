"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from .values import count

# Headings of `--help` under which options stand.
HOW, OUTPUT, RUN = "Model", "Output", "Run"

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A checkpoint folder, OWNER/NAME on the hub, or `default` for the embedded small model.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        envvar="GOT_OCR2_DEVICE", metavar="auto|cpu|cuda|mps", help="Where to run.", rich_help_panel=HOW
    ),
]
Dtype = Annotated[
    str,
    typer.Option(
        envvar="GOT_OCR2_DTYPE",
        metavar="auto|float32|bfloat16|float16",
        help="Precision of the model.",
        rich_help_panel=HOW,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        parser=count, metavar="N", help="Processor cores to use; all by default.", rich_help_panel=HOW
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace output that is there.", rich_help_panel=OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel=OUTPUT)]

# Of the commands that train.
TrainingDevice = Annotated[
    str, typer.Option(metavar="auto|cpu|cuda", help="Where to train.", rich_help_panel=RUN)
]
TrainingThreads = Annotated[
    int | None, typer.Option(min=1, help="CPU threads; all by default.", rich_help_panel=RUN)
]
Shard = Annotated[
    bool,
    typer.Option(
        "--shard", help="Deal the weights out over torchrun's processes (FSDP).", rich_help_panel=RUN
    ),
]
Tensorboard = Annotated[
    bool, typer.Option("--tensorboard", help="Write for TensorBoard too.", rich_help_panel=RUN)
]
