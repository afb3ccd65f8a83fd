"""What `got-ocr2 train` takes, in the order of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .values import positive

Recipe = Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a recipe, such as small.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder; a run in it goes on where it stopped.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="STAGE.NAME=VALUE", help="Change a setting of a stage; repeatable."),
]
Tokenizer = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Folder with tokenizer.json or qwen.tiktoken, instead of one id a byte."
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Begin with the weights of this checkpoint of the same network; default is the embedded model.",
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        parser=positive, metavar="N", help="Time for all stages; the rate is at zero when it is over."
    ),
]
StopAfter = Annotated[
    float | None,
    typer.Option(
        parser=positive, metavar="N", help="Save and stop after so many minutes; run it again to go on."
    ),
]
Plot = Annotated[bool, typer.Option("--plot", help="Draw the logs of all stages as OUT/log.png.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Stages only, no rows of the log.")]
