"""`got-ocr2 train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a recipe, such as small.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder; a run in it goes on where it stopped.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="STAGE.NAME=VALUE", help="Change a setting of a stage; repeatable."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all by default.")] = None,
) -> int:
    """Train a model from nothing: all stages of a recipe, then the exported model in OUT/model.

    The loss of every stage is in OUT/STAGE/log.jsonl. Stop it when you like: the same command goes on from the
    last checkpoint, with the same samples.
    """
    import torch

    from ..training.recipes import recipe as find
    from ..training.recipes import with_stage_overrides
    from ..training.run import run

    if threads is not None:
        torch.set_num_threads(threads)
    # Optimiser states decay into denormal numbers, which CPUs multiply a hundred times slower.
    torch.set_flush_denormal(True)
    chosen = with_stage_overrides(find(recipe), settings or [])
    try:
        run(chosen, out, log=lambda line: typer.echo(line, err=True))
    except KeyboardInterrupt:
        typer.echo(f"Stopped; the same command goes on from the last checkpoint in {out}.", err=True)
        return 130
    return 0
