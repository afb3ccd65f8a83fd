"""Recipes: a network and the stages that train it, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import InvalidOptionError
from ..config import LINE_READER, SMALL, ModelPreset, StageConfig, with_overrides
from .half_hour import HALF_HOUR, HALF_HOUR_STAGES
from .published import PUBLISHED, PUBLISHED_STAGES


@dataclass(frozen=True)
class Recipe:
    """A network and its stages in order; each stage starts from the last one's weights.

    Attributes:
        preset: the network; a stage may have another decoder.
        stages: name and settings of each stage.
        largest_file: most bytes of a file of the exported weights, as a number or like "15MiB".
    """

    preset: ModelPreset
    stages: tuple[tuple[str, StageConfig], ...]
    largest_file: str = "5GB"


def _text(weight: float = 1.0, **options: Any) -> dict[str, Any]:
    return {"kind": "text", "weight": weight, **options}


# Strips first: the same lesson per letter with cheaper attention, and more optimiser steps.
_STRIPS = StageConfig(
    engines=(
        _text(
            canvas=(64, 512), em=(14.0, 24.0), layouts={"word": 0.03, "line": 0.1, "paragraph": 0.87}, mixed=0.6,
            mixture={"prose": 0.25, "shuffled": 0.35, "strings": 0.4},
        ),
    ),
    canvas=(64, 512), steps=1350, batch_size=14, learning_rate=2e-3, warmup=150, decay=0.0, glyph_weight=1.0,
    guidance_weight=0.5, degrade=0.05,
)  # fmt: skip
_PARAGRAPHS = StageConfig(
    engines=(
        _text(
            canvas=(128, 512), em=(14.0, 30.0), layouts={"word": 0.05, "line": 0.15, "paragraph": 0.8},
            mixed=0.25, mixture={"prose": 0.5, "shuffled": 0.25, "strings": 0.25},
        ),
    ),
    canvas=(128, 512), steps=1290, batch_size=8, learning_rate=1.5e-3, warmup=40, decay=0.5, glyph_weight=0.7,
    guidance_weight=0.5, degrade=0.25,
)  # fmt: skip

# Denser print, spoilt harder, and a long way down: what a page costs the encoder does not depend on its letters.
_READING = StageConfig(
    engines=(
        _text(
            canvas=(128, 512), em=(13.0, 26.0), layouts={"word": 0.04, "line": 0.12, "paragraph": 0.84},
            mixed=0.2, mixture={"prose": 0.55, "shuffled": 0.25, "strings": 0.2},
        ),
    ),
    canvas=(128, 512), steps=1650, batch_size=12, learning_rate=1.5e-3, warmup=60, decay=0.6, glyph_weight=0.5,
    guidance_weight=0.3, degrade=0.5, checkpoint_every=50, seed=1,
)  # fmt: skip

# Lines cut out of spoilt print, hard kinds among them. Steps are for a start from the embedded weights.
_PRINT = StageConfig(
    engines=({"kind": "line", "weight": 1.0},), canvas=(32, 640), steps=1500, batch_size=48, learning_rate=1e-3,
    warmup=60, decay=0.85, glyph_weight=0.15, guidance_weight=0.1, degrade=0.0, narrow=0.8, checkpoint_every=100,
    held_out=48,
)  # fmt: skip

# The published recipe's three stages at a size that any machine runs in minutes; it learns nothing worth having.
_TINY = ModelPreset(
    vision={
        "hidden_size": 32, "output_channels": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 16,
        "mlp_dim": 64, "window_size": 8, "global_attn_indexes": (1,), "use_rel_pos": False,
    },
    text={
        "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 4, "max_position_embeddings": 2048, "rope_theta": 10_000.0,
    },
    max_length=1024,
)  # fmt: skip
_LINES = StageConfig(
    engines=(_text(canvas=(256, 256), layouts={"word": 0.3, "line": 0.7}),),
    canvas=(256, 256), steps=20, batch_size=4, pool=2, warmup=2, held_out=2, decoder={"num_hidden_layers": 2},
    guided_layers=(1,),
)  # fmt: skip
_KINDS = replace(
    _LINES, engines=({"kind": "formula", "weight": 1.0}, {"kind": "molecule", "weight": 1.0}), resampled=0.8,
    decoder={}, guided_layers=(1, 2),
)  # fmt: skip
_REGIONS = replace(
    _KINDS,
    engines=({"kind": "region", "weight": 1.0},),
    trained="decoder",
    glyph_weight=0.0,
    learning_rate=2e-4,
)

RECIPES: dict[str, Recipe] = {
    "small": Recipe(SMALL, (("strips", _STRIPS), ("paragraphs", _PARAGRAPHS), ("reading", _READING))),
    "lines": Recipe(LINE_READER, (("print", _PRINT),), largest_file="15MiB"),
    "rehearsal": Recipe(_TINY, (("encoder", _LINES), ("joint", _KINDS), ("reading", _REGIONS))),
    "gpu-half-hour": Recipe(HALF_HOUR, HALF_HOUR_STAGES, largest_file="15MiB"),
    "published": Recipe(PUBLISHED, PUBLISHED_STAGES),
}


def with_resampling(stages: Sequence[tuple[str, StageConfig]]) -> tuple[tuple[str, StageConfig], ...]:
    """The stages with `resampled` carried out: each has its share of all that the stage before drew.

    Weights are amounts, in a unit that all stages share, such as millions of samples.
    """
    done: list[tuple[str, StageConfig]] = []
    for name, stage in stages:
        if stage.resampled and done:
            again = tuple(
                {**engine, "weight": stage.resampled * engine.get("weight", 1.0)}
                for engine in done[-1][1].engines
            )
            stage = replace(stage, engines=(*stage.engines, *again))
        done.append((name, stage))
    return tuple(done)


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        InvalidOptionError: there is none.
    """
    if name not in RECIPES:
        raise InvalidOptionError(f"Unknown recipe {name!r}; it is one of {', '.join(RECIPES)}.")
    return RECIPES[name]


def with_minutes(chosen: Recipe, minutes: float) -> Recipe:
    """The recipe in so much time, shared out as its stages' own minutes are, or else as their steps are.

    Raises:
        InvalidOptionError: `minutes` is not above 0.
    """
    if not 0 < minutes < float("inf"):
        raise InvalidOptionError(f"minutes must be above 0, got {minutes}.")
    timed = all(stage.minutes for _, stage in chosen.stages)
    amounts = [stage.minutes if timed else stage.steps for _, stage in chosen.stages]
    return replace(
        chosen,
        stages=tuple(
            (name, replace(stage, minutes=minutes * amount / sum(amounts)))
            for (name, stage), amount in zip(chosen.stages, amounts, strict=True)
        ),
    )


def with_stage_overrides(chosen: Recipe, settings: Sequence[str]) -> Recipe:
    """Applies `stage.name=value` texts, as `--set` gives them.

    Raises:
        InvalidOptionError: a text of another form, an unknown stage or setting, or a value of the wrong type.
    """
    by_stage: dict[str, dict[str, str]] = {name: {} for name, _ in chosen.stages}
    for text in settings:
        target, equals, value = text.partition("=")
        stage, dot, name = target.partition(".")
        if not equals or not dot:
            raise InvalidOptionError(f"--set takes STAGE.NAME=VALUE, got {text!r}.")
        if stage not in by_stage:
            raise InvalidOptionError(f"Unknown stage {stage!r}; it is one of {', '.join(by_stage)}.")
        by_stage[stage][name] = value
    return replace(
        chosen, stages=tuple((name, with_overrides(stage, by_stage[name])) for name, stage in chosen.stages)
    )
