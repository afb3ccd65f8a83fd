"""`got-ocr2 finetune` and `got-ocr2 merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import FileAccessError
from .dispatch import INTERRUPTED
from .options import finetuning as own
from .options.groups import grouped
from .options.shared import Model, Shard, Tensorboard, TrainingDevice, TrainingThreads
from .output.terminal import note


@grouped
def finetune(
    model: Model,
    data: own.Data,
    out: own.Out,
    how: own.TuningOptions,
    test: own.Test = None,
    threads: TrainingThreads = None,
    shard: Shard = False,
    device: TrainingDevice = "auto",
    tensorboard: Tensorboard = False,
    plot: own.Plot = False,
    quiet: own.Quiet = False,
) -> int:
    """Train a checkpoint further on pages of your own; the result is DIR/model.

    Every page is opened before training starts: one that cannot be read or is too long is an error that names
    it. Stop it when you like: the same command goes on from the last checkpoint.
    """
    import torch

    from ..training.distributed import join
    from ..training.finetune import FineTuning
    from ..training.finetune import finetune as run

    tuning = FineTuning(**{**vars(how), "minutes": how.minutes or 0.0})
    if threads is not None:
        torch.set_num_threads(threads)
    group = join(device)
    say = note if group.is_first else _nothing
    torch.set_flush_denormal(True)  # optimiser states decay into denormal numbers, which are slow
    try:
        run(
            None if model == "default" else model, data, out, tuning, test=test, log=say,
            progress=_nothing if quiet else say, group=group, tensorboard=tensorboard, plots=plot,
            shard=shard,
        )  # fmt: skip
    except KeyboardInterrupt:
        say(f"Stopped; the same command goes on from the last checkpoint in {out}.")
        return INTERRUPTED
    finally:
        torch.set_flush_denormal(False)
        group.close()
    return 0


def merge(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The checkpoint that the adapter was trained on.")
    ],
    adapter: Annotated[Path, typer.Argument(metavar="ADAPTER", help="Folder with adapter_config.json.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="For the merged checkpoint.")],
) -> int:
    """Add a LoRA adapter to the weights of its model; the result is a checkpoint like any other."""
    from ..ocr import OCR
    from ..training.adapters import merge_saved
    from ..training.run import export

    if out.exists() and any(out.iterdir()):
        raise FileAccessError(f"{out} is not empty; give another folder for the merged checkpoint.")
    opened = OCR.from_pretrained(None if model == "default" else model, device="cpu", dtype="float32")
    export(merge_saved(opened.model, adapter), opened.processor, out)
    note(f"model: {out}")
    return 0


def _nothing(_line: str) -> None:
    """Says nothing."""
