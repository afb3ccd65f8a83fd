"""Two processes of two distributed runs; `test_training_scale` starts them and compares what they learn.

They are forked once everything is imported, which takes longer than all that they do.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from unittest.mock import patch

import torch
from test_training_loop import STAGE
from test_training_pieces import ENGINE, TINY

from got_ocr2.training import loop
from got_ocr2.training.data.batch_stream import BatchStream
from got_ocr2.training.data.batches import Collator
from got_ocr2.training.distributed import Group, join
from got_ocr2.training.finetune import FineTuning, finetune
from got_ocr2.training.loop import Trainer
from got_ocr2.training.optimization.optimizers import make_optimizers
from got_ocr2.training.run import build, export
from got_ocr2.training.validation import Checkup

# Four samples a step, whoever computes them; no clipping, plain gradient descent: nothing hides a wrong mean.
SCALED = replace(
    STAGE,
    steps=3,
    batch_size=4,
    pool=1,
    bf16=False,
    muon=False,
    clip=1e9,
    checkpoint_every=100,
    evaluate_every=2,
)


def plain_descent(modules, stage):
    """Gradient descent hides no wrong mean; its momentum is a state to be saved and dealt out."""
    return [torch.optim.SGD(modules.parameters(), lr=stage.learning_rate, momentum=0.5)]


def scaled_trainer(
    folder: Path, group: Group, accumulate: int = 1, stage=SCALED, *, shard=False, optimizers=plain_descent
) -> Trainer:
    model, processor = build(TINY, stage.canvas, stage.seed)
    own = range(group.rank * accumulate, (group.rank + 1) * accumulate)
    stream = BatchStream(
        ENGINE, Collator(processor, (8, 8), 400), stage.batch_size, 1,
        parts=group.size * accumulate, own=own, pool=stage.pool,
    )  # fmt: skip
    with patch.object(loop, "make_optimizers", optimizers):
        return Trainer(model, stage, stream, folder, group=group, shard=shard)


def run_whole(folder: Path, group: Group) -> None:
    """Each process has all weights; one of them reads held-out pages."""
    trainer = scaled_trainer(folder, group)
    if group.is_first:
        trainer.checkup = Checkup(trainer.stream.collator, [ENGINE.sample(9, 0)])
    trainer.run()


def run_sharded(folder: Path, group: Group) -> None:
    """One step, and the others by another trainer that resumes; the running mean is kept and exported."""
    stage = replace(SCALED, ema=0.5, checkpointing=True)
    first = scaled_trainer(folder, group, 2, replace(stage, steps=1, evaluate_every=100), shard=True)
    first.run()
    second = scaled_trainer(folder, group, 2, stage, shard=True)
    assert second.step == 1
    second.checkup = Checkup(second.stream.collator, [ENGINE.sample(9, 0)])
    second.run()
    with second.averaged():
        whole = second.whole_model()
    if group.is_first:
        export(whole, second.stream.collator.processor, folder / "model")
    group.wait()
    own_optimizers(folder / "own", group).run()
    pages = folder / "pages"
    if group.is_first:
        pages.mkdir()
        for i in range(3):
            sample = ENGINE.sample(3, i)
            sample.image.save(pages / f"{i}.png")
            (pages / f"{i}.txt").write_text(sample.text, encoding="utf-8")
    group.wait()
    how = FineTuning(steps=1, batch_size=2, workers=0, bf16=False, hold_out=1, mode="frozen-vision")
    finetune(folder / "model", pages, folder / "tuned", how, group=group, shard=True, log=lambda line: None)


def own_optimizers(folder: Path, group: Group) -> Trainer:
    """Two steps by the optimisers that training really has."""
    stage = replace(SCALED, steps=2, muon=True, clip=1.0, checkpoint_every=1)
    return scaled_trainer(folder, group, stage=stage, shard=group.size > 1, optimizers=make_optimizers)


def run_both(rank: int, folder: Path) -> None:
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    joined = join("cpu")
    run_whole(folder / "whole", joined)
    run_sharded(folder / "sharded", joined)
    joined.close()


def main() -> int:
    """The exit code of the first process that fails, which ends the other too, or 0."""
    # Every optimiser does when it is made; those who collect tests need not.
    importlib.import_module("torch._dynamo")

    processes = [get_context("fork").Process(target=run_both, args=(i, Path(sys.argv[1]))) for i in range(2)]
    for process in processes:
        process.start()
    running = list(processes)
    while running:
        wait([process.sentinel for process in running])
        for process in [one for one in running if one.exitcode is not None]:
            running.remove(process)
            if process.exitcode:
                for other in running:
                    other.terminate()
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
