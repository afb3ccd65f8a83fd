"""The published network and the paper's three stages (section 3), with the data engines of this package.

Weights of engines are millions of samples. What the paper does not state is marked so, and is what the authors'
released trainer or the Vary code does. Where this recipe differs:

- Stage 1 has a Qwen2-like decoder of the size of OPT-125M instead of OPT itself, as wide as the final one, so
  that both strided convolutions are handed over as they were in the paper.
- Its data are rendered, not labelled by other OCR programs. Real scenes, handwriting and the pages of Common
  Crawl have no counterpart here.
- There is no start from SAM's weights (which the paper does not state either); give stage 2 Qwen's by
  `joint.decoder_from`.
"""

from __future__ import annotations

from typing import Any

from ..config import ModelPreset, StageConfig

PUBLISHED = ModelPreset(resize_mode="squash", max_length=8192)  # both configurations' defaults

_CANVAS = (1024, 1024)
_BATCH = 128
# The warm-up is that of Vary-tiny's published recipe; weight decay 0 that of the released GOT trainer.
_COMMON: dict[str, Any] = {
    "canvas": _CANVAS, "batch_size": _BATCH, "pool": 1, "schedule": "cosine", "warmup": 200, "weight_decay": 0.0,
    "muon": False, "checkpointing": True, "checkpoint_every": 500, "evaluate_every": 2000, "workers": 8,
    "glyph_weight": 0.0, "guidance_weight": 0.0,
}  # fmt: skip


def _steps(millions: float, epochs: int = 1) -> int:
    return round(millions * 1e6 * epochs / _BATCH)


# 5 M pictures with plain text, 3 epochs: full pages, and slices of lines and paragraphs.
_ENCODER = StageConfig(
    engines=({"kind": "text", "weight": 5.0, "canvas": _CANVAS},),
    steps=_steps(5.0, epochs=3), learning_rate=1e-4, max_length=4096,
    # 90 M parameters in its layers; OPT-125M has 85 M.
    decoder={"num_hidden_layers": 7}, **_COMMON,
)  # fmt: skip

# All kinds. The paper's amounts; "page" is 0.5 M English and 0.5 M Chinese ones and 0.2 M of other books.
_JOINT = StageConfig(
    engines=(
        {"kind": "formula", "weight": 1.0}, {"kind": "molecule", "weight": 1.0}, {"kind": "table", "weight": 0.3},
        {"kind": "page", "weight": 1.2}, {"kind": "music", "weight": 0.5}, {"kind": "geometry", "weight": 1.0},
        {"kind": "chart", "weight": 2.0},
    ),
    resampled=0.8, steps=_steps(7.0 + 0.8 * 5.0), learning_rate=1e-4, max_length=6000, **_COMMON,
)  # fmt: skip

# Regions, patches and documents of several pages; the encoder is left alone. The batch is not stated.
_READING = StageConfig(
    engines=(
        {"kind": "region", "weight": 0.6}, {"kind": "crop", "weight": 0.5}, {"kind": "multipage", "weight": 0.2},
    ),
    resampled=0.8, steps=_steps(1.3 + 0.8 * 11.0), learning_rate=2e-5, max_length=8192, trained="decoder",
    **_COMMON,
)  # fmt: skip

PUBLISHED_STAGES = (("encoder", _ENCODER), ("joint", _JOINT), ("reading", _READING))
