"""Runs the stages of a recipe, each from where the last one ended, and exports the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..generation.rules.options import GenerationOptions
from ..modeling import GotOcr2ForConditionalGeneration
from ..processing import GotOcr2ImageProcessor, GotOcr2Processor, GotOcr2Tokenizer
from ..processing.image_processor import Size
from ..synth.corpora.content import ContentMixture
from ..synth.mixture import Degraded, Mixture
from ..synth.registry import create_engine
from ..synth.sample import Engine, Sample
from .config import ModelPreset, StageConfig
from .data.batch_stream import BatchStream
from .data.batches import Collator
from .distributed import Group
from .loop import Trainer
from .optimization.trained_parts import choose_trained
from .position_embeddings import sine_positions
from .recipes.catalog import Recipe, with_resampling
from .records.log import TrainingLog
from .records.plots import PLOT_NAME, LoggedStage, plot_run
from .validation import Checkup
from .vocabulary import byte_tokenizer
from .warm_start import handed_over, load_decoder, started_from

MODEL_NAME = "model"
REDRAWS = 20  # of a rendered sample that is too long; where so many fail, the stage is set up wrong


def run(
    recipe: Recipe, folder: Path, log: Callable[[str], None] = print, *,
    progress: Callable[[str], None] = lambda line: None, group: Group | None = None,
    tensorboard: bool = False, plots: bool = False, shard: bool = False, stop_after: float = 0.0,
    start: Path | None = None,
) -> Path:  # fmt: skip
    """Trains all stages; those that are done already are passed over, one that was broken off goes on.

    Args:
        recipe: what to train.
        folder: each stage has a folder of its name in it.
        log: told what happens, one line at a time.
        progress: told of every row of the log.
        group: the processes that train together, each of which calls this.
        tensorboard, plots: write event files for TensorBoard; after each stage, draw all logs as `log.png`.
        shard: deal the parameters out over the processes, see `sharding`.
        stop_after: minutes after which this call saves its state, exports what there is and returns; 0 goes to the end.
        start: a checkpoint of the same network whose weights the first stage starts from, without dense supervision
            of the encoder; None starts from nothing.

    Returns:
        The folder of the exported model, a checkpoint in HF's layout.

    Raises:
        DivergedError: a loss is no longer a number.
        InvalidOptionError: a setting that cannot be.
        MissingDependencyError: a package of the extra `train` is not installed.
    """
    group = group or Group()
    deadline = time.monotonic() + 60 * stop_after if stop_after else None
    before: tuple[Path, StageConfig] | None = None
    for name, stage in with_resampling(recipe.stages):
        if start is not None and before is None:
            # A fresh glyph head's gradients would unlearn what the encoder knows.
            stage = replace(stage, glyph_weight=0.0)
        rows = TrainingLog(
            folder / name, name, 0 if stage.minutes else stage.steps,
            tell=progress, tensorboard=tensorboard and group.is_first,
        )  # fmt: skip
        trainer, processor = _trainer(recipe.preset, stage, folder / name, group, rows, shard, before)
        if trainer.step == 0:
            _begin(trainer, recipe.preset, before, start)
        log(f"{name}: {_limits(trainer)}, log in {folder / name}")
        done = trainer.run(deadline)
        before = (folder / name, stage)
        with trainer.averaged():
            whole = trainer.whole_model()
            if group.is_first:
                export(whole, processor, folder / MODEL_NAME, recipe.largest_file)
        if plots and group.is_first:
            logged = [LoggedStage(n, folder / n, s.batch_size) for n, s in recipe.stages]
            plot_run(logged, folder / PLOT_NAME)
        group.wait()
        if not done:
            log(f"Stopped after {stop_after:g} minutes; the same command goes on from there.")
            break
    log(f"model: {folder / MODEL_NAME}")
    return folder / MODEL_NAME


def _trainer(
    preset: ModelPreset, stage: StageConfig, folder: Path, group: Group, rows: TrainingLog, shard: bool,
    before: tuple[Path, StageConfig] | None,
) -> tuple[Trainer, GotOcr2Processor]:  # fmt: skip
    """A stage's model with its data, at the step where the folder says that it stands; and the model's processor."""
    model, processor = build(preset, stage.canvas, stage.seed, stage.decoder)
    model.to(group.device)
    choose_trained(model, stage.trained)
    max_length = stage.max_length or preset.max_length
    collator = Collator(processor, model.config.vision_config.patch_hw, max_length)
    stream = BatchStream(
        mixture(stage),
        collator,
        stage.batch_size,
        stage.seed,
        parts=group.size * stage.accumulate,
        own=range(group.rank * stage.accumulate, (group.rank + 1) * stage.accumulate),
        pool=stage.pool,
        redraws=REDRAWS,
        narrow=stage.narrow,
    )
    if before is not None and stage.decoder_from and stage.decoder != before[1].decoder:
        load_decoder(model, Path(stage.decoder_from))
    checkup = _checkup(stage, collator) if group.is_first or shard else None
    return Trainer(
        model, stage, stream, folder, group=group, log=rows, shard=shard, checkup=checkup
    ), processor


def _begin(
    trainer: Trainer, preset: ModelPreset, before: tuple[Path, StageConfig] | None, start: Path | None
) -> None:
    """Gives a stage that has not begun the weights of the one before it, or the first those of `start`."""
    if before is not None:
        folder, learnt = before
        trainer.begin_from(handed_over(folder, preset, learnt, trainer.stage, trainer.weights()))
    elif start is not None:
        trainer.begin_from(started_from(start, preset, trainer.stage, trainer.weights()))


def build(
    preset: ModelPreset, canvas: tuple[int, int], seed: int, decoder: Mapping[str, Any] | None = None
) -> tuple[GotOcr2ForConditionalGeneration, GotOcr2Processor]:
    """A fresh model for a canvas (height, width in pixels), and its processor.

    Args:
        decoder: as in `StageConfig`.
    """
    tokenizer = GotOcr2Tokenizer.from_pretrained(preset.tokenizer) if preset.tokenizer else byte_tokenizer()
    config = preset.config(canvas, len(tokenizer), tokenizer.image_token_id, decoder)
    torch.manual_seed(seed)
    model = GotOcr2ForConditionalGeneration(config)
    if config.vision_config.use_abs_pos:
        model.model.vision_tower.pos_embed = nn.Parameter(sine_positions(config.vision_config))
    model.generation_defaults = GenerationOptions(
        eos_token_id=(tokenizer.eos_token_id,), pad_token_id=tokenizer.pad_token_id
    )
    upscale = preset.max_upscale if preset.resize_mode == "pad" else None
    images = GotOcr2ImageProcessor(size=Size(*canvas), resize_mode=preset.resize_mode, max_upscale=upscale)
    tokens = config.vision_config.num_image_tokens
    return model, GotOcr2Processor(
        images, tokenizer, num_image_tokens=tokens, dialect="original", reads=preset.reads
    )


def _limits(trainer: Trainer) -> str:
    """Where a stage stands and when it ends."""
    stage = trainer.stage
    if stage.minutes:
        return f"step {trainer.step}, {trainer.clock.seconds / 60:.1f} of {stage.minutes:.3g} minutes"
    return f"step {trainer.step} of {stage.steps}"


def mixture(stage: StageConfig, split: str = "train") -> Engine:
    """The stage's engines as one, degraded; `split` "test" has fonts and texts that training never sees."""
    engines: list[tuple[Engine, float]] = []
    for settings in stage.engines:
        options: dict[str, Any] = {"split": split, **settings}
        kind, weight = options.pop("kind"), options.pop("weight", 1.0)
        if isinstance(options.get("mixture"), dict):
            options["mixture"] = ContentMixture(**options["mixture"])
        engines.append((create_engine(kind, **options), weight))
    return Degraded(Mixture(engines), stage.degrade)


def _checkup(stage: StageConfig, collator: Collator) -> Checkup | None:
    """Held-out pages of the stage's own kinds; those that are too long are passed over."""
    if not stage.held_out:
        return None
    engine = mixture(stage, "test")
    pages: list[Sample] = []
    for index in range(10 * stage.held_out):
        sample = engine.sample(stage.seed, index)
        if collator.length(sample) <= collator.max_length:
            pages.append(sample)
        if len(pages) == stage.held_out:
            break
    return Checkup(collator, pages) if pages else None


def export(
    model: GotOcr2ForConditionalGeneration, processor: GotOcr2Processor, folder: Path,
    max_shard_size: int | str = "5GB",
) -> None:  # fmt: skip
    """Writes a checkpoint that `OCR.from_pretrained(folder)` opens, its weights in bf16."""
    copy = GotOcr2ForConditionalGeneration(model.config)
    copy.load_state_dict(model.state_dict())
    copy.generation_defaults = model.generation_defaults
    copy.to(torch.bfloat16).save_pretrained(folder, max_shard_size=max_shard_size)
    processor.save_pretrained(folder)
