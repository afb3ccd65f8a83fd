"""A trainer's whole state as one file, the same however many processes wrote it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from ..errors import CheckpointError
from ..modeling import GotOcr2ForConditionalGeneration
from .distributed import Group
from .optimization.weight_average import WeightAverage
from .sharding import dealt, dealt_optimizer_state, gathered
from .stage_budget import Clock

STATE_NAME = "state.pt"
_TIED_HEAD = "lm_head.weight"


def without_tied_head(weights: Mapping[str, Any], mine: Mapping[str, Any]) -> dict[str, Any]:
    """Weights without a head that is the embedding: one matrix under one name now, it is twice in older states."""
    return {name: value for name, value in weights.items() if name in mine or not name.endswith(_TIED_HEAD)}


class Resumable(Protocol):
    """What a trainer's state is made of; `loop.Trainer` has it.

    Attributes:
        model: what learns.
        trained: every module with parameters of its own, the model among them.
        left_out: names of parameters that are not stored.
        step, clock: how far it is.
        optimizers, average: what they remember.
        group: the processes that train together.
    """

    model: GotOcr2ForConditionalGeneration
    trained: nn.ModuleDict
    left_out: set[str]
    step: int
    clock: Clock
    optimizers: list[torch.optim.Optimizer]
    average: WeightAverage | None
    group: Group

    @property
    def sharded(self) -> bool: ...


def save_state(trainer: Resumable, path: Path) -> None:
    """Writes steps, seconds, weights, optimisers and the running mean; a crash while writing leaves the old file.

    All processes have to call it; the first one writes.
    """
    weights = {k: v for k, v in trainer.trained.state_dict().items() if k not in trainer.left_out}
    state: dict[str, Any] = {
        "step": trainer.step,
        "seconds": trainer.clock.seconds,
        "weights": gathered(weights),
        "optimizers": [gathered(optimizer.state_dict()) for optimizer in trainer.optimizers],
    }
    if trainer.average is not None:
        state["average"] = gathered(trainer.average.means)
    if trainer.group.is_first:
        partial = path.with_name(path.name + ".partial")
        torch.save(state, partial)
        os.replace(partial, path)
    trainer.group.wait()


def load_state(trainer: Resumable, path: Path) -> None:
    """Puts a trainer where `save_state` left one.

    Raises:
        CheckpointError: the state is of another network, or of training that leaves other parts alone.
    """
    # Whole tensors are dealt out from the CPU: no process ever has all of them on its device.
    place = "cpu" if trainer.sharded else trainer.model.device
    state = torch.load(path, map_location=place, weights_only=True)
    mine = trainer.trained.state_dict()
    saved = without_tied_head(state["weights"], mine)
    unknown = [name for name in saved if name not in mine]
    missing = mine.keys() - saved.keys() - trainer.left_out
    if unknown or missing:
        raise CheckpointError(
            f"{path} is of another network or mode: it lacks {sorted(missing)[:3]} and has {unknown[:3]} besides."
        )
    weights = {name: dealt(value, mine[name]) for name, value in saved.items()}
    trainer.trained.load_state_dict(weights, strict=False)
    for optimizer, saved in zip(trainer.optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(dealt_optimizer_state(optimizer, saved))
    if trainer.average is not None and "average" in state:
        means = trainer.average.means
        saved = state["average"].items()
        trainer.average.load({name: dealt(v, means[name]) if name in means else v for name, v in saved})
    trainer.step, trainer.clock.seconds = state["step"], state.get("seconds", 0.0)
