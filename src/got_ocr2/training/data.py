"""The stream of training batches: batch n is a function of the seed, the batch size and n alone.

So the number of data processes changes nothing, and a run resumes in the middle by starting at another n.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ..synth.sample import Engine
from .batches import Collator, TrainingBatch

GROUP = 8  # batches that share a pool of samples


class BatchStream(Dataset[list[TrainingBatch]]):
    """Item n is group n of an endless stream: `GROUP` batches made of one pool of samples sorted by length.

    Sorting keeps padding small; the batches of a group come in random order, so lengths do not march.

    Args:
        engine: draws the samples; several engines make one `synth.mixture.Mixture`.
        collator: makes tensors of samples.
        batch_size: samples in a batch.
        seed: of the stream.
    """

    def __init__(self, engine: Engine, collator: Collator, batch_size: int, seed: int) -> None:
        self.engine = engine
        self.collator = collator
        self.batch_size = batch_size
        self.seed = seed

    def __getitem__(self, n: int) -> list[TrainingBatch]:
        size = GROUP * self.batch_size
        samples = (self.engine.sample(self.seed, i) for i in range(n * size, (n + 1) * size))
        pool = sorted(samples, key=lambda sample: len(sample.text))
        order = np.random.default_rng([self.seed, 2, n]).permutation(GROUP)
        return [self.collator(pool[k * self.batch_size : (k + 1) * self.batch_size]) for k in order]


def batches(stream: BatchStream, start: int, stop: int, workers: int) -> Iterator[TrainingBatch]:
    """Batches `start` to `stop - 1` in order, made by `workers` processes (0: in this one)."""
    loader = DataLoader(
        stream,
        batch_size=None,
        sampler=range(start // GROUP, -(-stop // GROUP)),
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        worker_init_fn=_single_threaded,
    )
    number = start - start % GROUP
    for group in loader:
        for batch in group:
            if start <= number < stop:
                yield batch
            number += 1


def _single_threaded(_worker: int) -> None:
    torch.set_num_threads(1)
