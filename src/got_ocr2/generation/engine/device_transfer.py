"""Small tensors to the device and tokens back from it, without waiting before it is time to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor


def to_device(host: Tensor, device: torch.device) -> Tensor:
    """A small tensor to the device, in stream order; the host does not wait for it."""
    if device.type == "cpu":
        return host
    return host.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else host.to(device)


def ids_to_device(ids: Sequence[int], device: torch.device) -> Tensor:
    """Whole numbers as an int64 tensor on the device; the host does not wait for it."""
    return to_device(torch.tensor(ids, dtype=torch.int64), device)


def integers(ids: Tensor) -> list[int]:
    """A tensor of whole numbers `(n,)` as a list; waits for the device."""
    return cast("list[int]", ids.tolist())  # pyright: ignore[reportUnknownMemberType]


class Readback:
    """Tokens and log-probabilities on their way to the host.

    Args:
        ids: `(n,)` int64.
        logprobs: `(n,)` fp32. Both may be overwritten as soon as this object is made.
    """

    def __init__(self, ids: Tensor, logprobs: Tensor) -> None:
        # One transfer for both: float64 holds every id and every fp32 number exactly.
        both = torch.stack((ids.double(), logprobs.double())) if ids.device.type != "mps" else None
        self._event: torch.cuda.Event | None = None
        self._host: tuple[Tensor, Tensor]
        if both is None:  # float64 does not exist there
            self._host = ids.cpu(), logprobs.cpu()
        elif ids.device.type == "cuda":
            host = both.to("cpu", non_blocking=True)  # into pinned memory
            self._event = torch.cuda.Event()
            self._event.record(torch.cuda.current_stream(ids.device))
            self._host = host[0], host[1]
        else:
            self._host = both[0], both[1]

    def get(self) -> tuple[list[int], list[float]]:
        """Waits for the transfer; ids and log-probabilities in order."""
        if self._event is not None:
            self._event.synchronize()
        ids, logprobs = self._host
        return integers(ids.long()), cast("list[float]", logprobs.tolist())  # pyright: ignore[reportUnknownMemberType]
