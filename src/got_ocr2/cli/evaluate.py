"""`got-ocr2 evaluate`."""

from __future__ import annotations

import json as json_module
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import GotOcr2Error, InvalidOptionError
from .options import evaluation as own
from .options.shared import Device, Dtype, Model, Quiet
from .output.progress import PageProgress
from .output.terminal import note

if TYPE_CHECKING:
    from ..evaluation import Evaluation, Reading


def evaluate(
    model: Model,
    dataset: own.Dataset,
    output: own.Output = None,
    json: own.Json = False,
    worst: own.Worst = 10,
    force: own.Force = False,
    quiet: Quiet = False,
    layout: own.Layout = "auto",
    limit: own.Limit = None,
    paper: own.Paper = False,
    level: own.Level = "word",
    released: own.Released = False,
    crop: own.Crop = None,
    max_patches: own.MaxPatches = None,
    max_new_tokens: own.MaxNewTokens = None,
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
