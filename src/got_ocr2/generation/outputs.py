"""What a generation gives: step by step, and whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .rules.stopping import FinishReason


@dataclass(frozen=True)
class Step:
    """One new token for every row of the batch.

    Attributes:
        index: 0 for the first new token.
        tokens: the new id of each row; the padding id for rows that ended before.
        finish_reasons: why each row has ended, this token included; None for rows that go on.
        logprobs: `(batch,)` fp32 on the CPU: natural logarithm of the probability that the model itself gave to
            each row's token, before any rule or temperature; 0 for rows that ended before.
        scores: `(batch, vocabulary)` fp32 scores that the token was chosen from, after all rules, if
            `output_scores` asked for them; 0 for rows that ended before.
    """

    index: int
    tokens: tuple[int, ...]
    finish_reasons: tuple[FinishReason | None, ...]
    logprobs: Tensor
    scores: Tensor | None = None


@dataclass(frozen=True)
class GenerateOutput:
    """A finished generation.

    Attributes:
        sequences: `(batch, T + new)` int64: prompts with their padding, then the new tokens, end token
            included; rows that ended early are filled with the padding id.
        finish_reasons: why each row ended, see `stopping.FinishReason`.
        lengths: new tokens of each row, its end token included, filling not.
        logprobs: `(batch, new)` fp32, as in `Step`; 0 after a row's end.
        scores: one `(batch, vocabulary)` tensor per new token, as in `Step`, or None. They are inference
            tensors: clone one before giving it to autograd.
    """

    sequences: Tensor
    finish_reasons: tuple[FinishReason, ...]
    lengths: tuple[int, ...]
    logprobs: Tensor
    scores: tuple[Tensor, ...] | None = None


def collect(input_ids: Tensor, steps: Sequence[Step]) -> GenerateOutput:
    """Joins the steps of a generation that ran to its end.

    Args:
        input_ids: `(batch, T)` int64 prompts.
        steps: all of them, at least one.
    """
    new = torch.tensor([step.tokens for step in steps], device=input_ids.device).T  # (batch, new)
    lengths = [1] * len(input_ids)
    for step in steps[:-1]:
        for row, reason in enumerate(step.finish_reasons):
            lengths[row] += reason is None
    scores = tuple(step.scores for step in steps if step.scores is not None)
    return GenerateOutput(
        sequences=torch.cat([input_ids, new], 1),
        finish_reasons=tuple(reason for reason in steps[-1].finish_reasons if reason is not None),
        lengths=tuple(lengths),
        logprobs=torch.stack([step.logprobs for step in steps], 1).to(input_ids.device),
        scores=scores or None,
    )
