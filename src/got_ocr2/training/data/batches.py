"""Samples -> one training batch: pixels, ids, labels, and what the dense losses aim at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...errors import GotOcr2Error
from ...processing import GotOcr2Processor
from ...processing.geometry import fitted_size
from ...synth.sample import Sample
from ..losses.glyphs import BACKGROUND, BLANK_WEIGHT, IGNORED, glyph_map
from ..losses.guided_attention import NOWHERE
from .sample_prompts import question_of


@dataclass(frozen=True)
class TrainingBatch:
    """Tensors of one step, padded on the right.

    Attributes:
        levels: uint8 `(images, 3, H, W)`: pixels travel as bytes, a quarter of what the network wants to see.
        shade: what the network sees for a byte: float32 `(3, 256)`.
        input_ids: int64 `(batch, T)`.
        positions: int64 `(batch, T)`: the place of each id in its sequence. Where a canvas was cut short they leap
            over the image tokens that are not there.
        labels: int64 `(batch, T)`; -100 on the prompt and on padding, so the loss is on the answer and its end.
        glyphs: int64 `(images, rows, columns)`, see `losses.glyphs.glyph_map`.
        alignment: int64 `(batch, T)`, see `losses.guided_attention.GuidedAttention.loss`.
        characters: number of characters in all answers.
    """

    levels: Tensor
    shade: Tensor
    input_ids: Tensor
    positions: Tensor
    labels: Tensor
    glyphs: Tensor
    alignment: Tensor
    characters: int

    @property
    def pixel_values(self) -> Tensor:
        """float32 `(images, 3, H, W)`, equal to what the processor made."""
        channels = self.levels.int().unbind(1)
        return torch.stack([row[channel] for row, channel in zip(self.shade, channels, strict=True)], dim=1)

    def counts(self) -> Tensor:
        """Over how much the means of the text, glyph and guidance losses are taken: float64 `(3,)`."""
        blank = (self.glyphs == BACKGROUND).sum()
        drawn = ((self.glyphs != IGNORED) & (self.glyphs != BACKGROUND)).sum()
        text = (self.labels[:, 1:] != IGNORED).sum()
        aligned = (self.alignment != NOWHERE).sum()
        return torch.stack([text.double(), drawn + BLANK_WEIGHT * blank.double(), aligned.double()])

    def to(self, device: torch.device) -> TrainingBatch:
        moved: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in moved.items():
            if isinstance(value, Tensor):
                moved[name] = value.to(device, non_blocking=True)
        return TrainingBatch(**moved)


class TooLongError(GotOcr2Error, ValueError):
    """A sample takes more ids than the network may be trained on."""


class Row(NamedTuple):
    """One sample of a batch, not padded yet; see `TrainingBatch`.

    Attributes:
        ids, positions, labels, alignment: int64 `(T,)`.
        levels: uint8 `(tiles, 3, H, W)`.
        glyphs: int64 `(tiles, rows, columns)`.
        characters: of the answer.
        width: columns of pixels that the picture takes of a canvas of its own; the rest is filled up.
    """

    ids: np.ndarray
    positions: np.ndarray
    labels: np.ndarray
    alignment: np.ndarray
    levels: Tensor
    glyphs: np.ndarray
    characters: int
    width: int


class Collator:
    """Makes batches for one model.

    Args:
        processor: the model's own, so that training sees what reading will see.
        patch_hw: the encoder's patch in pixels.
        max_length: longest sequence in ids, prompt and answer together.
    """

    def __init__(self, processor: GotOcr2Processor, patch_hw: tuple[int, int], max_length: int) -> None:
        self.processor = processor
        self.patch_hw = patch_hw
        self.max_length = max_length
        self.shade = _shade(processor)

    def __call__(self, samples: Sequence[Sample]) -> TrainingBatch:
        """Raises:
        TooLongError: a sample is longer than `max_length`; it is never cut short.
        """
        return self.stack([self.row(sample) for sample in samples])

    def stack(self, rows: Sequence[Row], *, narrow: bool = False) -> TrainingBatch:
        """Pads rows to the longest and puts them together.

        Args:
            rows: one for each sample.
            narrow: end the canvases where the widest picture does; for rows of one tile each.
        """
        if narrow:
            unit = 4 * self.patch_hw[1]  # pixels that an image token is wide
            across = -(-max(row.width for row in rows) // unit)
            rows = [self._narrowed(row, across) for row in rows]
        length = max(len(row.ids) for row in rows)

        def padded(parts: Sequence[np.ndarray], fill: int) -> Tensor:
            out = np.full((len(parts), length), fill, np.int64)
            for line, part in zip(out, parts, strict=True):
                line[: len(part)] = part
            return torch.from_numpy(out)

        return TrainingBatch(
            levels=torch.cat([row.levels for row in rows]),
            shade=self.shade,
            input_ids=padded([row.ids for row in rows], self.processor.tokenizer.pad_token_id),
            positions=padded([row.positions for row in rows], 0),
            labels=padded([row.labels for row in rows], IGNORED),
            alignment=padded([row.alignment for row in rows], NOWHERE),
            glyphs=torch.from_numpy(np.concatenate([row.glyphs for row in rows])),
            characters=sum(row.characters for row in rows),
        )

    def length(self, sample: Sample) -> int:
        """How many ids a sample takes, prompt and end included, pictures and all."""
        prompt = self.processor(**question_of(sample, self.processor))["input_ids"]
        return prompt.shape[1] + len(self.processor.tokenizer.encode(sample.text, parse_special=False)) + 1

    def row(self, sample: Sample) -> Row:
        """One sample's part of a batch.

        Raises:
            TooLongError: it is longer than `max_length`.
        """
        tokenizer = self.processor.tokenizer
        inputs = self.processor(**question_of(sample, self.processor))
        prompt = inputs["input_ids"][0].numpy()
        answer = np.array(
            [*tokenizer.encode(sample.text, parse_special=False), tokenizer.eos_token_id], np.int64
        )
        ids = np.concatenate([prompt, answer])
        if len(ids) > self.max_length:
            raise TooLongError(
                f"A {sample.kind} sample takes {len(ids)} ids, prompt included; the limit is {self.max_length}."
            )
        labels = ids.copy()
        labels[: len(prompt)] = IGNORED
        pixels: Tensor = inputs["pixel_values"]
        height, width = pixels.shape[2] // self.patch_hw[0], pixels.shape[3] // self.patch_hw[1]
        glyphs = np.full((len(pixels), height, width), IGNORED, np.int64)
        alignment = np.full(len(ids), NOWHERE, np.int64)
        if len(sample.glyphs.offsets) and len(pixels) == 1:
            boxes = self._in_patches(sample)
            glyphs[0] = glyph_map(sample.text, sample.glyphs.offsets, boxes, (height, width))
            self._align(sample, boxes, prompt, answer, (height, width), alignment)
        images = self.processor.image_processor
        source = (sample.images[0].height, sample.images[0].width)
        width = fitted_size(source, images.size, images.resize_mode, images.max_upscale)[1]
        return Row(
            ids, np.arange(len(ids)), labels, alignment, self._levels(pixels), glyphs, len(sample.text), width
        )

    def _narrowed(self, row: Row, across: int) -> Row:
        """The row with a canvas `across` image tokens wide."""
        image = np.flatnonzero(row.ids == self.processor.tokenizer.image_token_id)
        columns = row.glyphs.shape[2] // 4
        kept = np.ones(len(row.ids), bool)
        kept[image[np.arange(len(image)) % columns >= across]] = False
        place = np.cumsum(kept) - 1
        moved = np.where(row.alignment == NOWHERE, NOWHERE, place[row.alignment.clip(0)])
        return row._replace(
            ids=row.ids[kept], positions=row.positions[kept], labels=row.labels[kept], alignment=moved[kept],
            glyphs=row.glyphs[..., : 4 * across], levels=row.levels[..., : 4 * across * self.patch_hw[1]],
        )  # fmt: skip

    def _levels(self, pixels: Tensor) -> Tensor:
        """Pixels as the processor made them -> the bytes that they were made of."""
        low, high = self.shade[:, :1, None], self.shade[:, -1:, None]
        return ((pixels - low) * (255 / (high - low))).round().to(torch.uint8)

    def _in_patches(self, sample: Sample) -> np.ndarray:
        """The glyph boxes in patches of the canvas, (n, 4)."""
        images = self.processor.image_processor
        source = (sample.image.height, sample.image.width)
        fitted = fitted_size(source, images.size, images.resize_mode, images.max_upscale)
        down, across = (f / s / p for f, s, p in zip(fitted, source, self.patch_hw, strict=True))
        return sample.glyphs.boxes * np.array([across, down, across, down])

    def _align(
        self, sample: Sample, boxes: np.ndarray, prompt: np.ndarray, answer: np.ndarray,
        grid_hw: tuple[int, int], out: np.ndarray,
    ) -> None:  # fmt: skip
        """Writes, at each place that predicts a character, the place of the image token that shows it."""
        starts = np.cumsum([0, *(len(char.encode()) for char in sample.text)])
        if starts[-1] != len(answer) - 1:
            return  # a phrase of the prompt stands in the text, or ids are not bytes: no id for each character
        image = np.flatnonzero(prompt == self.processor.tokenizer.image_token_id)
        rows, columns = (-(-n // 4) for n in grid_hw)
        centre = np.floor((boxes[:, :2] + boxes[:, 2:]) / 8).astype(int)  # 4 x 4 patches a token
        cells = np.clip(centre[:, 1], 0, rows - 1) * columns + np.clip(centre[:, 0], 0, columns - 1)
        # The id at position p is predicted at p - 1.
        out[len(prompt) + starts[sample.glyphs.offsets] - 1] = image[cells]


def _shade(processor: GotOcr2Processor) -> Tensor:
    """What the processor makes of each byte, float32 `(3, 256)`, rising: of a canvas that holds every byte once."""
    images = processor.image_processor
    height, width = images.size
    ramp = np.resize(np.arange(256, dtype=np.uint8), (height, width))
    seen = images(Image.fromarray(np.stack([ramp] * 3, axis=2)))["pixel_values"][0]
    return seen.reshape(3, -1)[:, :256].clone()  # (3, height * width) -> (3, 256)
