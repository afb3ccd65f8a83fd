"""Gradient checkpointing: layers that keep their input only, and run again when gradients are wanted."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint  # pyright: ignore[reportUnknownVariableType]


class Recomputing:
    """Calls layers; once switched on, and where gradients are wanted, in a way that saves memory for time.

    Attributes:
        on: whether to save memory.
        options: for `torch.utils.checkpoint.checkpoint`.
    """

    def __init__(self) -> None:
        self.on = False
        self.options: dict[str, Any] = {"use_reentrant": False}

    def __call__(self, layer: nn.Module, *inputs: Any) -> Tensor:
        if self.on and layer.training and torch.is_grad_enabled():
            return cast(Any, checkpoint)(layer, *inputs, **self.options)
        return layer(*inputs)
