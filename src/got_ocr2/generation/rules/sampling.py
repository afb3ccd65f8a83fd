"""From scores to token ids: pure functions on the scores of one step.

Scores are `(batch, vocabulary)` fp32 logits, -inf where a token is forbidden; `ids` are the `(batch, T)`
int64 tokens so far, prompt included; `mask` is `(batch, T)`, 0 on left padding, so that a padded row is
treated exactly as it would be alone. Nothing is changed in place and nothing waits for the device.

Every rule gives the numbers of the class of the same purpose in transformers' `generation/logits_process.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .options import GenerationOptions

# Marks a row from which no token can be chosen: a NaN or +inf among its scores, or nothing but -inf.
NO_TOKEN = -1


def penalize_repetition(scores: Tensor, ids: Tensor, penalty: float, mask: Tensor | None = None) -> Tensor:
    """Makes tokens that a row holds less likely (CTRL, section 4.1): s / penalty, or s * penalty if s < 0."""
    seen = _token_set(scores, ids if mask is None else ids.masked_fill(mask == 0, scores.shape[1]))
    return torch.where(seen, torch.where(scores < 0, scores * penalty, scores / penalty), scores)


def forbid_repeated_ngrams(scores: Tensor, ids: Tensor, size: int, mask: Tensor | None = None) -> Tensor:
    """Forbids each token with which the last `size` tokens of a row would repeat an earlier run of `size`."""
    if ids.shape[1] < size:
        return scores
    begun = ids[:, ids.shape[1] + 1 - size :]  # (batch, size - 1): the n-gram that the next token completes
    runs = ids.unfold(1, size, 1)  # (batch, T - size + 1, size)
    repeated = (runs[..., :-1] == begun[:, None]).all(-1)
    if mask is not None:
        # Padding is on the left, so a run holds some exactly if it begins with some.
        repeated = repeated & (mask[:, : runs.shape[1]] != 0)
    banned = _token_set(scores, torch.where(repeated, runs[..., -1], scores.shape[1]))
    return scores.masked_fill(banned, -torch.inf)


def forbid_tokens(scores: Tensor, tokens: Tensor) -> Tensor:
    """Forbids the given ids, `(n,)` int64, in every row."""
    return scores.index_fill(1, tokens, -torch.inf)


def keep_top_k(scores: Tensor, k: int) -> Tensor:
    """Forbids all but the k highest scores; scores equal to the k-th stay."""
    lowest = scores.topk(min(k, scores.shape[1])).values[:, -1:]
    return scores.masked_fill(scores < lowest, -torch.inf)


def keep_top_p(scores: Tensor, p: float) -> Tensor:
    """Forbids the least probable tokens whose probabilities add up to at most 1 - p; the best one stays."""
    ordered, order = scores.sort(descending=False)
    dropped = ordered.softmax(-1).cumsum(-1) <= 1 - p
    dropped[:, -1] = False
    return scores.masked_fill(torch.zeros_like(dropped).scatter(1, order, dropped), -torch.inf)


def apply_rules(
    scores: Tensor,
    ids: Tensor,
    options: GenerationOptions,
    *,
    mask: Tensor | None = None,
    forbidden: Tensor | None = None,
) -> Tensor:
    """Every rule that the options ask for, in transformers' order; a neutral option costs nothing.

    Args:
        scores: `(batch, vocabulary)` fp32 logits of the model.
        ids: `(batch, T)` tokens so far.
        options: temperature, `top_k` and `top_p` count only with `do_sample`.
        mask: `(batch, T)`, 0 on left padding; None if there is none.
        forbidden: `(n,)` ids that may not come now: end tokens, while a row is below `min_new_tokens`.
    """
    if options.repetition_penalty != 1:
        scores = penalize_repetition(scores, ids, options.repetition_penalty, mask)
    if options.no_repeat_ngram_size:
        scores = forbid_repeated_ngrams(scores, ids, options.no_repeat_ngram_size, mask)
    if forbidden is not None:
        scores = forbid_tokens(scores, forbidden)
    if not options.do_sample:
        return scores
    if options.temperature != 1:
        scores = scores / options.temperature
    if options.top_k:
        scores = keep_top_k(scores, options.top_k)
    if options.top_p < 1:
        scores = keep_top_p(scores, options.top_p)
    return scores


def greedy(scores: Tensor) -> Tensor:
    """The best token of each row, `(batch,)` int64, the first among equals; `NO_TOKEN` if there is none."""
    best, ids = scores.max(-1)
    return torch.where(best.isfinite(), ids, NO_TOKEN)


def sample(scores: Tensor, generator: torch.Generator | Sequence[torch.Generator] | None = None) -> Tensor:
    """Draws a token for every row, `(batch,)` int64; `NO_TOKEN` where none can be drawn.

    A token with probability p wins the race if p / e is largest, e ~ Exp(1). `torch.multinomial` draws one
    sample in the same way and from the same random numbers, so equal seeds give equal tokens; but it first
    waits for the device to check the probabilities.

    Args:
        generator: one for the whole batch (default: torch's global one), or one per row, which makes a row's
            draws independent of its neighbours.
    """
    noise = torch.empty_like(scores)
    if generator is None or isinstance(generator, torch.Generator):
        noise.exponential_(generator=generator)
    else:
        for row, one in zip(noise, generator, strict=True):
            row.exponential_(generator=one)
    return draw(scores, noise)


def draw(scores: Tensor, noise: Tensor) -> Tensor:
    """`sample`, with the random numbers given: `noise` is like `scores`, each number drawn from Exp(1)."""
    probabilities = scores.softmax(-1)
    ids = (probabilities / noise).argmax(-1)
    drawn = probabilities.gather(1, ids[:, None])[:, 0]
    return torch.where(drawn > 0, ids, NO_TOKEN)


def log_probability(scores: Tensor, ids: Tensor) -> Tensor:
    """Log-probability of each row's token: `(batch, vocabulary)`, `(batch,)` -> `(batch,)`."""
    chosen = scores.gather(1, ids.clamp(min=0)[:, None])[:, 0]
    return chosen - scores.logsumexp(-1)


def _token_set(scores: Tensor, ids: Tensor) -> Tensor:
    """Which tokens occur in each row of ids `(batch, T)`: boolean like `scores`; larger ids do not count."""
    size = scores.shape[1]
    found = torch.zeros((scores.shape[0], size + 1), dtype=torch.bool, device=scores.device)
    return found.scatter(1, ids.clamp(max=size), True)[:, :size]
