"""Dense supervision of the encoder: which character stands under each patch.

The renderer knows it, so a throw-away 1x1 head on the neck can be asked for it. The encoder then learns to see
from every patch of every picture, long before the decoder has learnt where to look.
"""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

BACKGROUND = 0
OTHER = 95
NUM_CLASSES = 96
IGNORED = -100
BLANK_WEIGHT = 0.2  # most patches are blank: each counts a fifth


def glyph_class(character: str) -> int:
    """1..94 for visible ASCII, 95 for anything else."""
    code = ord(character)
    return code - 32 if 33 <= code <= 126 else OTHER


def glyph_map(text: str, offsets: np.ndarray, boxes: np.ndarray, grid_hw: tuple[int, int]) -> np.ndarray:
    """Draws the characters' classes onto the patch grid.

    Args:
        text: the target text.
        offsets: int (n,), indices into `text`.
        boxes: float (n, 4), `(x1, y1, x2, y2)` in patches.
        grid_hw: rows and columns.

    Returns:
        int64 (rows, columns): a class where a patch's centre lies in a box, or where the box's own centre lies in
        the patch; `BACKGROUND` elsewhere.
    """
    rows, columns = grid_hw
    out = np.full(grid_hw, BACKGROUND, np.int64)
    # A patch belongs to a box if its centre, index + 0.5, lies in it.
    first, last = np.ceil(boxes[:, :2] - 0.5), np.ceil(boxes[:, 2:] - 0.5)
    centre = np.floor((boxes[:, :2] + boxes[:, 2:]) / 2)
    limits = np.array([columns, rows])
    spans = np.concatenate([np.clip(first, 0, limits), np.clip(last, 0, limits)], axis=1).astype(int)
    centres = np.clip(centre, 0, limits - 1).astype(int)
    classes = [glyph_class(text[i]) for i in offsets]
    for value, (x1, y1, x2, y2) in zip(classes, spans, strict=True):
        out[y1:y2, x1:x2] = value
    for value, (x, y) in zip(classes, centres, strict=True):
        out[y, x] = value
    return out


class GlyphHead(nn.Module):
    """Reads the characters off the neck; used in training only."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.classify = nn.Conv2d(channels, NUM_CLASSES, kernel_size=1)

    def forward(self, features: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy over patches.

        Args:
            features: neck output, `(N, channels, rows, columns)`.
            targets: int64 `(N, rows, columns)`, `IGNORED` where nothing is known.

        Returns:
            Scalar fp32; 0 if nothing is known.
        """
        logits = self.classify(features).float()
        weight = logits.new_ones(NUM_CLASSES)
        weight[BACKGROUND] = BLANK_WEIGHT
        loss = F.cross_entropy(logits, targets, weight=weight, ignore_index=IGNORED, reduction="sum")
        counted = weight[targets.clamp(min=0)] * (targets != IGNORED)
        return loss / counted.sum().clamp(min=1.0)
