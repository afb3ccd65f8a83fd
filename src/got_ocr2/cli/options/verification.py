"""What `got-ocr2 verify` takes, in the order of its help."""

from __future__ import annotations

from typing import Annotated

import typer

from .shared import OUTPUT

WHAT, LIMITS = "What to check", "Limits"

Page = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="A picture to read; may be repeated. By default a few rendered ones.",
        rich_help_panel=WHAT,
    ),
]
Variants = Annotated[
    str,
    typer.Option(
        metavar="NAME,...",
        help="exact, int8, int4: each is held against plain torch. Empty for none.",
        rich_help_panel=WHAT,
    ),
]
Transformers = Annotated[
    bool | None,
    typer.Option(
        "--transformers/--no-transformers",
        help="Compare with it layer by layer; by default if it is installed.",
        rich_help_panel=WHAT,
    ),
]
Tokens = Annotated[
    int, typer.Option(metavar="N", min=1, help="The most to write for a page.", rich_help_panel=WHAT)
]
Tolerance = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        help="The largest difference of exact numbers, as a share of the largest magnitude.",
        rich_help_panel=LIMITS,
    ),
]
Agreement = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Quantised weights must keep the best token at this share of positions, such as 0.98.",
        rich_help_panel=LIMITS,
    ),
]
MaxCer = Annotated[
    float | None,
    typer.Option(
        metavar="RATE",
        help="The text of quantised weights may differ from the exact one by this character error rate.",
        rich_help_panel=LIMITS,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print the checks as one JSON object.", rich_help_panel=OUTPUT)
]
