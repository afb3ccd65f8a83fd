"""A larger reader for one data-centre GPU and half an hour of it; the same network as `SMALL`, in other sizes.

Time is the limit, not steps: each stage has minutes, which `--minutes` stretches, and its rate is at zero when they
are over. Sixteen data processes feed it; where samples come slower than the GPU learns, it waits, and the log's images
per second say so. The canvas grows: a small one has more different pages in a step.
"""

from __future__ import annotations

from typing import Any

from ..config import ModelPreset, StageConfig

# 22 M parameters, 43 MB in bf16. An image token is 32 pixels high and 16 wide, as in the small one.
HALF_HOUR = ModelPreset(
    vision={
        "hidden_size": 256, "output_channels": 192, "num_hidden_layers": 8, "num_attention_heads": 4,
        "patch_size": (8, 4), "mlp_dim": 1024, "window_size": 8, "global_attn_indexes": (2, 5), "use_rel_pos": False,
    },
    text={
        "hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 6,
        "num_key_value_heads": 6, "max_position_embeddings": 4096, "rope_theta": 10_000.0,
    },
    max_length=3072,
)  # fmt: skip

_COMMON: dict[str, Any] = {
    "steps": 1_000_000, "warmup": 100, "bf16": True, "workers": 16, "pool": 2, "ema": 0.999, "checkpoint_every": 500,
    "evaluate_every": 1000, "held_out": 8,
}  # fmt: skip


def _text(
    canvas: tuple[int, int], em: tuple[float, float], weight: float = 1.0, **options: Any
) -> dict[str, Any]:
    return {"kind": "text", "weight": weight, "canvas": canvas, "em": em, **options}


# Lines that cannot be guessed, on a low canvas: the eye learns its letters.
_STRIPS = StageConfig(
    engines=(
        _text(
            (64, 512), (13.0, 28.0), layouts={"word": 0.05, "line": 0.15, "paragraph": 0.8}, mixed=0.6,
            mixture={"prose": 0.25, "shuffled": 0.35, "strings": 0.4},
        ),
    ),
    canvas=(64, 512), minutes=5.0, batch_size=384, learning_rate=2e-3, decay=0.1, degrade=0.2, glyph_weight=1.0,
    guidance_weight=0.5, **_COMMON,
)  # fmt: skip

# Paragraphs of every density, spoilt harder.
_PARAGRAPHS = StageConfig(
    engines=(
        _text(
            (256, 512), (11.0, 32.0), layouts={"word": 0.03, "line": 0.1, "paragraph": 0.87}, mixed=0.25,
            mixture={"prose": 0.5, "shuffled": 0.25, "strings": 0.25},
        ),
    ),
    canvas=(256, 512), minutes=9.0, batch_size=192, learning_rate=1.5e-3, decay=0.2, degrade=0.5, glyph_weight=0.7,
    guidance_weight=0.3, **_COMMON,
)  # fmt: skip

# Pages, regions and the kinds with a form of their own.
_PAGES = StageConfig(
    engines=(
        _text(
            (512, 512), (11.0, 32.0), 0.6,
            layouts={"word": 0.03, "line": 0.07, "paragraph": 0.6, "page": 0.2, "scene": 0.1},
            mixture={"prose": 0.6, "shuffled": 0.2, "strings": 0.2},
        ),
        {"kind": "region", "weight": 0.15}, {"kind": "formula", "weight": 0.12}, {"kind": "table", "weight": 0.07},
        {"kind": "molecule", "weight": 0.04}, {"kind": "negative", "weight": 0.02},
    ),
    canvas=(512, 512), minutes=14.0, batch_size=96, learning_rate=1e-3, decay=0.5, degrade=0.5, glyph_weight=0.5,
    guidance_weight=0.3, **_COMMON,
)  # fmt: skip

HALF_HOUR_STAGES = (("strips", _STRIPS), ("paragraphs", _PARAGRAPHS), ("pages", _PAGES))
