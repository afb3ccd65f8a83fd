"""Runs the stages of a recipe, each from where the last one ended, and exports the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..config import GotOcr2VisionConfig
from ..errors import FileAccessError
from ..generation.options import GenerationOptions
from ..modeling import GotOcr2ForConditionalGeneration
from ..processing import GotOcr2ImageProcessor, GotOcr2Processor
from ..synth.content import ContentMixture
from ..synth.mixture import Degraded, Mixture
from ..synth.registry import create_engine
from ..synth.sample import Engine
from .batches import Collator
from .config import ModelPreset, StageConfig
from .data import BatchStream
from .loop import STATE_NAME, Trainer
from .positions import grow_positions, sine_positions
from .recipes import Recipe
from .vocabulary import byte_tokenizer

MODEL_NAME = "model"
_POSITIONS = "model.model.vision_tower.pos_embed"


def run(recipe: Recipe, folder: Path, log: Callable[[str], None] = print) -> Path:
    """Trains all stages; those that are done already are passed over, one that was broken off goes on.

    Args:
        recipe: what to train.
        folder: each stage has a folder of its name in it.
        log: told what happens, one line at a time.

    Returns:
        The folder of the exported model, a checkpoint in HF's layout.

    Raises:
        DivergedError: a loss is no longer a number.
    """
    before: tuple[Path, StageConfig] | None = None
    for name, stage in recipe.stages:
        model, processor = build(recipe.preset, stage.canvas, stage.seed)
        collator = Collator(processor, model.config.vision_config.patch_hw, recipe.preset.max_length)
        stream = BatchStream(mixture(stage), collator, stage.batch_size, stage.seed)
        trainer = Trainer(model, stage, stream, folder / name)
        if before is not None and trainer.step == 0:
            trainer.trained.load_state_dict(handed_over(before[0], recipe.preset, before[1], stage))
        log(f"{name}: step {trainer.step} of {stage.steps}, log in {folder / name}")
        trainer.run()
        before = (folder / name, stage)
        export(model, processor, folder / MODEL_NAME)
    log(f"model: {folder / MODEL_NAME}")
    return folder / MODEL_NAME


def build(
    preset: ModelPreset, canvas: tuple[int, int], seed: int
) -> tuple[GotOcr2ForConditionalGeneration, GotOcr2Processor]:
    """A fresh model for a canvas (height, width in pixels), and its processor."""
    tokenizer = byte_tokenizer()
    config = preset.config(canvas, len(tokenizer), tokenizer.image_token_id)
    torch.manual_seed(seed)
    model = GotOcr2ForConditionalGeneration(config)
    if config.vision_config.use_abs_pos:
        model.model.vision_tower.pos_embed = nn.Parameter(sine_positions(config.vision_config))
    model.generation_defaults = GenerationOptions(
        eos_token_id=(tokenizer.eos_token_id,), pad_token_id=tokenizer.pad_token_id
    )
    images = GotOcr2ImageProcessor(size=canvas, resize_mode="pad", max_upscale=preset.max_upscale)
    tokens = config.vision_config.num_image_tokens
    return model, GotOcr2Processor(images, tokenizer, num_image_tokens=tokens, dialect="original")


def mixture(stage: StageConfig) -> Engine:
    """The stage's engines as one, degraded."""
    engines: list[tuple[Engine, float]] = []
    for settings in stage.engines:
        options: dict[str, Any] = dict(settings)
        kind, weight = options.pop("kind"), options.pop("weight", 1.0)
        if isinstance(options.get("mixture"), dict):
            options["mixture"] = ContentMixture(**options["mixture"])
        engines.append((create_engine(kind, **options), weight))
    return Degraded(Mixture(engines), stage.degrade)


def handed_over(
    folder: Path, preset: ModelPreset, old: StageConfig, stage: StageConfig
) -> dict[str, torch.Tensor]:
    """What the stage before learnt, its positions grown to the new canvas: `Trainer.trained`'s state.

    Raises:
        FileAccessError: the stage before left no state.
    """
    if not (folder / STATE_NAME).exists():
        raise FileAccessError(f"{folder / STATE_NAME} is missing: the stage before has to be trained first.")
    weights = torch.load(folder / STATE_NAME, map_location="cpu", weights_only=True)["weights"]
    if old.canvas != stage.canvas and _POSITIONS in weights:
        small, large = (GotOcr2VisionConfig(image_size=s.canvas, **preset.vision) for s in (old, stage))
        weights[_POSITIONS] = grow_positions(weights[_POSITIONS], small, large).data
    return weights


def export(model: GotOcr2ForConditionalGeneration, processor: GotOcr2Processor, folder: Path) -> None:
    """Writes a checkpoint that `OCR.from_pretrained(folder)` opens, its weights in bf16."""
    copy = GotOcr2ForConditionalGeneration(model.config)
    copy.load_state_dict(model.state_dict())
    copy.generation_defaults = model.generation_defaults
    copy.to(torch.bfloat16).save_pretrained(folder)
    processor.save_pretrained(folder)
