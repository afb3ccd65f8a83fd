"""Which form of the operations a device gets."""

from __future__ import annotations

import logging
from functools import cache

import torch

from .operations import Operations, TorchOperations


def operations_for(device: torch.device) -> Operations:
    """Triton's on a CUDA device that has it; plain torch anywhere else, said once if it need not have been."""
    if device.type != "cuda":
        return TorchOperations()
    try:
        from .triton_operations import TritonOperations
    except ImportError as error:
        _say_slower(str(error))
        return TorchOperations()
    return TritonOperations.on(device)


@cache
def _say_slower(reason: str) -> None:
    logging.getLogger(__name__).warning(
        "Decoding on the GPU is slower than it could be: Triton cannot be imported (%s).", reason
    )
