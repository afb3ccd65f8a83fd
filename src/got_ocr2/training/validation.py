"""Reads held-out pages in the middle of training: how surprised the model is, and what it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..evaluation.metrics.edit_distance import levenshtein
from ..modeling import GotOcr2ForConditionalGeneration
from ..synth.sample import Sample
from .data.batches import Collator
from .data.sample_prompts import question_of


@dataclass(frozen=True)
class Findings:
    """Attributes:
    loss: mean cross-entropy of a token of the answers, given all before it.
    cer: edit distance of what is written, as a share of the characters of the answers; above 1 for a model
        that writes too much.
    pages: how many were read.
    """

    loss: float
    cer: float
    pages: int


class Checkup:
    """Held-out pages that are read every now and then.

    Reading is greedy and ends at the answer's length and half as much again, so that a model that cannot stop
    costs little.

    Args:
        collator: of the model.
        samples: the pages.
        batch_size: pages that go through the model together.
    """

    def __init__(self, collator: Collator, samples: Sequence[Sample], batch_size: int = 4) -> None:
        self.collator = collator
        self.samples = tuple(samples)
        self.batch_size = batch_size

    def __call__(self, model: GotOcr2ForConditionalGeneration, *, read: bool = True) -> Findings:
        """Reads the pages; the model is left in the mode it was in.

        Args:
            read: with False only the loss is computed, and `cer` is NaN.
        """
        training = model.training
        model.eval()
        try:
            with torch.no_grad():
                loss = self._loss(model)
                cer = self._error_rate(model) if read else float("nan")
        finally:
            model.train(training)
        return Findings(loss, cer, len(self.samples))

    def _loss(self, model: GotOcr2ForConditionalGeneration) -> float:
        total, tokens = 0.0, 0
        for start in range(0, len(self.samples), self.batch_size):
            batch = self.collator(self.samples[start : start + self.batch_size]).to(model.device)
            count = int((batch.labels != -100).sum())
            loss = model(batch.input_ids, batch.pixel_values, labels=batch.labels).loss
            assert loss is not None
            total, tokens = total + loss.item() * count, tokens + count
        return total / max(1, tokens)

    def _error_rate(self, model: GotOcr2ForConditionalGeneration) -> float:
        wrong = characters = 0
        for start in range(0, len(self.samples), self.batch_size):
            some = self.samples[start : start + self.batch_size]
            for sample, text in zip(some, self._read(model, some), strict=True):
                wrong += levenshtein(sample.text, text)
                characters += len(sample.text)
        return wrong / max(1, characters)

    def _read(self, model: GotOcr2ForConditionalGeneration, samples: Sequence[Sample]) -> list[str]:
        """What the model writes for each page, greedily, all of them together."""
        processor = self.collator.processor
        names = processor.tokenizer
        asked: list[Any] = [processor(**question_of(sample, processor)) for sample in samples]
        limits = [3 * len(names.encode(sample.text, parse_special=False)) // 2 + 8 for sample in samples]
        width = max(inputs["input_ids"].shape[1] for inputs in asked)
        ids = torch.full((len(samples), width), names.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, filled, inputs in zip(ids, mask, asked, strict=True):
            prompt = inputs["input_ids"][0]
            row[width - len(prompt) :] = prompt
            filled[width - len(prompt) :] = 1
        room = model.config.text_config.max_position_embeddings - width
        # Whoever wrote the checkpoint may have set other ways of reading: these pages are read greedily.
        found = model.generate(
            ids.to(model.device), attention_mask=mask.to(model.device),
            pixel_values=torch.cat([inputs["pixel_values"] for inputs in asked]).to(model.device),
            do_sample=False, repetition_penalty=1.0, no_repeat_ngram_size=0, stop_strings=(),
            max_new_tokens=max(1, min(room, max(limits))), eos_token_id=names.eos_token_id,
            pad_token_id=names.pad_token_id,
        )  # fmt: skip
        assert isinstance(found, torch.Tensor)
        return [
            processor.decode(row[width : width + limit], skip_special_tokens=True)
            for row, limit in zip(found, limits, strict=True)
        ]
