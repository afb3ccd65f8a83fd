"""How much of a stage is gone, by its steps and by its time, agreed on by all processes."""

from __future__ import annotations

import time

import torch

from .config import StageConfig
from .distributed import Group


class Clock:
    """Counts the seconds of a stage over all the runs that it takes.

    Time matters to the learning rate, so processes must not differ in it: where the stage has a limit, or this run
    has, they exchange their clocks after each step and go on with the mean.

    Args:
        stage: its `minutes` and `steps` are the limits.
        group: the processes.
    """

    def __init__(self, stage: StageConfig, group: Group) -> None:
        self.stage, self.group = stage, group
        self.seconds = 0.0
        self.stopped = False
        self._deadline: float | None = None
        self._last = time.monotonic()

    def start(self, deadline: float | None = None) -> None:
        """Time counts from here.

        Args:
            deadline: when this run has to stop, whatever is left of the stage, by `time.monotonic`.
        """
        self._last = time.monotonic()
        self._deadline = deadline
        self.stopped = False
        self._exchange(0.0)

    def tick(self) -> None:
        """A step is done."""
        now = time.monotonic()
        lap, self._last = now - self._last, now
        self._exchange(lap)

    def share(self, step: int) -> float:
        """How much of the stage is gone before `step`, 0 to 1."""
        by_steps = step / self.stage.steps
        if not self.stage.minutes:
            return min(1.0, by_steps)
        return min(1.0, max(by_steps, self.seconds / (60 * self.stage.minutes)))

    def left(self, seconds_a_step: float, step: int) -> float:
        """Seconds to the end of the stage."""
        by_steps = seconds_a_step * (self.stage.steps - step)
        if not self.stage.minutes:
            return by_steps
        return max(0.0, min(by_steps, 60 * self.stage.minutes - self.seconds))

    def _exchange(self, lap: float) -> None:
        late = self._deadline is not None and time.monotonic() >= self._deadline
        if self.stage.minutes or self._deadline is not None:
            total = self.group.sum(torch.tensor([lap, float(late)], dtype=torch.float64)).tolist()
            lap, late = total[0] / self.group.size, total[1] > 0
        self.seconds += lap
        self.stopped = late
