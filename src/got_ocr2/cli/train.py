"""`got-ocr2 train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .dispatch import INTERRUPTED
from .options import shared
from .options import training as own
from .output.terminal import note


def train(
    recipe: own.Recipe,
    out: own.Out,
    settings: own.Settings = None,
    tokenizer: own.Tokenizer = None,
    start: own.Start = None,
    minutes: own.Minutes = None,
    stop_after: own.StopAfter = None,
    shard: shared.Shard = False,
    device: shared.TrainingDevice = "auto",
    tensorboard: shared.Tensorboard = False,
    plot: own.Plot = False,
    quiet: own.Quiet = False,
    threads: shared.TrainingThreads = None,
) -> int:
    """Train a model, from nothing unless --start names one: all stages of a recipe, then export it to OUT/model.

    The losses of every stage are in OUT/STAGE/log.jsonl. Stop it when you like: the same command goes on from
    the last checkpoint, with the same samples. Several GPUs: torchrun --nproc-per-node N -m got_ocr2 train ...
    """
    import torch

    from ..ocr import EMBEDDED_MODEL
    from ..training.distributed import join
    from ..training.recipes.catalog import recipe as find
    from ..training.recipes.catalog import with_minutes, with_stage_overrides
    from ..training.run import run

    if threads is not None:
        torch.set_num_threads(threads)
    chosen = with_stage_overrides(find(recipe), settings or [])
    if minutes is not None:
        chosen = with_minutes(chosen, minutes)
    if tokenizer is not None:
        chosen = replace(chosen, preset=replace(chosen.preset, tokenizer=str(tokenizer)))
    start_folder = None if start is None else EMBEDDED_MODEL if start == "default" else Path(start)
    group = join(device)
    say = note if group.is_first else _nothing
    # Optimiser states decay into denormal numbers, which CPUs multiply a hundred times slower.
    torch.set_flush_denormal(True)
    try:
        run(
            chosen, out, say,
            progress=_nothing if quiet else say, group=group, tensorboard=tensorboard, plots=plot,
            shard=shard, stop_after=stop_after or 0.0, start=start_folder,
        )  # fmt: skip
    except KeyboardInterrupt:
        say(f"Stopped; the same command goes on from the last checkpoint in {out}.")
        return INTERRUPTED
    finally:
        torch.set_flush_denormal(False)
        group.close()
    return 0


def _nothing(_line: str) -> None:
    """Says nothing."""
