"""The training loop of one stage: resumable at any step, logged as JSON lines."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import GotOcr2Error
from ..modeling import GotOcr2ForConditionalGeneration
from .batches import TrainingBatch
from .config import StageConfig
from .data import BatchStream, batches
from .glyphs import GlyphHead
from .guidance import GuidedAttention
from .optimizers import make_optimizers

STATE_NAME = "state.pt"
LOG_NAME = "log.jsonl"


class DivergedError(GotOcr2Error):
    """The loss or the gradient is no longer a number; the last checkpoint is good."""


@dataclass
class Losses:
    """Mean losses of one step, fp32 scalars."""

    text: Tensor
    glyph: Tensor
    guidance: Tensor


class Trainer:
    """Trains a model on a stream of batches.

    Args:
        model: trained in place, fp32 weights.
        stage: schedule and losses.
        stream: where batches come from.
        folder: for the log and the state; a state in it is resumed.
    """

    def __init__(
        self, model: GotOcr2ForConditionalGeneration, stage: StageConfig, stream: BatchStream, folder: Path
    ) -> None:
        self.model, self.stage, self.stream, self.folder = model, stage, stream, folder
        self.glyph_head = GlyphHead(model.config.vision_config.output_channels).to(model.device)
        self.guidance = GuidedAttention(model, stage.guided_layers)
        self._neck: list[Tensor] = []
        model.model.vision_tower.register_forward_hook(self._remember_neck)
        self.trained = nn.ModuleDict({"model": model, "glyph_head": self.glyph_head})
        self.optimizers = make_optimizers(self.trained, stage)
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / STATE_NAME).exists():
            self._resume()

    def run(self) -> None:
        """Trains up to `stage.steps`.

        Raises:
            DivergedError: the loss or the gradient became NaN or infinite.
        """
        self.model.train()
        began, characters, sums, counted = time.perf_counter(), 0, [0.0, 0.0, 0.0], 0
        for batch in batches(self.stream, self.step, self.stage.steps, self.stage.workers):
            losses = self.train_step(batch.to(self.model.device))
            characters += batch.characters
            counted += 1
            for i, value in enumerate((losses.text, losses.glyph, losses.guidance)):
                sums[i] += value.item()
            if self.step % 20 == 0 or self.step == self.stage.steps:
                seconds = time.perf_counter() - began
                text, glyph, guidance = (round(s / counted, 4) for s in sums)
                self._log(
                    step=self.step, text=text, glyph=glyph, guidance=guidance,
                    rate=round(self.stage.rate(self.step), 4), characters_per_second=round(characters / seconds),
                    images_per_second=round(counted * self.stage.batch_size / seconds, 2),
                )  # fmt: skip
                began, characters, sums, counted = time.perf_counter(), 0, [0.0, 0.0, 0.0], 0
            if self.step % self.stage.checkpoint_every == 0 or self.step == self.stage.steps:
                self.save()

    def train_step(self, batch: TrainingBatch) -> Losses:
        """One optimiser step on one batch."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.stage.learning_rate * self.stage.rate(self.step)
        losses = self.losses(batch)
        total = (
            losses.text
            + self.stage.glyph_weight * losses.glyph
            + self.stage.guidance_weight * losses.guidance
        )
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.trained.parameters(), self.stage.clip).item()
        if not math.isfinite(norm) or not math.isfinite(total.item()):
            raise DivergedError(
                f"Step {self.step}: the loss is {total.item()} and the gradient's norm {norm}. The last good state "
                f"is in {self.folder / STATE_NAME}; resume with a smaller learning_rate than "
                f"{self.stage.learning_rate}."
            )
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return losses

    def losses(self, batch: TrainingBatch) -> Losses:
        """Runs the network on a batch."""
        device = self.model.device.type
        with torch.autocast(device, torch.bfloat16, enabled=self.stage.bf16):
            output = self.model(batch.input_ids, batch.pixel_values, labels=batch.labels)
            neck = self._neck.pop()
            zero = torch.zeros((), device=self.model.device)
            glyph = self.glyph_head(neck, batch.glyphs) if self.stage.glyph_weight else zero
            guidance = self.guidance.loss(batch.alignment)
        assert output.loss is not None
        return Losses(output.loss, glyph, guidance)

    def save(self) -> None:
        """Writes the whole state; a crash while writing leaves the old one."""
        state = {
            "step": self.step,
            "weights": self.trained.state_dict(),
            "optimizers": [o.state_dict() for o in self.optimizers],
        }
        partial = self.folder / (STATE_NAME + ".partial")
        torch.save(state, partial)
        os.replace(partial, self.folder / STATE_NAME)

    def _resume(self) -> None:
        state = torch.load(self.folder / STATE_NAME, map_location=self.model.device, weights_only=True)
        self.trained.load_state_dict(state["weights"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step = state["step"]

    def _remember_neck(self, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._neck[:] = [output]

    def _log(self, **values: Any) -> None:
        with (self.folder / LOG_NAME).open("a", encoding="utf-8") as log:
            log.write(json.dumps(values) + "\n")
