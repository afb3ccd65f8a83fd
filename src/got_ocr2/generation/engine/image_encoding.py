"""Pictures of several pages, encoded together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from .runner import Runner


def encode_each(runner: Runner, pixels: Sequence[Tensor], most: int) -> list[Tensor | Exception]:
    """Features of several pages' pictures; should a picture spoil its batch, the pages are encoded one by one.

    Args:
        runner: its `encode` does the work.
        pixels: for each page `(pictures, C, H, W)`.
        most: pictures that are encoded at a time, >= 1.

    Returns:
        For each page `(pictures * image tokens, hidden)`, or what went wrong with it.
    """
    out: list[Tensor | Exception] = []
    for group in _groups(pixels, most):
        try:
            out += _encode(runner, group, most)
        except Exception as error:
            if len(group) == 1:
                out.append(error)
            else:
                for one in group:
                    out += encode_each(runner, [one], most)
    return out


def _groups(pixels: Sequence[Tensor], most: int) -> Iterator[list[Tensor]]:
    """Consecutive pages whose pictures go together: of one kind and not more than `most`, unless a page has more."""
    group: list[Tensor] = []
    for one in pixels:
        alike = group and (group[0].shape[1:], group[0].dtype, group[0].device) == (
            one.shape[1:],
            one.dtype,
            one.device,
        )
        if group and (not alike or sum(map(len, group)) + len(one) > most):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _encode(runner: Runner, group: Sequence[Tensor], most: int) -> list[Tensor]:
    together = group[0] if len(group) == 1 else torch.cat(list(group))
    parts = [runner.encode(together[first : first + most]) for first in range(0, len(together), most)]
    features = parts[0] if len(parts) == 1 else torch.cat(parts)  # (pictures, image tokens, hidden)
    ends = list(accumulate(len(one) for one in group))
    # (pictures of a prompt, image tokens, hidden) -> (its image tokens, hidden)
    return [features[end - len(one) : end].flatten(0, 1) for one, end in zip(group, ends, strict=True)]
