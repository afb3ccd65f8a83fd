"""The image encoder with another attention: the model's own parts, with its positions kept out of memory."""

from __future__ import annotations

from torch import Tensor

from ...network import GotOcr2Network
from ...vision import VisionAttention, VisionLayer, from_windows, to_windows
from .operations import Operations


class Encoder:
    """What `encode_pictures` of a model computes, with `Operations.attend_grid`; for inference."""

    def __init__(self, model: GotOcr2Network, operations: Operations) -> None:
        self._tower = model.model.vision_tower
        self._projector = model.model.multi_modal_projector
        self._operations = operations

    def features(self, pixel_values: Tensor) -> Tensor:
        """`(pictures, C, H, W)` in the model's dtype, on its device -> `(pictures, image tokens, hidden)`.

        Raises:
            ValueError: the pictures are not of the size in the config.
        """
        x = self._tower.embed(pixel_values)
        for layer in self._tower.layers:
            assert isinstance(layer, VisionLayer)
            x = self._through(layer, x)
        return self._projector(self._tower.neck(x))

    def _through(self, layer: VisionLayer, x: Tensor) -> Tensor:
        """`(pictures, rows, columns, hidden)` -> the same shape."""
        attended = layer.layer_norm1(x)
        if layer.window_size:
            _, rows, columns, _ = x.shape
            attended = self._attend(layer.attn, to_windows(attended, layer.window_size))
            attended = from_windows(attended, layer.window_size, (rows, columns))
        else:
            attended = self._attend(layer.attn, attended)
        x = x + attended
        return x + layer.mlp(layer.layer_norm2(x))

    def _attend(self, attention: VisionAttention, x: Tensor) -> Tensor:
        """`(grids, rows, columns, hidden)` -> the same shape."""
        n, rows, columns, hidden = x.shape
        # (grids, rows * columns, 3, heads, head_dim)
        qkv = attention.qkv(x).view(n, rows * columns, 3, attention.num_heads, -1)
        out = self._operations.attend_grid(qkv, attention.rel_pos_h, attention.rel_pos_w, (rows, columns))
        return attention.proj(out).view(n, rows, columns, hidden)
