"""What `got-ocr2 render` takes, in the order of its help."""

from __future__ import annotations

from typing import Annotated

import typer

from .shared import OUTPUT

File = Annotated[str, typer.Argument(metavar="FILE|-", help="Text that was read, or - for standard input.")]
To = Annotated[
    str,
    typer.Option(
        metavar="FORMAT[,FORMAT...]",
        help="md, html, latex, docx, txt, json, csv, xlsx, pdf for pages; svg, png, midi, musicxml, kern for "
        "music; svg, png, mol, inchi, smiles for molecules; svg, png, tikz for geometry; svg, png, html, csv, "
        "xlsx, json for charts.",
    ),
]
Kind = Annotated[
    str,
    typer.Option(
        metavar="auto|page|music|molecule|geometry|chart",
        help="What the text is; told by itself if auto.",
    ),
]
Plain = Annotated[
    bool, typer.Option("--plain", help="The text is a page without markup: no sign in it means anything.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Write nothing if anything is wrong with the text.")]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="A file for one format, a folder for several; standard output by default.",
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Say nothing of what is wrong in a text.", rich_help_panel=OUTPUT),
]
