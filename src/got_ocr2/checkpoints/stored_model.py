"""What loading and saving ask of a model, so that they import no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from ..config import GotOcr2Config
from ..generation.rules.options import GenerationOptions


class StoredModel(Protocol):
    """`modeling.GotOcr2ForConditionalGeneration`, as far as its files are concerned."""

    config: GotOcr2Config
    generation_defaults: GenerationOptions

    @property
    def dtype(self) -> torch.dtype: ...

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = ..., assign: bool = ...
    ) -> Any: ...

    def tie_weights(self) -> None: ...

    def eval(self) -> Any: ...


Stored = TypeVar("Stored", bound=StoredModel)
