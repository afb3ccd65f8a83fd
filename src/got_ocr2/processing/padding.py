"""Rows of ids of unequal length -> `input_ids` and `attention_mask`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from ..errors import InvalidOptionError
from .arguments import is_count
from .batch import BatchFeature
from .tensors import ReturnTensors, as_requested, check_return_tensors

Padding: TypeAlias = bool | Literal["longest", "max_length", "do_not_pad"]
Side: TypeAlias = Literal["left", "right"]


def pad_rows(
    rows: Sequence[Sequence[int]],
    pad_id: int,
    padding: Padding,
    return_tensors: ReturnTensors | None,
    *,
    side: Side = "left",
    width: int | None = None,
) -> BatchFeature:
    """Puts `pad_id` beside short rows: to the left, where a decoder that writes to the right needs it.

    Args:
        rows: ids, one row for each text.
        pad_id: what fills up.
        padding: True or "longest" pads to the longest row, "max_length" to `width`; False or "do_not_pad" leaves
            rows as they are.
        return_tensors: "pt" for torch and "np" for numpy int64 (B, T); None for lists.
        side: "left" or "right".
        width: least ids of a row with padding "max_length".

    Returns:
        `input_ids`, and `attention_mask` that is 1 at ids and 0 at padding.

    Raises:
        InvalidOptionError: an option is unknown, or rows of unequal length shall be one tensor without
            padding.
    """
    check_return_tensors(return_tensors)
    if padding not in (True, False, "longest", "max_length", "do_not_pad"):
        raise InvalidOptionError(f'padding must be True, False, "longest" or "max_length", got {padding!r}.')
    if side not in ("left", "right"):
        raise InvalidOptionError(f'padding_side must be "left" or "right", got {side!r}.')
    longest = max(map(len, rows), default=0)
    if padding == "max_length":
        if not is_count(width):
            raise InvalidOptionError(f'padding="max_length" needs max_length, a number >= 1, got {width!r}.')
        longest = max(longest, width or 0)
    filling = padding not in (False, "do_not_pad")
    fill = [longest - len(row) if filling else 0 for row in rows]
    ids: Any = [_joined([pad_id] * n, list(row), side) for n, row in zip(fill, rows, strict=True)]
    mask: Any = [_joined([0] * n, [1] * len(row), side) for n, row in zip(fill, rows, strict=True)]
    if return_tensors is not None:
        lengths = sorted({len(row) for row in cast(list[list[int]], ids)})
        if len(lengths) > 1:
            raise InvalidOptionError(f"Rows of {lengths} ids cannot be one tensor; pass padding=True.")
        ids, mask = (as_requested(np.asarray(rows, dtype=np.int64), return_tensors) for rows in (ids, mask))
    return BatchFeature(input_ids=ids, attention_mask=mask)


def _joined(filling: list[int], row: list[int], side: Side) -> list[int]:
    return filling + row if side == "left" else row + filling
