"""What a training run is, as data."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..config import GotOcr2Config, GotOcr2TextConfig, GotOcr2VisionConfig
from ..errors import InvalidOptionError


@dataclass(frozen=True)
class StageConfig:
    """One stage of training: a data mixture on one canvas under one schedule.

    Attributes:
        engines: the mixture, each `{"kind": ..., "weight": ..., **options of synth.registry.create_engine}`.
        canvas: height and width in pixels.
        seed: of the data stream and of fresh weights.
        steps: number of optimiser steps; the learning rate falls to zero over the last `decay` share of them.
        batch_size: samples per step.
        learning_rate: peak, for AdamW; matrices go through Muon at the same RMS update if `muon`.
        warmup: steps over which the rate rises.
        weight_decay: decoupled, on matrices only.
        clip: largest norm of the gradient.
        glyph_weight, guidance_weight: of the dense losses; 0 turns one off.
        guided_layers: decoder layers whose first head is guided.
        degrade: strength of degradation, 0..1, drawn uniformly below this for each sample.
        bf16: run the network under bf16 autocast; weights stay fp32.
        checkpoint_every, evaluate_every: steps.
        workers: data processes.
    """

    engines: tuple[dict[str, Any], ...] = ({"kind": "text", "weight": 1.0},)
    canvas: tuple[int, int] = (256, 512)
    seed: int = 0
    steps: int = 1000
    batch_size: int = 16
    learning_rate: float = 1e-3
    warmup: int = 100
    decay: float = 0.2
    weight_decay: float = 0.05
    clip: float = 1.0
    muon: bool = True
    glyph_weight: float = 0.5
    guidance_weight: float = 0.3
    guided_layers: tuple[int, ...] = (1, 2)
    degrade: float = 0.5
    bf16: bool = True
    checkpoint_every: int = 250
    evaluate_every: int = 500
    workers: int = 1

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "checkpoint_every", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InvalidOptionError(f"{name} must be >= 1, got {getattr(self, name)}.")
        if not 0 <= self.decay <= 1:
            raise InvalidOptionError(f"decay must be between 0 and 1, got {self.decay}.")
        if not 0 <= self.degrade <= 1:
            raise InvalidOptionError(f"degrade must be between 0 and 1, got {self.degrade}.")
        if not self.engines:
            raise InvalidOptionError("A stage needs at least one engine.")

    def rate(self, step: int) -> float:
        """Share of the peak learning rate at `step`: up, flat, and down to zero."""
        up = min(1.0, (step + 1) / max(1, self.warmup))
        down = min(1.0, (self.steps - step) / max(1.0, self.decay * self.steps))
        return min(up, down)


@dataclass(frozen=True)
class ModelPreset:
    """A network for training from nothing, with the byte vocabulary of `vocabulary.byte_tokenizer`.

    Attributes:
        vision, text: fields of the two configurations, canvas and vocabulary size aside.
        max_upscale: largest factor by which the image processor enlarges a small picture.
        max_length: longest training sequence in ids.
    """

    vision: dict[str, Any] = field(default_factory=dict)
    text: dict[str, Any] = field(default_factory=dict)
    max_upscale: float = 2.0
    max_length: int = 2048

    def config(self, canvas: tuple[int, int], vocab_size: int, image_token: int) -> GotOcr2Config:
        return GotOcr2Config(
            vision_config=GotOcr2VisionConfig(image_size=canvas, **self.vision),
            text_config=GotOcr2TextConfig(vocab_size=vocab_size, **self.text),
            image_token_index=image_token,
        )


SMALL = ModelPreset(
    vision={
        "hidden_size": 192, "output_channels": 128, "num_hidden_layers": 6, "num_attention_heads": 3,
        "patch_size": 8, "mlp_dim": 768, "window_size": 8, "global_attn_indexes": (2, 5), "use_rel_pos": False,
    },
    text={
        "hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 4, "num_attention_heads": 4,
        "num_key_value_heads": 4, "max_position_embeddings": 4096, "rope_theta": 10_000.0,
    },
)  # fmt: skip


def with_overrides(stage: StageConfig, settings: Mapping[str, str]) -> StageConfig:
    """Replaces fields by values written as Python literals.

    Raises:
        InvalidOptionError: an unknown name, or a value that is not of the field's type.
    """
    known = {f.name for f in dataclasses.fields(stage)}
    changes: dict[str, Any] = {}
    for name, text in settings.items():
        if name not in known:
            raise InvalidOptionError(f"Unknown setting {name!r}; it is one of {', '.join(sorted(known))}.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError) as e:
            raise InvalidOptionError(f"{name}={text} is not a number, tuple, list or dict.") from e
        expected = type(getattr(stage, name))
        if expected is float and type(value) is int:
            value = float(value)
        if type(value) is not expected:
            raise InvalidOptionError(
                f"{name} must be a {expected.__name__}, got {text} ({type(value).__name__})."
            )
        changes[name] = value
    return dataclasses.replace(stage, **changes)
