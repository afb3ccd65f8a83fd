"""The training loop of one stage: resumable at any step, logged as JSON lines."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ..errors import CheckpointError, GotOcr2Error
from ..modeling import GotOcr2ForConditionalGeneration
from .average import WeightAverage
from .batches import TrainingBatch
from .checkup import Checkup
from .config import StageConfig
from .data import BatchStream, batches
from .distributed import Group
from .glyphs import GlyphHead
from .guidance import GuidedAttention
from .log import LOG_NAME, TrainingLog
from .optimizers import make_optimizers
from .parts import has_bfloat16, recompute_activations

__all__ = ["LOG_NAME", "STATE_NAME", "DivergedError", "Losses", "Trainer"]

STATE_NAME = "state.pt"
LOG_EVERY = 20  # steps


class DivergedError(GotOcr2Error):
    """The loss or the gradient is no longer a number; the last checkpoint is good."""


class Losses(NamedTuple):
    """Mean losses of one step, fp32 scalars."""

    text: Tensor
    glyph: Tensor
    guidance: Tensor


class _Loss(nn.Module):
    """The three losses of one batch as one module, which is what distributed training wraps."""

    def __init__(
        self, model: GotOcr2ForConditionalGeneration, glyph_head: GlyphHead, stage: StageConfig
    ) -> None:
        super().__init__()
        self.model, self.glyph_head, self.stage = model, glyph_head, stage
        self.guidance = GuidedAttention(model, stage.guided_layers if stage.guidance_weight else ())
        self._neck: list[Tensor] = []
        model.model.vision_tower.register_forward_hook(self._remember_neck)

    def forward(self, batch: TrainingBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Text, glyph and guidance: fp32 scalars."""
        self.guidance.forget()
        output = self.model(batch.input_ids, batch.pixel_values, labels=batch.labels)
        neck = self._neck.pop()
        zero = torch.zeros((), device=neck.device)
        glyph = self.glyph_head(neck, batch.glyphs) if self.stage.glyph_weight else zero
        assert output.loss is not None
        return output.loss, glyph, self.guidance.loss(batch.alignment)

    def _remember_neck(self, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._neck[:] = [output]


class Trainer:
    """Trains a model on a stream of batches.

    Args:
        model: trained in place, fp32 weights; parameters that need no gradient stay as they are.
        stage: schedule and losses.
        stream: where batches come from.
        folder: for the log and the state; a state in it is resumed.
        group: the processes that train together; each has a `Trainer` of its own.
        log: where rows go; `folder`'s `log.jsonl` by default.
        checkup: reads held-out pages every `stage.evaluate_every` steps and at the end. One process of a group
            has it; the others wait for that one at their next step.
        save_frozen: whether the state holds the parameters that do not learn too. Leave them out where they
            come from a checkpoint that is opened again to resume.
    """

    def __init__(
        self, model: GotOcr2ForConditionalGeneration, stage: StageConfig, stream: BatchStream, folder: Path, *,
        group: Group | None = None, log: TrainingLog | None = None, checkup: Checkup | None = None,
        save_frozen: bool = True,
    ) -> None:  # fmt: skip
        self.model, self.stage, self.stream, self.folder = model, stage, stream, folder
        self.group, self.checkup = group or Group(device=model.device), checkup
        self.log = log or TrainingLog(folder)
        self.glyph_head = GlyphHead(model.config.vision_config.output_channels).to(model.device)
        self.glyph_head.requires_grad_(stage.glyph_weight > 0)
        self.trained = nn.ModuleDict({"model": model, "glyph_head": self.glyph_head})
        self._loss: nn.Module = _Loss(model, self.glyph_head, stage)
        if stage.checkpointing:
            recompute_activations(model)
        if self.group.size > 1:
            self._loss = DistributedDataParallel(self._loss)
        self._bf16 = stage.bf16 and has_bfloat16(model.device)
        self.optimizers = make_optimizers(self.trained, stage)
        self.average = WeightAverage(self.trained, stage.ema) if stage.ema else None
        self._left_out = {
            name for name, p in self.trained.named_parameters(remove_duplicate=False)
            if not (save_frozen or p.requires_grad)
        }  # fmt: skip
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / STATE_NAME).exists():
            self._resume()

    def run(self) -> None:
        """Trains up to `stage.steps`.

        Raises:
            DivergedError: the loss or the gradient became NaN or infinite.
        """
        stage = self.stage
        self.model.train()
        meter = _Meter(self.group)
        source = batches(self.stream, self.step, stage.steps, stage.workers)
        while self.step < stage.steps:
            parts = list(itertools.islice(source, len(self.stream.own)))
            losses = self.train_step(*(part.to(self.model.device) for part in parts))
            meter.add(losses, sum(part.characters for part in parts))
            last = self.step == stage.steps
            if self.step % LOG_EVERY == 0 or last:
                self._log_losses(meter)
                meter = _Meter(self.group)
            if self.step % stage.checkpoint_every == 0 or last:
                self.save()
            if self.checkup is not None and (self.step % stage.evaluate_every == 0 or last):
                began = time.perf_counter()
                self._check_up(self.checkup)
                meter.began += time.perf_counter() - began

    def train_step(self, *parts: TrainingBatch) -> Losses:
        """One optimiser step on the batches that this process has of it.

        Each loss is the mean over the whole step, wherever and in however many parts it is computed.

        Returns:
            This process's share of the losses, detached: those of all processes have the step's as their mean.
        """
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.stage.learning_rate * self.stage.rate(self.step)
        weights = torch.tensor([1.0, self.stage.glyph_weight, self.stage.guidance_weight])
        weights = weights.to(self.model.device)
        shares = self._shares(parts).to(self.model.device)
        sums = torch.zeros(3, device=self.model.device)
        for i, (part, share) in enumerate(zip(parts, shares, strict=True)):
            with self._unsynchronised() if i + 1 < len(parts) else nullcontext():
                found = torch.stack(self.losses(part)) * share
                (found * weights).sum().backward()
            sums += found.detach()
        total = (sums * weights).sum().item()
        norm = nn.utils.clip_grad_norm_(self.trained.parameters(), self.stage.clip).item()
        if not math.isfinite(norm) or not math.isfinite(total):
            raise DivergedError(
                f"Step {self.step}: the loss is {total} and the gradient's norm {norm}. The last good state "
                f"is in {self.folder / STATE_NAME}; resume with a smaller learning_rate than "
                f"{self.stage.learning_rate}."
            )
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        if self.average is not None:
            self.average.update(self.step)
        return Losses(*sums)

    def losses(self, batch: TrainingBatch) -> Losses:
        """Runs the network on a batch."""
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=self._bf16):
            return Losses(*self._loss(batch))

    @contextmanager
    def averaged(self) -> Generator[None]:
        """Inside, the model has the weights to use: their running mean, if the stage keeps one."""
        with self.average.in_place() if self.average is not None else nullcontext():
            yield

    def restart_average(self) -> None:
        """Makes the running mean start from the weights as they are; for weights that came from elsewhere."""
        if self.average is not None:
            self.average = WeightAverage(self.trained, self.stage.ema)

    def save(self) -> None:
        """Writes the whole state; a crash while writing leaves the old one."""
        if self.group.is_first:
            state: dict[str, Any] = {
                "step": self.step,
                "weights": {k: v for k, v in self.trained.state_dict().items() if k not in self._left_out},
                "optimizers": [o.state_dict() for o in self.optimizers],
            }
            if self.average is not None:
                state["average"] = self.average.means
            partial = self.folder / (STATE_NAME + ".partial")
            torch.save(state, partial)
            os.replace(partial, self.folder / STATE_NAME)
        self.group.wait()

    def _shares(self, parts: Sequence[TrainingBatch]) -> Tensor:
        """By what the mean losses of each part count: `(parts, 3)`.

        The gradients of processes are averaged, so shares sum to the number of processes.
        """
        counts = torch.stack([part.counts() for part in parts])
        total = self.group.sum(counts.sum(0)).to(counts.device)
        return (counts * self.group.size / total.clamp(min=1e-9)).float()

    def _unsynchronised(self) -> AbstractContextManager[None]:
        """Inside, gradients add up in this process alone."""
        wrapped = self._loss
        return wrapped.no_sync() if isinstance(wrapped, DistributedDataParallel) else nullcontext()

    def _log_losses(self, meter: _Meter) -> None:
        text, glyph, guidance, characters, seconds = meter.means()
        if not self.group.is_first:
            return
        self.log.row(
            step=self.step, text=round(text, 4), glyph=round(glyph, 4), guidance=round(guidance, 4),
            rate=round(self.stage.rate(self.step), 4), characters_per_second=round(characters / seconds),
            images_per_second=round(meter.steps * self.stage.batch_size / seconds, 2),
            seconds_left=round(seconds / meter.steps * (self.stage.steps - self.step)),
        )  # fmt: skip

    def _check_up(self, checkup: Checkup) -> None:
        with self.averaged():
            found = checkup(self.model)
        self.log.row(step=self.step, held_out_loss=round(found.loss, 4), held_out_cer=round(found.cer, 4))

    def _resume(self) -> None:
        state = torch.load(self.folder / STATE_NAME, map_location=self.model.device, weights_only=True)
        missing, unknown = self.trained.load_state_dict(state["weights"], strict=False)
        if unknown or set(missing) - self._left_out:
            raise CheckpointError(
                f"{self.folder / STATE_NAME} is of another network or mode: it lacks "
                f"{sorted(set(missing) - self._left_out)[:3]} and has {unknown[:3]} besides."
            )
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        if self.average is not None and "average" in state:
            self.average.load(state["average"])
        self.step = state["step"]


class _Meter:
    """Losses and speed since the last row of the log."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.began = time.perf_counter()
        self.steps = 0
        self._sums = torch.zeros(4, dtype=torch.float64)

    def add(self, losses: Losses, characters: int) -> None:
        self.steps += 1
        self._sums[:3] += torch.stack(losses).cpu()
        self._sums[3] += characters

    def means(self) -> tuple[float, float, float, int, float]:
        """Mean text, glyph and guidance loss of a step, characters and seconds in all."""
        seconds = time.perf_counter() - self.began
        *losses, characters = self.group.sum(self._sums).tolist()
        text, glyph, guidance = (value / self.steps / self.group.size for value in losses)
        return text, glyph, guidance, round(characters), seconds
