"""What the back ends have in common that run the model itself."""

from __future__ import annotations

import torch

from ..network import GotOcr2Network
from .ragged_attention import Arena, bytes_per_position


class ModelRunner:
    """A model and an `Arena` of its keys and values; see `generation.engine.runner.Runner`."""

    def __init__(self, model: GotOcr2Network) -> None:
        self.model = model
        self._arena: Arena | None = None

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def bytes_per_position(self) -> int:
        return bytes_per_position(self.model.config.text_config, self.model.dtype)

    @property
    def capacity(self) -> int:
        return 0 if self._arena is None else self._arena.positions
