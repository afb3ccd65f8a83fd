"""Rows of ids of unequal length -> `input_ids` and `attention_mask`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from ..errors import InvalidOptionError
from .batch import BatchFeature
from .tensors import ReturnTensors, as_requested, check_return_tensors

Padding: TypeAlias = bool | Literal["longest"]


def pad_rows(
    rows: Sequence[Sequence[int]],
    pad_id: int,
    padding: Padding,
    return_tensors: ReturnTensors | None,
) -> BatchFeature:
    """Puts `pad_id` to the left of short rows, where a decoder that writes to the right needs it.

    Args:
        rows: ids, one row for each text.
        pad_id: what fills up.
        padding: True or "longest" pads to the longest row; False leaves rows as they are.
        return_tensors: "pt" for torch and "np" for numpy int64 (B, T); None for lists.

    Returns:
        `input_ids`, and `attention_mask` that is 1 at ids and 0 at padding.

    Raises:
        InvalidOptionError: an option is unknown, or rows of unequal length shall be one tensor without
            padding.
    """
    check_return_tensors(return_tensors)
    if padding not in (True, False, "longest"):
        raise InvalidOptionError(f'padding must be True, False or "longest", got {padding!r}.')
    width = max(map(len, rows), default=0)
    fill = [width - len(row) if padding else 0 for row in rows]
    ids: Any = [[pad_id] * n + list(row) for n, row in zip(fill, rows, strict=True)]
    mask: Any = [[0] * n + [1] * len(row) for n, row in zip(fill, rows, strict=True)]
    if return_tensors is not None:
        lengths = sorted({len(row) for row in cast(list[list[int]], ids)})
        if len(lengths) > 1:
            raise InvalidOptionError(f"Rows of {lengths} ids cannot be one tensor; pass padding=True.")
        ids, mask = (as_requested(np.asarray(rows, dtype=np.int64), return_tensors) for rows in (ids, mask))
    return BatchFeature(input_ids=ids, attention_mask=mask)
