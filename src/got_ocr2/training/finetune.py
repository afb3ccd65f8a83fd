"""Fine-tuning: a checkpoint goes on learning from pages of one's own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import InvalidOptionError
from ..modeling import GotOcr2ForConditionalGeneration
from ..ocr import OCR
from ..processing import GotOcr2Processor
from .adapters import add_adapter, merge, save_adapter
from .config import StageConfig
from .data.batch_stream import BatchStream
from .data.batches import Collator
from .data.examples import Example, Examples, read_examples
from .data.preflight import check_examples, sanity
from .distributed import Group
from .loop import Trainer
from .optimization.trained_parts import choose_trained
from .records.log import TrainingLog
from .records.plots import PLOT_NAME, LoggedStage, plot_run
from .run import MODEL_NAME, export
from .validation import Checkup

MODES = ("full", "frozen-vision", "lora")
RUN_NAME, ADAPTER_NAME, SETTINGS_NAME = "training", "adapter", "finetune.json"
_LONGEST = 8192  # ids; what the published model was trained with last
_RATES = {"full": 2e-5, "frozen-vision": 2e-5, "lora": 2e-4}  # 2e-5 is the paper's for its last stage
_SANITY_PAGES = 16


@dataclass(frozen=True)
class FineTuning:
    """How to fine-tune.

    Attributes:
        mode: "full" trains everything, "frozen-vision" the decoder and the projector, "lora" an adapter.
        epochs: how often each page is seen.
        steps: number of steps instead; 0 follows `epochs`.
        minutes: end after so much time at the latest, as in `StageConfig`; 0 sets no limit.
        batch_size: pages a step, all processes together.
        accumulate: batches that a process computes one after another for one step.
        learning_rate: peak, after a warm-up over 3 % of the steps and before a cosine; 0 takes the mode's own:
            2e-5, for adapters 2e-4.
        max_length: longest sequence in ids; 0 takes what the decoder can hold, at most 8192.
        skip_long: leave out longer samples instead of refusing them.
        hold_out: pages that are kept out of training to measure the error; -1 takes a tenth, at most 32.
        rank, alpha, target: of the adapter, see `adapters.add_adapter`.
        muon, bf16, checkpointing, ema: as in `StageConfig`.
        seed: of the order of pages and of the adapter's start.
        workers: data processes.
    """

    mode: str = "full"
    epochs: float = 3.0
    steps: int = 0
    minutes: float = 0.0
    batch_size: int = 8
    accumulate: int = 1
    learning_rate: float = 0.0
    max_length: int = 0
    skip_long: bool = False
    hold_out: int = -1
    rank: int = 16
    alpha: float = 32.0
    target: str = "decoder"
    muon: bool = False
    bf16: bool = True
    checkpointing: bool = False
    ema: float = 0.0
    seed: int = 0
    workers: int = 2

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InvalidOptionError(f"The mode must be one of {', '.join(MODES)}, got {self.mode!r}.")
        if self.epochs <= 0:
            raise InvalidOptionError(f"epochs must be above 0, got {self.epochs}.")
        if self.learning_rate < 0:
            raise InvalidOptionError(f"learning_rate must be >= 0, got {self.learning_rate}.")
        for name, least in (("steps", 0), ("max_length", 0), ("hold_out", -1), ("batch_size", 1)):
            if getattr(self, name) < least:
                raise InvalidOptionError(f"{name} must be >= {least}, got {getattr(self, name)}.")

    def stage(self, pages: int) -> StageConfig:
        """The same as a stage of training, for a number of pages."""
        steps = self.steps or math.ceil(pages * self.epochs / self.batch_size)
        return StageConfig(
            engines=({"kind": Examples.kind},), seed=self.seed, steps=steps, minutes=self.minutes,
            batch_size=self.batch_size, accumulate=self.accumulate,
            learning_rate=self.learning_rate or _RATES[self.mode], warmup=max(1, round(0.03 * steps)),
            schedule="cosine", weight_decay=0.0, muon=self.muon, glyph_weight=0.0, guidance_weight=0.0, bf16=self.bf16,
            checkpointing=self.checkpointing, ema=self.ema, checkpoint_every=min(200, max(1, steps // 4)),
            evaluate_every=max(1, steps // 4), workers=self.workers,
        )  # fmt: skip


def finetune(
    model: str | Path | None, data: Path, folder: Path, how: FineTuning | None = None, *,
    test: Path | None = None, log: Callable[[str], None] = print,
    progress: Callable[[str], None] = lambda line: None, group: Group | None = None,
    tensorboard: bool = False, plots: bool = False, shard: bool = False,
) -> Path:  # fmt: skip
    """Trains a checkpoint on pages of one's own; the same call goes on where it was broken off.

    Args:
        model: a folder or repository, as `OCR.from_pretrained` takes it; None is the embedded model.
        data: what `examples.read_examples` reads.
        folder: for the result: `model` in HF's layout, `adapter` in mode "lora", `training` with the log.
        how: settings.
        test: pages to measure the error on, instead of some of `data`.
        log: told what happens.
        progress: told of every row of the log.
        group: the processes that train together.
        tensorboard, plots: write event files for TensorBoard; draw the log.
        shard: deal the parameters out over the processes, see `sharding`; not in mode "lora".

    Returns:
        The folder of the exported model.

    Raises:
        GotOcr2Error: the data or a setting is wrong; a page that cannot be used is named.
    """
    how, group = how or FineTuning(), group or Group()
    if shard and how.mode == "lora":
        raise InvalidOptionError(
            "An adapter is small, so there is nothing to shard: leave out --shard or --mode lora."
        )
    if group.is_first:
        _check_settings(folder, {"model": str(model), "data": str(data), "test": str(test), **asdict(how)})
    group.wait()
    examples, apart = read_examples(data), None if test is None else read_examples(test)
    opened = OCR.from_pretrained(model, device=group.device, dtype="float32")
    network, processor, config = opened.model, opened.processor, opened.model.config
    longest = how.max_length or min(_LONGEST, config.text_config.max_position_embeddings)
    collator = Collator(processor, config.vision_config.patch_hw, longest)
    examples = _checked("samples", examples, collator, how, log)
    if apart is None:
        examples, apart = _split(examples, how)
    else:
        apart = _checked("test samples", apart, collator, how, log)
    stage = how.stage(len(examples))

    torch.manual_seed(how.seed)
    adapted = _choose_learning(network, how)
    log(_summary(network, len(examples), len(apart), stage))
    place, tensorboard = folder / RUN_NAME, tensorboard and group.is_first
    rows = TrainingLog(place, RUN_NAME, stage.steps, tell=progress, tensorboard=tensorboard)
    reads = bool(apart) and (group.is_first or shard)
    trainer = Trainer(
        network, stage, _stream(examples, collator, stage, group), place, group=group, log=rows, shard=shard,
        checkup=Checkup(collator, [example.sample() for example in apart]) if reads else None, save_frozen=False,
    )  # fmt: skip
    if trainer.step:
        log(f"Going on after step {trainer.step} of {stage.steps}.")
    else:
        _look(trainer, collator, (apart or examples)[:_SANITY_PAGES], log)
    group.wait()
    trainer.run()
    _export(trainer, processor, adapted, folder)
    if group.is_first:
        if plots:
            plot_run([LoggedStage(RUN_NAME, place, stage.batch_size)], folder / PLOT_NAME)
        log(f"model: {folder / MODEL_NAME}")
    group.wait()
    return folder / MODEL_NAME


def _choose_learning(network: GotOcr2ForConditionalGeneration, how: FineTuning) -> Any:
    """Freezes what does not learn in this mode; returns the model with its adapter, or None where there is none."""
    if how.mode == "lora":
        return add_adapter(network, rank=how.rank, alpha=how.alpha, target=how.target)
    choose_trained(network, "decoder" if how.mode == "frozen-vision" else "all")
    return None


def _stream(examples: Sequence[Example], collator: Collator, stage: StageConfig, group: Group) -> BatchStream:
    """This process's part of every step's pages."""
    return BatchStream(
        Examples(examples), collator, stage.batch_size, stage.seed,
        parts=group.size * stage.accumulate,
        own=range(group.rank * stage.accumulate, (group.rank + 1) * stage.accumulate), pool=stage.pool,
    )  # fmt: skip


def _summary(
    network: GotOcr2ForConditionalGeneration, examples: int, held_out: int, stage: StageConfig
) -> str:
    learning = sum(p.numel() for p in network.parameters() if p.requires_grad)
    total = sum(p.numel() for p in network.parameters())
    return (
        f"{examples} pages to learn from, {held_out} held out; {learning:,} of {total:,} parameters learn; "
        f"{stage.steps} steps of {stage.batch_size} pages."
    )


def _look(
    trainer: Trainer, collator: Collator, examples: Sequence[Example], log: Callable[[str], None]
) -> None:
    """Tells how surprising some pages are before anything is learnt, and measures the error."""
    fresh = trainer.whole_model()
    if trainer.group.is_first:
        pages = [example.sample() for example in examples]
        loss = Checkup(collator, pages)(fresh.to(trainer.group.device), read=False).loss
        log(sanity(loss, fresh.config.text_config.vocab_size, len(pages)))
    trainer.check_up()


def _export(trainer: Trainer, processor: GotOcr2Processor, adapted: Any, folder: Path) -> None:
    """The mean of the weights as a checkpoint; an adapter by itself too, and merged."""
    with trainer.averaged():
        network = trainer.whole_model()
        if trainer.group.is_first:
            if adapted is not None:
                save_adapter(adapted, folder / ADAPTER_NAME)
                network = merge(adapted)
            export(network, processor, folder / MODEL_NAME)


def _checked(
    what: str, examples: Sequence[Example], collator: Collator, how: FineTuning, log: Callable[[str], None]
) -> list[Example]:
    """The examples that can be used; what is left out is told, by name."""
    log(f"Opening {len(examples)} {what}.")
    fit, long = check_examples(examples, collator, skip_long=how.skip_long)
    if long:
        log(f"Left out {len(long)} of {len(examples)} {what} that are longer than {collator.max_length} ids:")
        for found in long:
            log(f"  {found.example.name}: {found.length} ids")
    return fit


def _split(examples: Sequence[Example], how: FineTuning) -> tuple[list[Example], list[Example]]:
    """Those to learn from and those held out, drawn by the seed.

    Raises:
        InvalidOptionError: nothing would be left to learn from.
    """
    count = min(32, len(examples) // 10) if how.hold_out < 0 else how.hold_out
    if count >= len(examples):
        raise InvalidOptionError(f"hold_out is {count}, but there are {len(examples)} pages in all.")
    order = np.random.default_rng([how.seed, 1]).permutation(len(examples))
    apart = set(order[:count].tolist())
    return [e for i, e in enumerate(examples) if i not in apart], [examples[i] for i in sorted(apart)]


def _check_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Writes down what is asked for, or compares it with what the folder was begun with.

    Raises:
        InvalidOptionError: the folder holds a run of other settings.
    """
    path = folder / SETTINGS_NAME
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        for name, value in settings.items():
            if found.get(name) != value:
                raise InvalidOptionError(
                    f"{folder} holds a run with {name}={found.get(name)!r}, not {value!r}; give the same settings to "
                    "go on with it, or another folder."
                )
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
