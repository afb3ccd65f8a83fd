"""`got-ocr2 bench`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import InvalidOptionError
from .options import benchmarking as own
from .options import shared
from .output.tables import show_table
from .output.terminal import note
from .output.writing import check_new, write_whole

if TYPE_CHECKING:
    from ..benchmarking.benchmark import Bench

_COLUMNS = (
    "model", "batch", "pages/s", "tokens/s", "first token s", "ms/step", "of bandwidth", "peak GB", "x pages", "x step",
    "same ids",
)  # fmt: skip


def bench(
    model: shared.Model = "default",
    random: own.Random = False,
    variants: own.Variants = "exact",
    against: own.Against = None,
    batch: own.Batch = "1,4",
    tokens: own.Tokens = 64,
    rounds: own.Rounds = 3,
    device: own.Device = "auto",
    threads: shared.Threads = None,
    json: own.Json = None,
    plot: own.Plot = None,
    force: shared.Force = False,
    quiet: shared.Quiet = False,
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
    show_table(_COLUMNS, rows, left={"model"})
