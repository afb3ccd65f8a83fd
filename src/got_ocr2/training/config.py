"""What a training run is, as data."""

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..config import GotOcr2Config, GotOcr2TextConfig, GotOcr2VisionConfig
from ..errors import InvalidOptionError

TRAINED = ("all", "decoder")
SCHEDULES = ("plateau", "cosine")


@dataclass(frozen=True)
class StageConfig:
    """One stage of training: a data mixture on one canvas under one schedule.

    Attributes:
        engines: the mixture, each `{"kind": ..., "weight": ..., **options of synth.registry.create_engine}`.
        canvas: height and width in pixels.
        seed: of the data stream and of fresh weights.
        steps: number of optimiser steps, at most.
        minutes: the stage ends after so much time, if not after `steps`, and the schedule follows whichever is
            further; 0 sets no limit. Runs with a limit do not repeat to the bit.
        batch_size: samples per step, all processes together.
        accumulate: micro-batches that each process computes one after another for one step.
        pool: steps whose samples are drawn together and sorted by length, so that little is padding. A data
            process holds a pool in memory, so large canvases want a small one.
        narrow: share of the steps whose canvases end where their widest picture does: what is filled up costs as
            much as what is printed. Only for `GotOcr2ImageProcessor`'s mode "pad" and encoders without relative
            positions; the other steps keep the network used to the whole canvas.
        resampled: share of the stage before, by weight, that is mixed into `engines` (paper section 3.3: 0.8).
        max_length: longest sequence in ids, prompt included; 0 takes the network's.
        trained: "all", or "decoder": the encoder, its two strided convolutions included, stays as it is.
        decoder: fields of the text configuration that differ from the network's in this stage. Another decoder
            than the stage before had is a fresh one, behind a fresh projector.
        decoder_from: folder of a Qwen2 checkpoint that a fresh decoder starts from; "" draws it at random.
        learning_rate: peak, for AdamW; matrices go through Muon at the same RMS update if `muon`.
        warmup: steps over which the rate rises.
        schedule: "plateau" holds the peak and falls to zero over the last `decay` share of the steps; "cosine"
            falls all the way, and leaves `decay` unused.
        weight_decay: decoupled, on matrices only.
        clip: largest norm of the gradient.
        glyph_weight, guidance_weight: of the dense losses; 0 turns one off.
        guided_layers: decoder layers whose first head is guided.
        degrade: strength of degradation, 0..1, drawn uniformly below this for each sample.
        bf16: run the network under bf16 autocast; weights stay fp32.
        checkpointing: compute the activations of each layer again on the way back instead of keeping them: a
            third more time for a fraction of the memory.
        ema: decay of a running mean of the weights, which is then what is exported; 0 keeps none.
        checkpoint_every, evaluate_every: steps.
        held_out: samples of the engines' test split that are read every `evaluate_every` steps; 0 reads none.
        workers: data processes.
    """

    engines: tuple[dict[str, Any], ...] = ({"kind": "text", "weight": 1.0},)
    canvas: tuple[int, int] = (256, 512)
    seed: int = 0
    steps: int = 1000
    minutes: float = 0.0
    batch_size: int = 16
    accumulate: int = 1
    pool: int = 8
    narrow: float = 0.0
    resampled: float = 0.0
    max_length: int = 0
    trained: str = "all"
    decoder: dict[str, Any] = field(default_factory=dict)
    decoder_from: str = ""
    learning_rate: float = 1e-3
    warmup: int = 100
    schedule: str = "plateau"
    decay: float = 0.2
    weight_decay: float = 0.05
    clip: float = 1.0
    muon: bool = True
    glyph_weight: float = 0.5
    guidance_weight: float = 0.3
    guided_layers: tuple[int, ...] = (1, 2)
    degrade: float = 0.5
    bf16: bool = True
    checkpointing: bool = False
    ema: float = 0.0
    checkpoint_every: int = 250
    evaluate_every: int = 500
    held_out: int = 16
    workers: int = 1

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulate", "pool", "checkpoint_every", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InvalidOptionError(f"{name} must be >= 1, got {getattr(self, name)}.")
        for name in ("workers", "max_length", "held_out"):
            if getattr(self, name) < 0:
                raise InvalidOptionError(f"{name} must be >= 0, got {getattr(self, name)}.")
        for name in ("decay", "degrade", "narrow", "resampled"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidOptionError(f"{name} must be between 0 and 1, got {getattr(self, name)}.")
        if self.minutes < 0:
            raise InvalidOptionError(f"minutes must be >= 0, got {self.minutes}.")
        if not 0 <= self.ema < 1:
            raise InvalidOptionError(f"ema must be at least 0 and below 1, got {self.ema}.")
        for name, known in (("trained", TRAINED), ("schedule", SCHEDULES)):
            if getattr(self, name) not in known:
                raise InvalidOptionError(
                    f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}."
                )
        if not self.engines:
            raise InvalidOptionError("A stage needs at least one engine.")

    def rate(self, step: int, share: float | None = None) -> float:
        """Share of the peak learning rate: up, and down to zero as `schedule` says.

        Args:
            step: number of the step, from 0.
            share: how much of the stage is gone, 0 to 1; by default what `step` says.
        """
        up = min(1.0, (step + 1) / max(1, self.warmup))
        gone = step / self.steps if share is None else share
        if self.schedule == "cosine":
            start = min(1.0, self.warmup / self.steps)
            return min(
                up, 0.5 + 0.5 * math.cos(math.pi * min(1.0, max(0.0, (gone - start) / max(1e-9, 1 - start))))
            )
        return min(up, min(1.0, (1 - gone) / max(1 / self.steps, self.decay)))


