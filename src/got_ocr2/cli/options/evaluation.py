"""What `got-ocr2 evaluate` takes, in the order of its help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

SET, HOW, OUTPUT = "Data set", "Model", "Output"

Dataset = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help="A folder: pictures with a .txt each, a data.jsonl, Fox, OmniDocBench or olmOCR-bench.",
    ),
]
Layout = Annotated[
    str,
    typer.Option(
        metavar="auto|pairs|jsonl|fox|omnidocbench|olmocr",
        help="How the folder is laid out; auto looks.",
        rich_help_panel=SET,
    ),
]
Limit = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Read only the first pages.", rich_help_panel=SET)
]
Paper = Annotated[
    bool,
    typer.Option(
        "--paper",
        help="Add BLEU and METEOR, and formulas and tables apart, as in the paper's tables.",
        rich_help_panel=SET,
    ),
]
Level = Annotated[
    str,
    typer.Option(
        metavar="word|character",
        help="What F1, BLEU and METEOR count; the paper's scene text is by character.",
        rich_help_panel=SET,
    ),
]
Released = Annotated[
    bool,
    typer.Option(
        "--released",
        help="Score as GOT's released script, its swapped arguments included, to compare with the paper.",
        rich_help_panel=SET,
    ),
]
Crop = Annotated[
    bool | None,
    typer.Option(
        "--crop/--no-crop",
        help="Read pages in full-size tiles as well; by default what each page's task says.",
        rich_help_panel=HOW,
    ),
]
MaxPatches = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="The most tiles.", rich_help_panel=HOW)
]
MaxNewTokens = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="The longest text of a page, in tokens.", rich_help_panel=HOW),
]


@dataclass(frozen=True)
class ReportOptions:
    """What is written of the scores, and where."""

    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write a report here: report.md, report.json, predictions, the worst pages.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    json: Annotated[
        bool, typer.Option("--json", help="Print the scores as JSON.", rich_help_panel=OUTPUT)
    ] = False
    worst: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="How many of the worst pages to show.", rich_help_panel=OUTPUT),
    ] = 10
    force: Annotated[
        bool, typer.Option("--force", help="Replace a report that is there.", rich_help_panel=OUTPUT)
    ] = False
