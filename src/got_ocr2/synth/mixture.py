"""Engines made of engines: several by weight, and one whose samples are degraded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InvalidOptionError
from .degradation.degrade import degrade
from .sample import Engine, Sample, sample_rng


class Mixture:
    """Draws each sample from one of several engines.

    Args:
        engines: engines with their weights, which need not sum to one.

    Raises:
        InvalidOptionError: no engines, a negative weight, or all weights zero.
    """

    kind = "mixture"

    def __init__(self, engines: Sequence[tuple[Engine, float]]) -> None:
        weights = np.array([weight for _, weight in engines], np.float64)
        if not len(weights) or weights.min() < 0 or weights.sum() <= 0:
            raise InvalidOptionError(
                f"A mixture needs weights >= 0 that are not all zero, got {weights.tolist()}."
            )
        self.engines = tuple(engine for engine, _ in engines)
        self.shares = weights / weights.sum()

    def sample(self, seed: int, index: int) -> Sample:
        """Sample `index` of the stream `seed` of the engine that is drawn for it."""
        chosen = int(sample_rng(seed, self.kind, index).choice(len(self.engines), p=self.shares))
        return self.engines[chosen].sample(seed, index)


class Degraded:
    """Draws the samples of an engine and degrades each by a strength that is uniform from 0 to a limit.

    Args:
        engine: draws clean samples.
        strength: the limit, 0 to 1.

    Raises:
        InvalidOptionError: a strength outside 0 to 1.
    """

    def __init__(self, engine: Engine, strength: float) -> None:
        if not 0 <= strength <= 1:
            raise InvalidOptionError(f"The strength of degradation is {strength}; it must lie in 0 to 1.")
        self.engine = engine
        self.strength = strength
        self.kind = engine.kind

    def sample(self, seed: int, index: int) -> Sample:
        """Sample `index` of the engine's stream `seed`, degraded."""
        rng = sample_rng(seed, "degradation", index)
        return degrade(self.engine.sample(seed, index), rng, float(rng.uniform(0, self.strength)))
