"""Reads held-out pages in the middle of training: how surprised the model is, and what it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..evaluation.edit import levenshtein
from ..modeling import GotOcr2ForConditionalGeneration
from ..synth.sample import Sample
from .batches import Collator
from .questions import question_of


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
        batch_size: pages for one pass of the loss.
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
        processor = self.collator.processor
        wrong = characters = 0
        for sample in self.samples:
            inputs: Any = processor(**question_of(sample, processor))
            answer = processor.tokenizer.encode(sample.text, parse_special=False)
            room = model.config.text_config.max_position_embeddings - inputs["input_ids"].shape[1]
            # Whoever wrote the checkpoint may have set other ways of reading: these pages are read greedily.
            ids = model.generate(
                **inputs.to(model.device), do_sample=False, repetition_penalty=1.0, no_repeat_ngram_size=0,
                max_new_tokens=max(1, min(room, 3 * len(answer) // 2 + 8)), stop_strings=(),
                eos_token_id=processor.tokenizer.eos_token_id, pad_token_id=processor.tokenizer.pad_token_id,
            )  # fmt: skip
            assert isinstance(ids, torch.Tensor)
            text = processor.decode(ids[0, inputs["input_ids"].shape[1] :])
            wrong += levenshtein(sample.text, text)
            characters += len(sample.text)
        return wrong / max(1, characters)
