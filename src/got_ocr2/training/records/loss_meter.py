"""Losses and speed since the last row of the log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..distributed import Group


class Reading(NamedTuple):
    """What a meter shows.

    Attributes:
        text, glyph, guidance: mean loss of a step.
        characters: of all answers that were learnt.
        seconds: that went by.
        steps: that were made.
    """

    text: float
    glyph: float
    guidance: float
    characters: int
    seconds: float
    steps: int


class Meter:
    """Adds up; one in each process, read by all of them at once."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.began = time.perf_counter()
        self.steps = 0
        self._sums = torch.zeros(4, dtype=torch.float64)

    def add(self, losses: Sequence[Tensor], characters: int) -> None:
        """One step: this process's share of the three losses, and of the characters."""
        self.steps += 1
        self._sums[:3] += torch.stack(list(losses)).cpu()
        self._sums[3] += characters

    def read(self) -> Reading:
        """Means and sums since the meter was made, over all processes."""
        seconds = time.perf_counter() - self.began
        *losses, characters = self.group.sum(self._sums).tolist()
        text, glyph, guidance = (value / self.steps / self.group.size for value in losses)
        return Reading(text, glyph, guidance, round(characters), seconds, self.steps)
