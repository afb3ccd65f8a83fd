"""One process of a distributed run; `test_training_scale` starts two and compares what they learn."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from test_training_loop import STAGE
from test_training_pieces import ENGINE, TINY

from got_ocr2.training.batches import Collator
from got_ocr2.training.checkup import Checkup
from got_ocr2.training.data import BatchStream
from got_ocr2.training.distributed import Group, join
from got_ocr2.training.loop import Trainer
from got_ocr2.training.run import build

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


def scaled_trainer(folder: Path, group: Group, accumulate: int = 1, stage=SCALED) -> Trainer:
    model, processor = build(TINY, stage.canvas, stage.seed)
    own = range(group.rank * accumulate, (group.rank + 1) * accumulate)
    stream = BatchStream(
        ENGINE, Collator(processor, (8, 8), 400), stage.batch_size, 1,
        parts=group.size * accumulate, own=own, pool=stage.pool,
    )  # fmt: skip
    trainer = Trainer(model, stage, stream, folder, group=group)
    trainer.optimizers = [torch.optim.SGD(trainer.trained.parameters())]
    return trainer


if __name__ == "__main__":
    joined = join("cpu")
    trainer = scaled_trainer(Path(sys.argv[1]), joined)
    if joined.is_first:
        trainer.checkup = Checkup(trainer.stream.collator, [ENGINE.sample(9, 0)])
    trainer.run()
    joined.close()
