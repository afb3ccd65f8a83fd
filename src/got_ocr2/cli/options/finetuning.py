"""What `got-ocr2 finetune` takes, in the order of its help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from .values import positive

DATA, HOW, ADAPTER, RUN = "Data", "Training", "Adapter (lora)", "Run"

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Pictures with a .txt each, a folder with data.jsonl, or GOT's conversations JSON.",
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="For the result; a run in it goes on.")]
Test = Annotated[
    Path | None,
    typer.Option(metavar="DATA", help="Pages to measure the error on.", rich_help_panel=DATA),
]
Plot = Annotated[bool, typer.Option("--plot", help="Draw the log as DIR/log.png.", rich_help_panel=RUN)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No rows of the log.", rich_help_panel=RUN)]


@dataclass(frozen=True)
class TuningOptions:
    """How to fine-tune; the fields are those of `training.finetune.FineTuning`, and so are the defaults."""

    mode: Annotated[
        str,
        typer.Option(
            metavar="full|frozen-vision|lora",
            help="What learns: everything, all but the encoder, or an adapter (needs peft).",
            rich_help_panel=HOW,
        ),
    ] = "full"
    epochs: Annotated[float, typer.Option(help="How often each page is seen.", rich_help_panel=HOW)] = 3.0
    steps: Annotated[int, typer.Option(metavar="N", help="Steps instead of epochs.", rich_help_panel=HOW)] = 0
    minutes: Annotated[
        float | None,
        typer.Option(
            parser=positive, metavar="N", help="End after so much time at the latest.", rich_help_panel=HOW
        ),
    ] = None
    batch_size: Annotated[
        int, typer.Option(metavar="N", help="Pages a step, all processes together.", rich_help_panel=HOW)
    ] = 8
    accumulate: Annotated[
        int,
        typer.Option(metavar="N", help="Batches computed one after another for a step.", rich_help_panel=HOW),
    ] = 1
    learning_rate: Annotated[
        float,
        typer.Option(metavar="RATE", help="Peak; 2e-5 by default, 2e-4 for lora.", rich_help_panel=HOW),
    ] = 0.0
    muon: Annotated[
        bool,
        typer.Option(
            "--muon", help="Muon for the matrices, as small models are made with.", rich_help_panel=HOW
        ),
    ] = False
    checkpointing: Annotated[
        bool, typer.Option("--checkpointing", help="Less memory for a third more time.", rich_help_panel=HOW)
    ] = False
    bf16: Annotated[
        bool,
        typer.Option(
            "--bf16/--fp32",
            help="Precision of the arithmetic, where the hardware has bf16.",
            rich_help_panel=HOW,
        ),
    ] = True
    ema: Annotated[
        float,
        typer.Option(metavar="DECAY", help="Export a running mean of the weights.", rich_help_panel=HOW),
    ] = 0.0
    hold_out: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Hold out so many pages of DATA instead; -1 is a tenth, at most 32.",
            rich_help_panel=DATA,
        ),
    ] = -1
    max_length: Annotated[
        int,
        typer.Option(
            metavar="N", help="Longest sample in ids; 0 is what the model holds.", rich_help_panel=DATA
        ),
    ] = 0
    skip_long: Annotated[
        bool, typer.Option("--skip-long", help="List and leave out longer samples.", rich_help_panel=DATA)
    ] = False
    rank: Annotated[int, typer.Option(metavar="N", help="Rank.", rich_help_panel=ADAPTER)] = 16
    alpha: Annotated[float, typer.Option(help="Scale, over the rank.", rich_help_panel=ADAPTER)] = 32.0
    target: Annotated[
        str,
        typer.Option(metavar="decoder|all", help="`all` adapts the encoder too.", rich_help_panel=ADAPTER),
    ] = "decoder"
    seed: Annotated[int, typer.Option(help="Of the order of pages.", rich_help_panel=RUN)] = 0
    workers: Annotated[int, typer.Option(min=0, help="Data processes.", rich_help_panel=RUN)] = 2
