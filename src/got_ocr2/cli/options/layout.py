"""What `got-ocr2 layout` takes beside the options of `read`."""

from __future__ import annotations

from typing import Annotated

import typer

Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Draw the lines on the page: a .png for one document, a folder for several.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Every page as a line of JSON instead of a summary.")]
Turn = Annotated[
    int | None,
    typer.Option(metavar="0|90|180|270", help="How far to turn pages counter-clockwise; found by default."),
]
