"""The training loop of one stage: resumable at any step, logged as JSON lines."""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from ..errors import GotOcr2Error
from ..modeling import GotOcr2ForConditionalGeneration
from .config import StageConfig
from .data.batch_stream import BatchStream, batches
from .data.batches import TrainingBatch
from .distributed import Group, with_plain_strides
from .losses.glyphs import GlyphHead
from .losses.guided_attention import GuidedAttention
from .optimization.optimizers import make_optimizers
from .optimization.trained_parts import has_bfloat16, layers_of, recompute_activations
from .optimization.weight_average import WeightAverage
from .records.log import LOG_NAME, TrainingLog
from .records.loss_meter import Meter
from .sharding import dealt, gathered, shard
from .stage_budget import Clock
from .state import STATE_NAME, load_state, save_state, without_tied_head
from .validation import Checkup

__all__ = ["LOG_NAME", "STATE_NAME", "DivergedError", "Losses", "Trainer"]

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
        output = self.model(
            batch.input_ids, batch.pixel_values, position_ids=batch.positions, labels=batch.labels
        )
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
        model: trained in place, fp32 weights; parameters that need no gradient stay as they are. Sharded, it is good
            for nothing else: ask for `whole_model`.
        stage: schedule and losses.
        stream: where batches come from.
        folder: for the log and the state; a state in it is resumed.
        group: the processes that train together; each has a `Trainer` of its own.
        log: where rows go; `folder`'s `log.jsonl` by default.
        checkup: reads held-out pages every `stage.evaluate_every` steps and at the end. The first process reads, the
            others wait for it at their next step.
        save_frozen: whether the state holds the parameters that do not learn too. Leave them out where they
            come from a checkpoint that is opened again to resume.
        shard: deal the parameters out over the processes instead of keeping all of them in each.

    Raises:
        CheckpointError: the state in `folder` is of another network.
        InvalidOptionError: `shard` with one process.
    """

    def __init__(
        self, model: GotOcr2ForConditionalGeneration, stage: StageConfig, stream: BatchStream, folder: Path, *,
        group: Group | None = None, log: TrainingLog | None = None, checkup: Checkup | None = None,
        save_frozen: bool = True, shard: bool = False,
    ) -> None:  # fmt: skip
        self.model, self.stage, self.stream, self.folder = model, stage, stream, folder
        self.group, self.checkup = group or Group(device=model.device), checkup
        self.log = log or TrainingLog(folder)
        self.clock = Clock(stage, self.group)
        self.glyph_head = GlyphHead(model.config.vision_config.output_channels).to(model.device)
        self.glyph_head.requires_grad_(stage.glyph_weight > 0)
        self.trained = nn.ModuleDict({"model": model, "glyph_head": self.glyph_head})
        self.left_out = {
            name for name, p in self.trained.named_parameters(remove_duplicate=False)
            if not (save_frozen or p.requires_grad)
        }  # fmt: skip
        self._empty_copy = copy.deepcopy(model).to("meta") if shard else None
        self._loss = self._distributed(_Loss(model, self.glyph_head, stage), shard)
        self._bf16 = stage.bf16 and has_bfloat16(model.device)
        self.optimizers = make_optimizers(self.trained, stage)
        self.average = WeightAverage(self.trained, stage.ema) if stage.ema else None
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / STATE_NAME).exists():
            load_state(self, folder / STATE_NAME)

    @property
    def sharded(self) -> bool:
        """Whether each process has a part of the parameters only."""
        return self._empty_copy is not None

    @property
    def done(self) -> bool:
        """Whether the stage is over."""
        return self.clock.share(self.step) >= 1

    def run(self, deadline: float | None = None) -> bool:
        """Trains to the end of the stage.

        Args:
            deadline: when to stop before that, by `time.monotonic`; the state is saved.

        Returns:
            Whether the stage is over.

        Raises:
            DivergedError: the loss or the gradient became NaN or infinite.
        """
        stage = self.stage
        self.model.train()
        self.clock.start(deadline)
        meter = Meter(self.group)
        source = batches(self.stream, self.step, stage.steps, stage.workers)
        while not self.done and not self.clock.stopped:
            parts = list(itertools.islice(source, len(self.stream.own)))
            losses = self.train_step(*(part.to(self.model.device) for part in parts))
            meter.add(losses, sum(part.characters for part in parts))
            self.clock.tick()
            last = self.done or self.clock.stopped
            if self.step % LOG_EVERY == 0 or last:
                self._log_losses(meter)
                meter = Meter(self.group)
            if self.step % stage.checkpoint_every == 0 or last:
                self.save()
            if self.step % stage.evaluate_every == 0 or self.done:
                began = time.perf_counter()
                self.check_up()
                meter.began += time.perf_counter() - began
        return self.done

    def train_step(self, *parts: TrainingBatch) -> Losses:
        """One optimiser step on the batches that this process has of it.

        Each loss is the mean over the whole step, wherever and in however many parts it is computed.

        Returns:
            This process's share of the losses, detached: those of all processes have the step's as their mean.
        """
        rate = self.stage.rate(self.step, self.clock.share(self.step))
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.stage.learning_rate * rate
        weights = torch.tensor([1.0, self.stage.glyph_weight, self.stage.guidance_weight])
        weights = weights.to(self.model.device)
        shares = self._shares(parts).to(self.model.device)
        sums = torch.zeros(3, device=self.model.device)
        for i, (part, share) in enumerate(zip(parts, shares, strict=True)):
            with self._synchronised(i + 1 == len(parts)):
                found = torch.stack(self.losses(part)) * share
                (found * weights).sum().backward()
            sums += found.detach()
        total = (sums * weights).sum().item()
        norm = self._clip()
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

    def check_up(self) -> None:
        """Reads the held-out pages, if there are any, and logs what was found."""
        if self.checkup is None:
            return
        with self.averaged():
            model = self.whole_model()
            if not self.group.is_first:
                return
            found = self.checkup(model.to(self.group.device))
        self.log.row(step=self.step, held_out_loss=round(found.loss, 4), held_out_cer=round(found.cer, 4))

    @contextmanager
    def averaged(self) -> Generator[None]:
        """Inside, the model has the weights to use: their running mean, if the stage keeps one."""
        with self.average.in_place() if self.average is not None else nullcontext():
            yield

    def whole_model(self) -> GotOcr2ForConditionalGeneration:
        """The model to read with or to save; sharded, a copy on the CPU that all processes have to ask for."""
        if self._empty_copy is None:
            return self.model
        model = copy.deepcopy(self._empty_copy)
        model.load_state_dict(gathered(self.model.state_dict()), assign=True)
        model.tie_weights()
        return model

    def weights(self) -> dict[str, Tensor]:
        """All weights, whole: those of the model and those of the glyph head; all processes have to ask."""
        return gathered(self.trained.state_dict())

    def begin_from(self, weights: Mapping[str, Tensor]) -> None:
        """Takes weights that came from elsewhere, whole; the running mean starts from them."""
        mine = self.trained.state_dict()
        known = without_tied_head(weights, mine)
        self.trained.load_state_dict({name: dealt(value, mine[name]) for name, value in known.items()})
        if self.average is not None:
            self.average = WeightAverage(self.trained, self.stage.ema)

    def save(self) -> None:
        """Writes the whole state; a crash while writing leaves the old one."""
        save_state(self, self.folder / STATE_NAME)

    def _distributed(self, loss: nn.Module, sharded: bool) -> nn.Module:
        """The loss, wrapped for as many processes as there are."""
        if self.stage.checkpointing:
            recompute_activations(self.model)
        if sharded:
            shard(loss, layers_of(self.model), self.group)
        elif self.group.size > 1:
            with_plain_strides(loss)
            return DistributedDataParallel(loss)
        return loss

    def _shares(self, parts: Sequence[TrainingBatch]) -> Tensor:
        """By what the mean losses of each part count: `(parts, 3)`.

        The gradients of processes are averaged, so shares sum to the number of processes.
        """
        counts = torch.stack([part.counts() for part in parts])
        total = self.group.sum(counts.sum(0)).to(counts.device)
        return (counts * self.group.size / total.clamp(min=1e-9)).float()

    @contextmanager
    def _synchronised(self, wanted: bool) -> Generator[None]:
        """Inside, gradients are averaged over the processes, or else add up in this one alone."""
        if isinstance(self._loss, FSDPModule):
            self._loss.set_requires_gradient_sync(wanted)
        if isinstance(self._loss, DistributedDataParallel) and not wanted:
            with self._loss.no_sync():
                yield
        else:
            yield

    def _clip(self) -> float:
        """Shortens the gradient to `stage.clip`; gives the norm that it had."""
        norm = nn.utils.clip_grad_norm_(self.trained.parameters(), self.stage.clip)
        return (norm.full_tensor() if isinstance(norm, DTensor) else norm).item()

    def _log_losses(self, meter: Meter) -> None:
        found = meter.read()
        if not self.group.is_first:
            return
        share = self.clock.share(self.step)
        timed = {"done": round(share, 4)} if self.stage.minutes else {}
        self.log.row(
            step=self.step, text=round(found.text, 4), glyph=round(found.glyph, 4), guidance=round(found.guidance, 4),
            rate=round(self.stage.rate(self.step, share), 4),
            characters_per_second=round(found.characters / found.seconds),
            images_per_second=round(found.steps * self.stage.batch_size / found.seconds, 2),
            seconds_left=round(self.clock.left(found.seconds / found.steps, self.step)), **timed,
        )  # fmt: skip
