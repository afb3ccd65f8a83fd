"""`got-ocr2 finetune` and `got-ocr2 merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import FileAccessError
from .dispatch import INTERRUPTED
from .options import Model, Shard, Tensorboard, TrainingDevice, TrainingThreads
from .terminal import note
from .values import positive

_DATA, _HOW, _ADAPTER, _RUN = "Data", "Training", "Adapter (lora)", "Run"


def finetune(
    model: Model,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Pictures with a .txt each, a folder with data.jsonl, or GOT's conversations JSON.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="For the result; a run in it goes on.")
    ],
    mode: Annotated[
        str,
        typer.Option(
            metavar="full|frozen-vision|lora",
            help="What learns: everything, all but the encoder, or an adapter (needs peft).",
            rich_help_panel=_HOW,
        ),
    ] = "full",
    epochs: Annotated[float, typer.Option(help="How often each page is seen.", rich_help_panel=_HOW)] = 3.0,
    steps: Annotated[
        int, typer.Option(metavar="N", help="Steps instead of epochs.", rich_help_panel=_HOW)
    ] = 0,
    minutes: Annotated[
        float | None,
        typer.Option(
            parser=positive, metavar="N", help="End after so much time at the latest.", rich_help_panel=_HOW
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(metavar="N", help="Pages a step, all processes together.", rich_help_panel=_HOW)
    ] = 8,
    accumulate: Annotated[
        int,
        typer.Option(
            metavar="N", help="Batches computed one after another for a step.", rich_help_panel=_HOW
        ),
    ] = 1,
    learning_rate: Annotated[
        float,
        typer.Option(metavar="RATE", help="Peak; 2e-5 by default, 2e-4 for lora.", rich_help_panel=_HOW),
    ] = 0.0,
    muon: Annotated[
        bool,
        typer.Option(
            "--muon", help="Muon for the matrices, as small models are made with.", rich_help_panel=_HOW
        ),
    ] = False,
    checkpointing: Annotated[
        bool, typer.Option("--checkpointing", help="Less memory for a third more time.", rich_help_panel=_HOW)
    ] = False,
    bf16: Annotated[
        bool,
        typer.Option(
            "--bf16/--fp32",
            help="Precision of the arithmetic, where the hardware has bf16.",
            rich_help_panel=_HOW,
        ),
    ] = True,
    ema: Annotated[
        float,
        typer.Option(metavar="DECAY", help="Export a running mean of the weights.", rich_help_panel=_HOW),
    ] = 0.0,
    test: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Pages to measure the error on.", rich_help_panel=_DATA),
    ] = None,
    hold_out: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Hold out so many pages of DATA instead; -1 is a tenth, at most 32.",
            rich_help_panel=_DATA,
        ),
    ] = -1,
    max_length: Annotated[
        int,
        typer.Option(
            metavar="N", help="Longest sample in ids; 0 is what the model holds.", rich_help_panel=_DATA
        ),
    ] = 0,
    skip_long: Annotated[
        bool, typer.Option("--skip-long", help="List and leave out longer samples.", rich_help_panel=_DATA)
    ] = False,
    rank: Annotated[int, typer.Option(metavar="N", help="Rank.", rich_help_panel=_ADAPTER)] = 16,
    alpha: Annotated[float, typer.Option(help="Scale, over the rank.", rich_help_panel=_ADAPTER)] = 32.0,
    target: Annotated[
        str,
        typer.Option(metavar="decoder|all", help="`all` adapts the encoder too.", rich_help_panel=_ADAPTER),
    ] = "decoder",
    seed: Annotated[int, typer.Option(help="Of the order of pages.", rich_help_panel=_RUN)] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Data processes.", rich_help_panel=_RUN)] = 2,
    threads: TrainingThreads = None,
    shard: Shard = False,
    device: TrainingDevice = "auto",
    tensorboard: Tensorboard = False,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw the log as DIR/log.png.", rich_help_panel=_RUN)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No rows of the log.", rich_help_panel=_RUN)
    ] = False,
) -> int:
    """Train a checkpoint further on pages of your own; the result is DIR/model.

    Every page is opened before training starts: one that cannot be read or is too long is an error that names
    it. Stop it when you like: the same command goes on from the last checkpoint.
    """
    import torch

    from ..training.distributed import join
    from ..training.finetune import FineTuning
    from ..training.finetune import finetune as run

    how = FineTuning(
        mode=mode, epochs=epochs, steps=steps, minutes=minutes or 0.0, batch_size=batch_size, accumulate=accumulate,
        learning_rate=learning_rate, max_length=max_length, skip_long=skip_long, hold_out=hold_out, rank=rank,
        alpha=alpha, target=target, muon=muon, bf16=bf16, checkpointing=checkpointing, ema=ema, seed=seed,
        workers=workers,
    )  # fmt: skip
    if threads is not None:
        torch.set_num_threads(threads)
    group = join(device)
    say = note if group.is_first else _nothing
    torch.set_flush_denormal(True)  # optimiser states decay into denormal numbers, which are slow
    try:
        run(
            None if model == "default" else model, data, out, how, test=test, log=say,
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
