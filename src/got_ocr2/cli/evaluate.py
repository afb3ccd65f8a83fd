"""`got-ocr2 evaluate`."""

from __future__ import annotations

import json as json_module
import math
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import GotOcr2Error, InvalidOptionError
from .options import evaluation as own
from .options.groups import grouped
from .options.shared import Device, Dtype, Model, Quiet
from .output.progress import PageProgress
from .output.tables import show_table
from .output.terminal import note

if TYPE_CHECKING:
    from ..evaluation import Evaluation, Reading


@grouped
def evaluate(
    model: Model,
    dataset: own.Dataset,
    report: own.ReportOptions,
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
    from ..evaluation import Scoring, load_dataset
    from ..evaluation import evaluate as run

    found = load_dataset(dataset, layout)  # type: ignore[arg-type]
    if report.output is not None and not report.force and (Path(report.output) / "report.json").exists():
        raise InvalidOptionError(f"{report.output} holds a report already; --force replaces it.")
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
    _report(evaluation, report)
    return GotOcr2Error.exit_code if evaluation.failed else 0


def _report(evaluation: Evaluation, report: own.ReportOptions) -> None:
    from ..evaluation import to_dict, write_report

    if report.output is not None:
        folder = write_report(evaluation, report.output, worst=report.worst, force=report.force)
        note(f"Report: {folder}")
    if report.json:
        data = {name: value for name, value in to_dict(evaluation).items() if name != "readings"}
        typer.echo(json_module.dumps(data, ensure_ascii=False))
    else:
        _show(evaluation)


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
    title = f"{evaluation.model} on {evaluation.dataset.name}"
    show_table(names, rows, left={"group", "metric"}, title=title)
