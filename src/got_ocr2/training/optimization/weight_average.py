"""A running mean of the weights (EMA): steadier than the last step's, at the price of one more copy."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Follows the trained parameters of a module.

    Args:
        module: whose parameters are followed.
        decay: share of the old mean that a step keeps, below 1. The first steps keep less, so that the fresh
            weights are soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self._parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.means = {name: p.detach().clone() for name, p in self._parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Moves the means towards the weights after `step` steps."""
        keep = min(self.decay, (1 + step) / (10 + step))
        for name, p in self._parameters.items():
            self.means[name].lerp_(p, 1 - keep)

    @torch.no_grad()
    def load(self, means: Mapping[str, Tensor]) -> None:
        """Takes saved means; the names must be the same."""
        if means.keys() != self.means.keys():
            raise KeyError(
                f"The saved means are of other weights: {sorted(means.keys() ^ self.means.keys())}."
            )
        for name, value in means.items():
            self.means[name].copy_(value)

    @contextmanager
    def in_place(self) -> Generator[None]:
        """Inside, the module's parameters are the means."""
        with torch.no_grad():
            kept = {name: p.detach().clone() for name, p in self._parameters.items()}
            for name, p in self._parameters.items():
                p.copy_(self.means[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, p in self._parameters.items():
                    p.copy_(kept[name])
