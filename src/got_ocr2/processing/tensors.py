"""The choice between torch tensors and plain values in what the processors return."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from ..errors import InvalidOptionError

ReturnTensors: TypeAlias = Literal["pt", "np"]


def check_return_tensors(value: object) -> None:
    """Refuses everything but "pt", "np" and None."""
    if value not in ("pt", "np", None):
        raise InvalidOptionError(f'return_tensors must be "pt", "np" or None, got {value!r}.')


def as_requested(array: np.ndarray[Any, Any], return_tensors: ReturnTensors | None) -> Any:
    """The array as a torch tensor that shares its memory ("pt"), or itself."""
    if return_tensors != "pt":
        return array
    import torch  # not needed by those who only prepare arrays

    return torch.from_numpy(array)  # pyright: ignore[reportUnknownMemberType]
