"""The stream of training batches: batch n is a function of the seed, the batch size and n alone.

So the number of data processes changes nothing, and a run resumes in the middle by starting at another n.

Data processes are started afresh, not forked: a fork of a process with threads may hang, and Typst's do. A script that
trains through this package therefore keeps what it does under `if __name__ == "__main__":`.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.context import BaseContext

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ...errors import InvalidOptionError
from ...synth.sample import Engine, Sample
from .batches import Collator, Row, TooLongError, TrainingBatch

_OTHER_STREAM = 1_000_003  # far from any seed that a person chooses
GROUP = 8  # steps that share a pool of samples, unless told otherwise


class BatchStream(Dataset[list[TrainingBatch]]):
    """Item n is group n of an endless stream: the batches of `pool` steps, made of samples sorted by length.

    Sorting keeps padding small; the batches of a group come in random order, so lengths do not march.

    The samples of each step are dealt to `parts` that are computed apart, by processes of a distributed run or
    one after another. What a step sees depends on the number of parts, not on who computes them.

    Args:
        engine: draws the samples; several engines make one `synth.mixture.Mixture`.
        collator: makes tensors of samples.
        batch_size: samples in a step.
        seed: of the stream.
        parts: into how many batches a step is divided.
        own: which parts are made here; all by default.
        pool: steps in a group.
        redraws: how often a sample that is too long for the collator is drawn anew; then it is an error.
        narrow: share of the steps whose canvases end where their widest picture does.

    Raises:
        InvalidOptionError: the parts do not divide the step.
    """

    def __init__(
        self, engine: Engine, collator: Collator, batch_size: int, seed: int, *,
        parts: int = 1, own: Sequence[int] | None = None, pool: int = GROUP, redraws: int = 0,
        narrow: float = 0.0,
    ) -> None:  # fmt: skip
        if batch_size % parts:
            raise InvalidOptionError(
                f"A batch of {batch_size} samples cannot be divided evenly into {parts} parts (processes x "
                "accumulate)."
            )
        self.engine = engine
        self.collator = collator
        self.batch_size = batch_size
        self.seed = seed
        self.parts = parts
        self.own = tuple(range(parts)) if own is None else tuple(own)
        self.pool = pool
        self.redraws = redraws
        self.narrow = narrow

    def __getitem__(self, n: int) -> list[TrainingBatch]:
        """The own parts of the first step, then those of the second, ..."""
        size = self.pool * self.batch_size
        rng = np.random.default_rng([self.seed, 2, n])
        order = rng.permutation(self.pool)
        narrow = rng.random(self.pool) < self.narrow
        share = self.batch_size // self.parts
        sorted_parts: list[list[tuple[int, Sample]]] = []
        for part in self.own:
            indices = range(n * size + part, (n + 1) * size, self.parts)
            drawn = [(i, self.engine.sample(self.seed, i)) for i in indices]
            sorted_parts.append(sorted(drawn, key=_aspect if self.narrow else _length))
        return [
            self.collator.stack(
                [self._row(*pair) for pair in drawn[k * share : (k + 1) * share]], narrow=bool(narrow[k])
            )
            for k in order
            for drawn in sorted_parts
        ]

    def _row(self, index: int, sample: Sample) -> Row:
        """The sample, or the first of a few others in its place that is not too long."""
        for attempt in range(1, self.redraws + 1):
            try:
                return self.collator.row(sample)
            except TooLongError:
                sample = self.engine.sample(self.seed + attempt * _OTHER_STREAM, index)
        return self.collator.row(sample)


def _length(drawn: tuple[int, Sample]) -> float:
    return len(drawn[1].text)


def _aspect(drawn: tuple[int, Sample]) -> float:
    picture = drawn[1].images[0]
    return picture.width / picture.height


def batches(stream: BatchStream, start: int, stop: int, workers: int) -> Iterator[TrainingBatch]:
    """The batches of steps `start` to `stop - 1` in order, made by `workers` processes (0: in this one).

    With several own parts, each step gives as many batches.
    """
    loader = DataLoader(
        stream,
        batch_size=None,
        sampler=range(start // stream.pool, -(-stop // stream.pool)),
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        multiprocessing_context=_fresh_processes() if workers else None,
        worker_init_fn=_single_threaded,
    )
    each = len(stream.own)
    number = (start - start % stream.pool) * each
    for group in loader:
        for batch in group:
            if start * each <= number < stop * each:
                yield batch
            number += 1


def _fresh_processes() -> BaseContext:
    """Where there is one, a server that has imported this module and was never more than that makes the processes."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _single_threaded(_worker: int) -> None:
    torch.set_num_threads(1)
