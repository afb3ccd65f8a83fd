"""What `got-ocr2 read` takes; other commands take groups of it, and single options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from .shared import HOW, OUTPUT, Force
from .values import count, positive

WHAT, INPUT = "What to read", "Input"

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Pictures, PDFs, folders, patterns, http(s) addresses, or - for standard input.",
        show_default=False,
    ),
]
Pages = Annotated[
    str | None, typer.Option(metavar="1-4,7,9-", help="Which pages; all by default.", rich_help_panel=INPUT)
]
Recursive = Annotated[
    bool, typer.Option("--recursive", "-r", help="Search folders within folders.", rich_help_panel=INPUT)
]
Dpi = Annotated[
    float | None,
    typer.Option(
        parser=positive,
        metavar="DPI",
        envvar="GOT_OCR2_DPI",
        help="Pixels per inch for the pages of a PDF; 200 by default.",
        rich_help_panel=INPUT,
    ),
]
Password = Annotated[
    str | None, typer.Option(envvar="GOT_OCR2_PASSWORD", help="For encrypted PDFs.", rich_help_panel=INPUT)
]
BatchSize = Annotated[
    int,
    typer.Option(
        parser=count,
        metavar="N",
        envvar="GOT_OCR2_BATCH_SIZE",
        help="Pages that are read together: as soon as one is done, another enters.",
        rich_help_panel=HOW,
    ),
]


@dataclass(frozen=True)
class TextOptions:
    """What is asked about every page; the fields are those of `ReadOptions`."""

    format: Annotated[
        bool,
        typer.Option(
            "--format",
            help="Formatted text: Mathpix markdown, music, TikZ, SMILES, a chart's data.",
            rich_help_panel=WHAT,
        ),
    ] = False
    crop: Annotated[
        bool,
        typer.Option(
            "--crop", help="Read pages in full-size tiles as well, for small print.", rich_help_panel=WHAT
        ),
    ] = False
    max_patches: Annotated[
        int | None,
        typer.Option(
            parser=count, metavar="N", help="The most tiles; switches --crop on.", rich_help_panel=WHAT
        ),
    ] = None
    lines: Annotated[
        bool | None,
        typer.Option(
            "--lines/--no-lines",
            help="Find the lines of each page and read them one by one; by default for models made for it, as the "
            "embedded one is.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None
    paragraphs: Annotated[
        bool,
        typer.Option("--paragraphs", help="Join lines of a block into running text.", rich_help_panel=WHAT),
    ] = False
    dehyphenate: Annotated[
        bool,
        typer.Option(
            "--dehyphenate", help="Put words together that a line's end divides.", rich_help_panel=WHAT
        ),
    ] = False


@dataclass(frozen=True)
class PartOptions(TextOptions):
    """And about one part of it, or all pages at once."""

    box: Annotated[
        str | None,
        typer.Option(
            metavar="X1,Y1,X2,Y2", help="Read this region, in pixels of the page.", rich_help_panel=WHAT
        ),
    ] = None
    color: Annotated[
        str | None,
        typer.Option(
            metavar="COLOR",
            help="Read what stands in the frame of this colour: red, green or blue.",
            rich_help_panel=WHAT,
        ),
    ] = None
    multi_page: Annotated[
        bool,
        typer.Option("--multi-page", help="Read all pages of all inputs as one text.", rich_help_panel=WHAT),
    ] = False


@dataclass(frozen=True)
class InputOptions:
    """How documents are opened."""

    recursive: Recursive = False
    skip_blank: Annotated[
        bool,
        typer.Option(
            "--skip-blank/--no-skip-blank",
            help="Pages with nothing but paper on their picture are empty without asking the model.",
            rich_help_panel=INPUT,
        ),
    ] = True
    dpi: Dpi = None
    password: Password = None
    max_pixels: Annotated[
        int | None,
        typer.Option(
            parser=count,
            metavar="N",
            envvar="GOT_OCR2_MAX_PIXELS",
            help="The largest page that is opened; 89000000 by default.",
            rich_help_panel=INPUT,
        ),
    ] = None


@dataclass(frozen=True)
class OutputOptions:
    """Where the text goes, and as what."""

    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file for one document, a folder for several; standard output by default.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT[,FORMAT...]",
            help="Write other files than text, one a format: md, html, latex, docx, pdf, csv, xlsx, svg, png, midi, "
            "musicxml, mol, hocr, alto, searchable-pdf and more; see got-ocr2 render.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Text, status, tokens and times of every page as JSON, one line a document.",
            rich_help_panel=OUTPUT,
        ),
    ] = False
    confidence: Annotated[
        str,
        typer.Option(
            metavar="page|line|word|character",
            help="How finely --json tells how sure the model was.",
            rich_help_panel=OUTPUT,
        ),
    ] = "page"
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing", help="Leave out documents whose output is there.", rich_help_panel=OUTPUT
        ),
    ] = False
    force: Force = False
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say what is done.", rich_help_panel=OUTPUT)
    ] = False
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="No progress, no warnings; errors only.", rich_help_panel=OUTPUT),
    ] = False
    boxes: Annotated[
        bool,
        typer.Option(
            "--boxes",
            help="Places for the lines and words of the text, from the lines that the embedded model finds and reads; "
            "for --json, hocr, alto, page-xml, tsv and searchable-pdf.",
            rich_help_panel=OUTPUT,
        ),
    ] = False


@dataclass(frozen=True)
class DecodingOptions:
    """When the text of a page ends; the fields are those of `ReadOptions`."""

    max_new_tokens: Annotated[
        int | None,
        typer.Option(
            parser=count,
            metavar="N",
            envvar="GOT_OCR2_MAX_NEW_TOKENS",
            help="The longest text of a page, in tokens.",
            rich_help_panel=HOW,
        ),
    ] = None
    deadline: Annotated[
        float | None,
        typer.Option(
            parser=positive,
            metavar="SECONDS",
            envvar="GOT_OCR2_DEADLINE",
            help="The longest work on a page; its text ends there.",
            rich_help_panel=HOW,
        ),
    ] = None
    on_loop: Annotated[
        str,
        typer.Option(
            envvar="GOT_OCR2_ON_LOOP",
            metavar="stop|penalise|retry_cropped|ignore",
            help="When the model repeats itself: cut the text there, go on without repeats, read the page again "
            "in tiles, or do nothing.",
            rich_help_panel=HOW,
        ),
    ] = "stop"


@dataclass(frozen=True)
class DraftOptions(DecodingOptions):
    """And how it is written."""

    no_repeat_ngram: Annotated[
        str | None,
        typer.Option(
            metavar="N|original",
            help="No run of N tokens twice; original is what the demo of the model's authors does.",
            rich_help_panel=HOW,
        ),
    ] = None
    draft: Annotated[
        str | None,
        typer.Option(
            metavar="pdf-text|lines|FILE",
            help="What the document is thought to say: read faster, with the same result; lines lets the embedded "
            "model read it first.",
            rich_help_panel=HOW,
        ),
    ] = None
    speculate: Annotated[
        bool | None,
        typer.Option(
            "--speculate/--no-speculate",
            help="Guess tokens and verify several at once; with --draft by default.",
            show_default=False,
            rich_help_panel=HOW,
        ),
    ] = None
