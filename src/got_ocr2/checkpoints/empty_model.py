"""A network whose tensors have shapes and no values yet: what is loaded will become its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ..config import GotOcr2Config
from .stored_model import Stored


def empty_model(model_class: Callable[[GotOcr2Config], Stored], config: GotOcr2Config) -> Stored:
    """Builds a model on the meta device.

    Args:
        model_class: makes the network from its configuration.
        config: of the network.
    """
    with torch.device("meta"), _Undrawn():
        return model_class(config)


class _Undrawn(TorchFunctionMode):
    """Passes over `torch.nn.init`: drawing what holds no values imports torch's compiler, which takes two seconds."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)
