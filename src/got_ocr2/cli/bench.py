"""`got-ocr2 bench`."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InvalidOptionError
from .options.shared import Force, Model, Quiet, Threads
from .output.terminal import note
from .output.writing import check_new, write_whole

if TYPE_CHECKING:
    from ..benchmarking.benchmark import Bench

_WHAT, _HOW, _OUTPUT = "What to measure", "Model", "Output"
_COLUMNS = (
    ("model", "left"),
    ("batch", "right"),
    ("pages/s", "right"),
    ("tokens/s", "right"),
    ("first token s", "right"),
    ("ms/step", "right"),
    ("of bandwidth", "right"),
    ("peak GB", "right"),
    ("x pages", "right"),
    ("x step", "right"),
    ("same ids", "right"),
)


def bench(
    model: Model = "default",
    random: Annotated[
        bool,
        typer.Option(
            "--random",
            help="Random weights of the published size instead of a model: 1.1 GB of temporary files.",
            rich_help_panel=_HOW,
        ),
    ] = False,
    variants: Annotated[
        str,
        typer.Option(
            metavar="NAME,...",
            help="exact: the weights as published; int8, int4: quantised; torch: without kernels of our own.",
            rich_help_panel=_WHAT,
        ),
    ] = "exact",
    against: Annotated[
        str | None,
        typer.Option(
            metavar="transformers", help="Measure it too, and give ratios to it.", rich_help_panel=_WHAT
        ),
    ] = None,
    batch: Annotated[
        str, typer.Option(metavar="N,...", help="Pages that are read together.", rich_help_panel=_WHAT)
    ] = "1,4",
    tokens: Annotated[
        int, typer.Option(metavar="N", min=2, help="Written for every page.", rich_help_panel=_WHAT)
    ] = 64,
    rounds: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="Medians over so many measurements.", rich_help_panel=_WHAT),
    ] = 3,
    device: Annotated[
        str,
        typer.Option(
            envvar="GOT_OCR2_DEVICE", metavar="auto|cpu|cuda", help="Where to run.", rich_help_panel=_HOW
        ),
    ] = "auto",
    threads: Threads = None,
    json: Annotated[
        str | None,
        typer.Option(
            "--json", metavar="FILE", help="Write the figures here as JSON.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option(
            "--plot", metavar="FILE", help="Draw them: .png, .svg or .pdf.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> int:
    """Measure how fast this machine reads with a model.

    Each variant runs in a process of its own; they take turns, and the figures are medians. A page is one picture
    of the model's size and so many tokens; pictures and prompts are random, which speed does not depend on. The
    last line of standard output is JSON.
    """
    from ..benchmarking.benchmark import BenchOptions, run_bench
    from ..machine import describe

    if not force:
        check_new([None if name is None else Path(name) for name in (json, plot)])
    if random and model != "default":
        raise InvalidOptionError(f"--random takes no model, got {model!r}.")
    if device == "auto":
        device = _best_device()
    options = BenchOptions(
        variants=tuple(part.strip() for part in variants.split(",")),
        against=against,
        batch_sizes=_sizes(batch),
        tokens=tokens,
        rounds=rounds,
        device=device,
        threads=describe()["cores"] if threads is None else threads,
    )
    if model == "default" and not random:
        from ..ocr import EMBEDDED_MODEL

        model = str(EMBEDDED_MODEL)
    found = run_bench(None if random else model, options, report=_silent if quiet else note)
    line = json_module.dumps(found.to_dict(), ensure_ascii=False)
    _show(found)
    if plot is not None:
        from ..benchmarking.plot import plot_bench

        plot_bench(found, plot)
    if json is not None:
        write_whole(Path(json), line + "\n", "replace")
    typer.echo(line)
    return 0


def _silent(_: str) -> None: ...


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InvalidOptionError(f"--batch must be whole numbers such as 1,4,8, got {text!r}.") from None


def _show(found: Bench) -> None:
    """What it ran on and the figures: a table on a terminal, tab-separated fields elsewhere."""
    machine = found.machine
    typer.echo(
        f"{machine.get('accelerator') or machine['processor']}, {machine['cores']} cores, {machine['threads']} "
        f"threads, reads {found.bandwidth / 1e9:.1f} GB/s"
    )
    typer.echo(", ".join(f"{name} {version}" for name, version in machine["packages"].items()))
    environment = " ".join(f"{name}={value}" for name, value in machine["environment"].items())
    typer.echo(f"malloc of {machine['libc']}; environment: {environment or 'nothing set'}")
    typer.echo(
        f"{found.model}: {found.prompt_tokens} + {found.options.tokens} tokens a page, medians of "
        f"{found.options.rounds}"
    )
    rows = [
        (
            one.label,
            str(one.batch),
            f"{one.pages_per_second:.3g}",
            f"{one.tokens_per_second:.1f}",
            f"{one.first_token_seconds:.3f}",
            f"{1000 * one.token_seconds:.2f}",
            f"{100 * one.roofline:.1f} %",
            "-" if one.peak_bytes is None else f"{one.peak_bytes / 1e9:.2f}",
            "-" if one.speedup is None else f"{one.speedup:.2f}",
            "-" if one.token_speedup is None else f"{one.token_speedup:.2f}",
            "-" if one.same_ids is None else f"{100 * one.same_ids:.1f} %",
        )
        for one in found.figures
    ]
    if not sys.stdout.isatty():
        for row in ([name for name, _ in _COLUMNS], *rows):
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for name, side in _COLUMNS:
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*row)
    Console().print(table)
