"""What a generation gives: step by step, and whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
        logits: the same before any rule, if `output_logits` asked for them.
        attentions, hidden_states: for each new token what the pass that gave it left, as in
            `modeling.CausalLMOutput`, if asked for.
        sequences_scores: `(batch,)` fp32, of beams: log-probability over the length's power.

    What there is can also be taken by name, `output["sequences"]`, and by number, sequences first.
    """

    sequences: Tensor
    finish_reasons: tuple[FinishReason, ...]
    lengths: tuple[int, ...]
    logprobs: Tensor
    scores: tuple[Tensor, ...] | None = None
    logits: tuple[Tensor, ...] | None = None
    attentions: tuple[Any, ...] | None = None
    hidden_states: tuple[Any, ...] | None = None
    sequences_scores: Tensor | None = None

    def keys(self) -> list[str]:
        """Names of what there is, in transformers' order first."""
        theirs = ["sequences", "sequences_scores", "scores", "logits", "attentions", "hidden_states"]
        return [
            name
            for name in [*theirs, "finish_reasons", "lengths", "logprobs"]
            if getattr(self, name) is not None
        ]

    def __getitem__(self, key: str | int) -> Any:
        if isinstance(key, str) and key not in self.keys():
            raise KeyError(key)
        return getattr(self, key if isinstance(key, str) else self.keys()[key])

    def __contains__(self, key: object) -> bool:
        return key in self.keys()


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
