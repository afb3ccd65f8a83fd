"""What a run writes down: `log.jsonl`, TensorBoard if asked for, and lines for people.

Two kinds of rows stand in the log, in order of their `step`: losses and speed every few steps, and
`held_out_loss` with `held_out_cer` whenever held-out pages were read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...extras import need

LOG_NAME = "log.jsonl"
BOARD_NAME = "tensorboard"


def _nobody(_line: str) -> None:
    """Hears nothing."""


class TrainingLog:
    """Writes the rows of one stage.

    Args:
        folder: of the stage.
        name: of the stage, for people.
        steps: how many there will be; 0 if time will tell.
        tell: told of each row in one line.
        tensorboard: write event files for TensorBoard as well, in `folder`/tensorboard.

    Raises:
        MissingDependencyError: TensorBoard is asked for and not installed.
    """

    def __init__(
        self, folder: Path, name: str = "", steps: int = 0, *,
        tell: Callable[[str], None] = _nobody, tensorboard: bool = False,
    ) -> None:  # fmt: skip
        self.path = folder / LOG_NAME
        self.name, self.steps, self.tell = name, steps, tell
        self._board: Any = None
        if tensorboard:
            board = need("torch.utils.tensorboard", "Writing for TensorBoard", extra="train")
            self._board = board.SummaryWriter(str(folder / BOARD_NAME))

    def row(self, step: int, **values: float) -> None:
        """Adds a row."""
        with self.path.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"step": step, **values}) + "\n")
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()
        self.tell(f"{self.name}: {self._sentence(step, values)}")

    def _sentence(self, step: int, values: dict[str, float]) -> str:
        said = [f"step {step} of {self.steps}" if self.steps else f"step {step}"]
        if "done" in values:
            said.append(f"{values['done']:.0%} done")
        if "held_out_loss" in values:
            said.append(
                f"held-out pages: loss {values['held_out_loss']:.3f}, CER {values['held_out_cer']:.3f}"
            )
        if "text" in values:
            said.append(f"loss {values['text']:.3f}")
        if "images_per_second" in values:
            said.append(f"{values['images_per_second']:.3g} images/s")
        if "seconds_left" in values:
            said.append(f"{duration(values['seconds_left'])} left")
        return ", ".join(said)


def duration(seconds: float) -> str:
    """`95` -> "1 min 35 s"; the two largest units."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The rows of a stage, the last one of each step and kind: a resumed run repeats the steps it had lost."""
    rows: dict[tuple[bool, int], dict[str, Any]] = {}
    for line in (folder / LOG_NAME).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        key = ("held_out_loss" in row, row["step"])
        rows.pop(key, None)
        rows[key] = row
    return sorted(rows.values(), key=lambda row: row["step"])
