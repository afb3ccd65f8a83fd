"""Drawing again until a sample fits: what the engines made of other engines have in common."""

from __future__ import annotations

import numpy as np

from ...errors import GotOcr2Error
from ..sample import Engine

ATTEMPTS = 50
"""How often a source is asked before it is said to give nothing that fits."""


def fresh_index(rng: np.random.Generator) -> int:
    """A sample of a source that is unlikely to be asked for twice."""
    return int(rng.integers(2**31))


def too_long(source: Engine, limit: int) -> GotOcr2Error:
    """What is raised when a source's texts do not fit."""
    return GotOcr2Error(
        f"{ATTEMPTS} draws of engine {source.kind!r} gave too few texts of at most {limit} characters."
    )
