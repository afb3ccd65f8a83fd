"""Absolute positions of small encoders: a good start, and growing the canvas."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..config import GotOcr2VisionConfig


def sine_positions(config: GotOcr2VisionConfig, scale: float = 0.3) -> Tensor:
    """Two-dimensional sines and cosines, `(1, rows, columns, hidden)`.

    A start from which offsets between patches are linear functions, where random tables would have to be learnt
    patch by patch.
    """
    rows, columns = config.grid_hw
    half = config.hidden_size // 2
    frequencies = 1.0 / 1000.0 ** (torch.arange(0, half, 2) / half)

    def table(length: int) -> Tensor:
        angles = torch.arange(length)[:, None] * frequencies
        return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :half]  # (length, half)

    y, x = table(rows), table(columns)
    grid = torch.cat([y[:, None].expand(-1, columns, -1), x[None].expand(rows, -1, -1)], dim=-1)
    out = torch.zeros(1, rows, columns, config.hidden_size)
    out[0, ..., : grid.shape[-1]] = scale * grid
    return out


@torch.no_grad()
def grow_positions(old: Tensor, small: GotOcr2VisionConfig, large: GotOcr2VisionConfig) -> nn.Parameter:
    """Carries learnt positions from a small canvas to a larger one.

    What was learnt on top of the sines repeats from window to window, because attention windows do.

    Args:
        old: the small model's table, `(1, rows, columns, hidden)`, started from `sine_positions`.

    Returns:
        `(1, rows', columns', hidden)`.
    """
    learnt = old - sine_positions(small)
    (rows, columns), (more_rows, more_columns) = small.grid_hw, large.grid_hw
    down = torch.arange(more_rows) % rows
    across = torch.arange(more_columns) % columns
    return nn.Parameter(sine_positions(large) + learnt[:, down][:, :, across])
