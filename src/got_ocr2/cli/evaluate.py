"""`got-ocr2 evaluate`."""

from __future__ import annotations

import json as json_module
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import GotOcr2Error, InvalidOptionError
from .options import Device, Dtype, Model, Quiet
from .progress import PageProgress
from .terminal import note

if TYPE_CHECKING:
    from ..evaluation import Evaluation, Reading

_SET, _HOW, _OUTPUT = "Data set", "Model", "Output"


def evaluate(
    model: Model,
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="A folder: pictures with a .txt each, a data.jsonl, Fox, OmniDocBench or olmOCR-bench.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write a report here: report.md, report.json, predictions, the worst pages.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the scores as JSON.", rich_help_panel=_OUTPUT)
    ] = False,
    worst: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="How many of the worst pages to show.", rich_help_panel=_OUTPUT
        ),
    ] = 10,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a report that is there.", rich_help_panel=_OUTPUT)
    ] = False,
    quiet: Quiet = False,
    layout: Annotated[
        str,
        typer.Option(
            metavar="auto|pairs|jsonl|fox|omnidocbench|olmocr",
            help="How the folder is laid out; auto looks.",
            rich_help_panel=_SET,
        ),
    ] = "auto",
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Read only the first pages.", rich_help_panel=_SET)
    ] = None,
    paper: Annotated[
        bool,
        typer.Option(
            "--paper",
            help="Add BLEU and METEOR, and formulas and tables apart, as in the paper's tables.",
            rich_help_panel=_SET,
        ),
    ] = False,
    level: Annotated[
        str,
        typer.Option(
            metavar="word|character",
            help="What F1, BLEU and METEOR count; the paper's scene text is by character.",
            rich_help_panel=_SET,
        ),
    ] = "word",
    released: Annotated[
        bool,
        typer.Option(
            "--released",
            help="Score as GOT's released script, its swapped arguments included, to compare with the paper.",
            rich_help_panel=_SET,
        ),
    ] = False,
    crop: Annotated[
        bool | None,
        typer.Option(
            "--crop/--no-crop",
            help="Read pages in full-size tiles as well; by default what each page's task says.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    max_patches: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="The most tiles.", rich_help_panel=_HOW)
    ] = None,
    max_new_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="The longest text of a page, in tokens.", rich_help_panel=_HOW),
    ] = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> int:
    """Read a data set and say how well: error rates, the paper's metrics, TEDS, formulas and more.

    Scores go to standard output with 95 % bootstrap intervals. A page that cannot be read counts as empty, is
    named on standard error, and the exit code is 15.
    """
    if level not in ("word", "character"):
        raise InvalidOptionError(f"--level must be word or character, got {level!r}.")
    from ..evaluation import Scoring, load_dataset, to_dict, write_report
    from ..evaluation import evaluate as run

    found = load_dataset(dataset, layout)  # type: ignore[arg-type]
    if output is not None and not force and (Path(output) / "report.json").exists():
        raise InvalidOptionError(f"{output} holds a report already; --force replaces it.")
    pages = len(found.pages) if limit is None else min(limit, len(found.pages))
    with PageProgress(pages, shown=not quiet) as progress:
        progress.waiting("opening the model")
        from ..ocr import OCR

        ocr = OCR.from_pretrained(None if model == "default" else model, device=device, dtype=dtype)
        progress.waiting(found.name)

        def page_done(reading: Reading) -> None:
            progress.page_done()
            if reading.error is not None:
                note(f"{reading.page.id}: {reading.error}")

        evaluation = run(
            ocr,
            found,
            scoring=Scoring(level, paper, released),
            limit=limit,
            model=model,
            crop=crop,
            max_patches=max_patches,
            max_new_tokens=max_new_tokens,
            progress=page_done,
        )
    if output is not None:
        note(f"Report: {write_report(evaluation, output, worst=worst, force=force)}")
    if json:
        data = to_dict(evaluation)
        del data["readings"]
        typer.echo(json_module.dumps(data, ensure_ascii=False))
    else:
        _show(evaluation)
    return GotOcr2Error.exit_code if evaluation.failed else 0


def _show(evaluation: Evaluation) -> None:
    """The scores as a table on a terminal, as lines of tab-separated fields elsewhere."""
    rows = [
        (group, name, *(f"{v:.4f}" if math.isfinite(v) else "-" for v in estimate[:3]), str(estimate.pages))
        for group, found in evaluation.summary().items()
        for name, estimate in found.items()
    ]
    score = evaluation.olmocr_score()
    if score is not None:
        rows.append(("all", "olmocr_score", *(f"{v:.4f}" for v in score[:3]), str(score.pages)))
    names = ("group", "metric", "value", "low", "high", "pages")
    if not sys.stdout.isatty():
        for row in (names, *rows):
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{evaluation.model} on {evaluation.dataset.name}", box=None, header_style="bold")
    for name in names:
        table.add_column(name, justify="left" if name in ("group", "metric") else "right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
