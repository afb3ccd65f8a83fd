"""One token for every wanted place of a step: plain rows all at once, rows with rules one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..rules.options import GenerationOptions
from ..rules.random_draws import Draws
from ..rules.sampling import apply_rules, draw, greedy, log_probability
from .device_transfer import ids_to_device
from .runner import Scores


@dataclass(frozen=True)
class Wish:
    """How the tokens of one row are chosen at one step.

    Attributes:
        options: the row's own.
        history: `(T,)` int64 on the device: the ids before each wanted place, up to the last one. The first of
            `wanted` places has `T - wanted + 1` ids before it.
        index: how many new tokens the row has before the first wanted place.
        wanted: places, >= 1; more than one if drafted tokens are verified.
        draws: random numbers, for sampling.
        top: most probable tokens to record for every place, >= 0.
    """

    options: GenerationOptions
    history: Tensor
    index: int
    wanted: int
    draws: Draws
    top: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether the token with the best score is taken, no matter what came before."""
        o = self.options
        return not (
            o.do_sample
            or o.output_scores
            or o.repetition_penalty != 1
            or o.no_repeat_ngram_size
            or (self.index < o.min_new_tokens and o.eos_token_id)
        )


@dataclass(frozen=True)
class Chosen:
    """The tokens of one step, in the order of its wanted places.

    Attributes:
        ids: `(sum wanted,)` int64, `NO_TOKEN` where none could be chosen.
        logprobs: `(sum wanted,)` fp32: natural logarithm of the probability that the model itself gave to each.
        scores: for each wish the `(wanted, vocabulary)` fp32 scores after all rules, if its options ask for
            `output_scores`, as tensors of their own.
        top: for each wish the ids, int64, and log-probabilities, fp32, of the tokens that the model itself finds most
            probable, both `(wanted, top)`, the best first; None where none are asked for.
    """

    ids: Tensor
    logprobs: Tensor
    scores: list[Tensor | None]
    top: list[tuple[Tensor, Tensor] | None]


def choose(scores: Scores, wishes: Sequence[Wish]) -> Chosen:
    """Chooses for every wish; `scores` are those of the step, `(sum wanted, vocabulary)`. Waits for nothing."""
    ids, logprobs, kept = _choose(scores, wishes)
    return Chosen(ids, logprobs, kept, _most_probable(scores.logits, wishes))


def _most_probable(logits: Tensor, wishes: Sequence[Wish]) -> list[tuple[Tensor, Tensor] | None]:
    found: list[tuple[Tensor, Tensor] | None] = []
    first = 0
    for wish in wishes:
        places = slice(first, first + wish.wanted)
        first = places.stop
        if wish.top:
            most = logits[places].log_softmax(-1).topk(min(wish.top, logits.shape[1]))
            found.append((most.indices, most.values))
        else:
            found.append(None)
    return found


def _choose(scores: Scores, wishes: Sequence[Wish]) -> tuple[Tensor, Tensor, list[Tensor | None]]:
    """Ids, log-probabilities and scores, as in `Chosen`."""
    logits = scores.logits
    kept: list[Tensor | None] = [None] * len(wishes)
    special = [not wish.is_plain for wish in wishes]
    if not any(special):
        if scores.best is not None and scores.logprobs is not None:
            return scores.best, scores.logprobs, kept
        best = greedy(logits)
        return best, log_probability(logits, best), kept
    # A copy: the runner may own `best`.
    ids = scores.best.clone() if scores.best is not None else greedy(logits)
    first = 0
    for number, wish in enumerate(wishes):
        places = slice(first, first + wish.wanted)
        first = places.stop
        if special[number]:
            ids[places], kept[number] = _choose_by_rules(logits[places], wish)
    return ids, log_probability(logits, ids), kept


def _choose_by_rules(logits: Tensor, wish: Wish) -> tuple[Tensor, Tensor | None]:
    """`(wanted, vocabulary)` -> ids `(wanted,)`, and the scores if they are to be kept."""
    options = wish.options
    chosen: list[Tensor] = []
    kept: list[Tensor] = []
    for place in range(wish.wanted):
        index = wish.index + place
        history = wish.history[None, : len(wish.history) - wish.wanted + 1 + place]
        held_back = index < options.min_new_tokens and options.eos_token_id
        forbidden = ids_to_device(options.eos_token_id, logits.device) if held_back else None
        own = logits[place : place + 1]
        scores = apply_rules(own, history, options, forbidden=forbidden)
        chosen.append(draw(scores, wish.draws.take(index, scores)) if options.do_sample else greedy(scores))
        if options.output_scores:
            kept.append(scores.clone() if scores is own else scores)
    return torch.cat(chosen), torch.cat(kept) if kept else None
