"""Samples straight into a trainer, without touching the disk."""

from __future__ import annotations

from collections.abc import Iterator

from torch.utils.data import IterableDataset, get_worker_info

from ..errors import InvalidOptionError
from .sample import Engine, Sample


class SampleStream(IterableDataset[Sample]):
    """Samples `start`, `start + 1`, ... of an engine, shared out among the workers of a `DataLoader`.

    A sample depends on the engine, the seed and its number alone, so neither the number of workers nor a
    restart changes it; to resume after n samples, start at n. With W workers, worker w gives the samples
    whose number leaves w after division by W, so each is drawn exactly once. Use `mixture.Mixture` for
    several engines.

    Args:
        engine: draws the samples.
        seed: of the stream.
        start: number of the first sample.
        count: how many samples; None for an endless stream.
        rank, world_size: this process of a distributed run and their number; each process gets its own share.

    Raises:
        InvalidOptionError: a number out of range.
    """

    def __init__(
        self,
        engine: Engine,
        seed: int,
        *,
        start: int = 0,
        count: int | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if start < 0 or (count is not None and count < 0):
            raise InvalidOptionError(
                f"A stream starts at {start} and has {count} samples; neither may be negative."
            )
        if not 0 <= rank < world_size:
            raise InvalidOptionError(f"Rank {rank} is outside 0 to {world_size - 1}.")
        self.engine = engine
        self.seed = seed
        self.start = start
        self.count = count
        self.rank = rank
        self.world_size = world_size

    def __iter__(self) -> Iterator[Sample]:
        worker = get_worker_info()
        workers, number = (worker.num_workers, worker.id) if worker else (1, 0)
        index = self.start + self.rank * workers + number
        while self.count is None or index < self.start + self.count:
            yield self.engine.sample(self.seed, index)
            index += self.world_size * workers
