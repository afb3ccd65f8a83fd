"""The image encoder: SAM's ViTDet (paper section 3.2; HF `GotOcr2VisionEncoder`).

Parameter names equal HF's in-memory names. Pictures are channels-last `(batch, rows, columns, channels)`
between the patch embedding and the neck.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import GotOcr2VisionConfig
from .activations import ACTIVATIONS
from .attention import decomposed_attention
from .recomputing import Recomputing


class PatchEmbedding(nn.Module):
    def __init__(self, config: GotOcr2VisionConfig) -> None:
        super().__init__()
        self.projection = nn.Conv2d(
            config.num_channels, config.hidden_size, kernel_size=config.patch_hw, stride=config.patch_hw
        )

    def forward(self, pixel_values: Tensor) -> Tensor:
        """`(N, C, H, W)` -> `(N, rows, columns, hidden)`."""
        return self.projection(pixel_values).permute(0, 2, 3, 1)


class VisionAttention(nn.Module):
    """Multi-head attention with decomposed relative positions over one grid (a window or the whole picture)."""

    def __init__(self, config: GotOcr2VisionConfig, grid_hw: tuple[int, int]) -> None:
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size, bias=config.qkv_bias)
        self.proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.rel_pos_h: nn.Parameter | None = None
        self.rel_pos_w: nn.Parameter | None = None
        if config.use_rel_pos:
            rows, columns = grid_hw
            self.rel_pos_h = nn.Parameter(torch.zeros(2 * rows - 1, config.head_dim))
            self.rel_pos_w = nn.Parameter(torch.zeros(2 * columns - 1, config.head_dim))
        self.dropout = config.attention_dropout

    def forward(self, x: Tensor) -> Tensor:
        """`(N, rows, columns, hidden)` -> the same shape."""
        n, rows, columns, hidden = x.shape
        # (N, positions, 3, heads, head_dim) -> three of (N, heads, positions, head_dim)
        qkv = self.qkv(x).view(n, rows * columns, 3, self.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        out = decomposed_attention(
            q, k, v, self.rel_pos_h, self.rel_pos_w, (rows, columns), self.dropout if self.training else 0.0
        )
        # (N, heads, positions, head_dim) -> (N, rows, columns, hidden)
        return self.proj(out.transpose(1, 2).reshape(n, rows, columns, hidden))


class VisionMLP(nn.Module):
    def __init__(self, config: GotOcr2VisionConfig) -> None:
        super().__init__()
        self.lin1 = nn.Linear(config.hidden_size, config.mlp_dim)
        self.lin2 = nn.Linear(config.mlp_dim, config.hidden_size)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        return self.lin2(self.activation(self.lin1(x)))


class VisionLayer(nn.Module):
    """Pre-norm block; `window_size` 0 attends over the whole picture."""

    def __init__(self, config: GotOcr2VisionConfig, window_size: int) -> None:
        super().__init__()
        self.window_size = window_size
        grid_hw = (window_size, window_size) if window_size else config.grid_hw
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.attn = VisionAttention(config, grid_hw)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = VisionMLP(config)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, rows, columns, hidden)` -> the same shape."""
        attended = self.layer_norm1(x)
        if self.window_size:
            _, rows, columns, _ = x.shape
            attended = self.attn(to_windows(attended, self.window_size))
            attended = from_windows(attended, self.window_size, (rows, columns))
        else:
            attended = self.attn(attended)
        x = x + attended
        return x + self.mlp(self.layer_norm2(x))


def to_windows(x: Tensor, window: int) -> Tensor:
    """Cuts `(N, rows, columns, C)` into `(N * windows, window, window, C)`, zero-padding right and bottom.

    As in SAM the padding comes after the norm and is not masked, so padded positions take part in attention.
    """
    n, rows, columns, c = x.shape
    down, across = (rows + window - 1) // window, (columns + window - 1) // window  # exporters round to 0
    x = F.pad(x, (0, 0, 0, across * window - columns, 0, down * window - rows))
    x = x.view(n, down, window, across, window, c)  # (N, down, window rows, across, window columns, C)
    return x.transpose(2, 3).reshape(n * down * across, window, window, c)


def from_windows(windows: Tensor, window: int, grid_hw: tuple[int, int]) -> Tensor:
    """Undoes `to_windows`: `(N * windows, window, window, C)` -> `(N, rows, columns, C)`."""
    rows, columns = grid_hw
    down, across = (rows + window - 1) // window, (columns + window - 1) // window  # exporters round to 0
    # (N, down, across, window rows, window columns, C) -> (N, down * window, across * window, C)
    x = windows.view(-1, down, across, window, window, windows.shape[-1])
    x = x.transpose(2, 3).reshape(-1, down * window, across * window, windows.shape[-1])
    return x[:, :rows, :columns]


class Neck(nn.Module):
    """Two convolutions, each followed by a norm over channels; no activation."""

    def __init__(self, config: GotOcr2VisionConfig) -> None:
        super().__init__()
        channels = config.output_channels
        self.conv1 = nn.Conv2d(config.hidden_size, channels, kernel_size=1, bias=False)
        self.layer_norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.layer_norm2 = nn.LayerNorm(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, rows, columns, hidden)` -> `(N, channels, rows, columns)`."""
        x = self.conv1(x.permute(0, 3, 1, 2))  # (N, channels, rows, columns); norms want channels last
        x = self.layer_norm1(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        x = self.conv2(x)
        return self.layer_norm2(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class VisionEncoder(nn.Module):
    """Patches, absolute positions, ViTDet layers, neck."""

    def __init__(self, config: GotOcr2VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_embed = PatchEmbedding(config)
        self.pos_embed: nn.Parameter | None = None
        if config.use_abs_pos:
            self.pos_embed = nn.Parameter(torch.zeros(1, *config.grid_hw, config.hidden_size))
        self.layers = nn.ModuleList(
            VisionLayer(config, 0 if i in config.global_attn_indexes else config.window_size)
            for i in range(config.num_hidden_layers)
        )
        self.neck = Neck(config)
        self.recomputing = Recomputing()

    def forward(self, pixel_values: Tensor) -> Tensor:
        """`(N, C, H, W)`, normalised, in the model's dtype -> `(N, output_channels, rows, columns)`.

        Raises:
            ValueError: the picture is not of the size in the config.
        """
        x = self.embed(pixel_values)
        for layer in self.layers:
            x = self.recomputing(layer, x)
        return self.neck(x)

    def embed(self, pixel_values: Tensor) -> Tensor:
        """Pictures to what the first layer reads: `(N, C, H, W)` -> `(N, rows, columns, hidden)`.

        Where there are no relative positions, pictures may end further left, with an image token.

        Raises:
            ValueError: the picture is not of the size in the config.
        """
        expected = (self.config.num_channels, *self.config.image_hw)
        unit = 4 * self.config.patch_hw[1]
        narrower = not self.config.use_rel_pos and 0 < pixel_values.shape[-1] < expected[-1]
        whole = tuple(pixel_values.shape[1:]) == expected
        if not whole and not (
            narrower and tuple(pixel_values.shape[1:3]) == expected[:2] and pixel_values.shape[-1] % unit == 0
        ):
            raise ValueError(
                f"pixel_values must be (N, {', '.join(map(str, expected))}), got {tuple(pixel_values.shape)}."
            )
        x = self.patch_embed(pixel_values)
        if self.pos_embed is not None:
            # Cast first: under autocast the residual stream stays narrow.
            x = x + self.pos_embed[:, :, : x.shape[2]].to(x.dtype)
        return x