@dataclass(frozen=True)
class ModelPreset:
    """A network for training from nothing.

    Attributes:
        vision, text: fields of the two configurations, canvas and vocabulary size aside.
        max_upscale: largest factor by which the image processor enlarges a small picture, in "pad" mode.
        max_length: longest training sequence in ids.
        resize_mode: how a page comes onto the canvas: "pad", or "squash" as the published model has it.
        tokenizer: folder with `tokenizer.json` or `qwen.tiktoken`; "" is `vocabulary.byte_tokenizer`.
        reads: what its pictures show, "pages" or "lines"; the exported processor says so.
    """

    vision: dict[str, Any] = field(default_factory=dict)
    text: dict[str, Any] = field(default_factory=dict)
    max_upscale: float = 2.0
    max_length: int = 2048
    resize_mode: Literal["pad", "squash"] = "pad"
    tokenizer: str = ""
    reads: Literal["pages", "lines"] = "pages"

    def config(
        self,
        canvas: tuple[int, int],
        vocab_size: int,
        image_token: int,
        decoder: Mapping[str, Any] | None = None,
    ) -> GotOcr2Config:
        """The network on a canvas (height, width in pixels); `decoder` as in `StageConfig`."""
        return GotOcr2Config(
            vision_config=GotOcr2VisionConfig(image_size=canvas, **self.vision),
            text_config=GotOcr2TextConfig(vocab_size=vocab_size, **{**self.text, **(decoder or {})}),
            image_token_index=image_token,
        )


# An image token is 32 pixels high and 16 wide, about one letter of print: see docs/LOG.md for what wider ones cost.
SMALL = ModelPreset(
    vision={
        "hidden_size": 128, "output_channels": 96, "num_hidden_layers": 6, "num_attention_heads": 4,
        "patch_size": (8, 4), "mlp_dim": 512, "window_size": 8, "global_attn_indexes": (2,), "use_rel_pos": False,
    },
    text={
        "hidden_size": 192, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 3,
        "num_key_value_heads": 3, "max_position_embeddings": 4096, "rope_theta": 10_000.0,
    },
)  # fmt: skip

# The same network on a canvas of one line: every letter is about as large as an image token.
LINE_READER = replace(
    SMALL, vision={**SMALL.vision, "window_size": 4, "global_attn_indexes": (2, 5)}, max_upscale=4.0, max_length=512,
    reads="lines",
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
