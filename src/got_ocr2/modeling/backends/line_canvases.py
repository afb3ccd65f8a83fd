"""Canvases of lines, encoded only as far as there is print on them.

A line fills half of its canvas on the average; the rest is paper. For encoders that were taught with canvases which end
where the print does, the paper's features are those of an empty canvas, computed once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol, cast, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...generation.engine.runner import RowInput, Runner, Scores

BESIDE = 1  # image tokens of paper that are encoded with the print, at least


@runtime_checkable
class EncodesEach(Protocol):
    """A runner that encodes pictures of several widths in one call."""

    def encode_each(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        """Pictures `(C, H, W)` -> `(image tokens, hidden)` each."""
        ...


class LineCanvases:
    """A runner whose `encode` leaves out the paper at the right of pictures; everything else is the other runner's."""

    def __init__(self, runner: Runner, empty: NDArray[np.float32]) -> None:
        """
        Args:
            runner: its encoder takes canvases that end further left, and has no relative positions.
            empty: `(C, H, W)`, a canvas without print.
        """
        self.runner = runner
        self._empty = torch.from_numpy(empty)  # pyright: ignore[reportUnknownMemberType]
        self._paper: Tensor | None = None  # `(image tokens, hidden)`, of the empty canvas

    @property
    def device(self) -> torch.device:
        return self.runner.device

    @property
    def bytes_per_position(self) -> int:
        return self.runner.bytes_per_position

    @property
    def capacity(self) -> int:
        return self.runner.capacity

    def allocate(self, positions: int) -> None:
        self.runner.allocate(positions)

    def release(self) -> None:
        self.runner.release()

    def forward(self, ids: Tensor, rows: Sequence[RowInput]) -> Scores:
        return self.runner.forward(ids, rows)

    def encode(self, pixel_values: Tensor) -> Tensor:
        if self._paper is None:
            self._paper = self.runner.encode(self._empty[None].to(pixel_values.dtype))[0]
        paper = self._paper
        unit = pixel_values.shape[-1] // len(paper)
        tokens = self._tokens(pixel_values, len(paper), unit)
        found = paper.repeat(len(pixel_values), 1, 1)
        with_print = [number for number, some in enumerate(tokens) if some]
        cut = [pixel_values[number][..., : tokens[number] * unit] for number in with_print]
        for number, features in zip(with_print, self._encode_each(cut), strict=True):
            found[number, : len(features)] = features
        return found

    def _encode_each(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        if isinstance(self.runner, EncodesEach):
            return self.runner.encode_each(pictures)
        alike: defaultdict[int, list[int]] = defaultdict(list)
        for number, picture in enumerate(pictures):
            alike[picture.shape[-1]].append(number)
        found: dict[int, Tensor] = {}
        for numbers in alike.values():
            together = self.runner.encode(torch.stack([pictures[number] for number in numbers]))
            found.update(zip(numbers, together, strict=True))
        return [found[number] for number in range(len(pictures))]

    def _tokens(self, pixel_values: Tensor, most: int, unit: int) -> list[int]:
        """For each picture the image tokens that are encoded; none of an empty canvas."""
        print_ = (pixel_values.float() != self._empty).any(dim=(1, 2))  # (pictures, W)
        place = torch.arange(1, print_.shape[1] + 1)
        ends = cast("list[int]", torch.where(print_, place, 0).amax(1).tolist())  # pyright: ignore[reportUnknownMemberType]
        return [min(most, -(-end // unit) + BESIDE) if end else 0 for end in ends]
