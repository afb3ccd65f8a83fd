"""A plain loop over a batch, for what the engine does not do: own rules and criteria, and looking inside."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import GotOcr2Error
from .cache import KeyValueCache
from .engine.device_transfer import integers
from .inputs import PromptBatch, position_ids
from .outputs import GenerateOutput, Step, collect
from .protocols import LanguageModel, Streamer, Tokenizer
from .rules.options import GenerationOptions
from .rules.sampling import NO_TOKEN, apply_rules, greedy, log_probability, sample
from .rules.stopping import FinishReason, RowEnd
from .slow_options import SlowOptions, StopRule


def repeated(batch: PromptBatch, times: int) -> PromptBatch:
    """Every prompt, with its pictures, `times` times in a row."""
    if times == 1:
        return batch
    rows = [batch.row(index).pixel_values for index in range(len(batch.lengths))]
    pictures = [one for one in rows if one is not None for _ in range(times)]
    return PromptBatch(
        input_ids=batch.input_ids.repeat_interleave(times, 0),
        mask=None if batch.mask is None else batch.mask.repeat_interleave(times, 0),
        pixel_values=torch.cat(pictures) if pictures else None,
        lengths=tuple(n for n in batch.lengths for _ in range(times)),
        images=tuple(n for n in batch.images for _ in range(times)),
    )


@torch.no_grad()
def generate_batch(
    model: LanguageModel,
    batch: PromptBatch,
    options: GenerationOptions,
    slow: SlowOptions,
    max_new_tokens: int,
    *,
    tokenizer: Tokenizer | None = None,
    generator: torch.Generator | Sequence[torch.Generator] | None = None,
    streamer: Streamer | None = None,
) -> GenerateOutput:
    """Steps all rows together, one token a step.

    Args:
        batch: already `repeated` for `num_return_sequences`.
        options, slow, max_new_tokens: how rows go on.
        tokenizer: for stop strings.
        generator: for sampling, one for the batch or one a row.
        streamer: gets every step's ids.

    Raises:
        GotOcr2Error: a row has no token to choose.
    """
    ids = batch.input_ids
    mask = torch.ones_like(ids) if batch.mask is None else batch.mask
    ends = [RowEnd(options, max_new_tokens, tokenizer) for _ in batch.lengths]
    reasons: list[FinishReason | None] = [None] * len(ends)
    cache, new, pixels = KeyValueCache(), ids, batch.pixel_values
    taken: list[Step] = []
    seen: dict[str, list[Any]] = {"logits": [], "attentions": [], "hidden_states": []}
    while None in reasons:
        out = _forward(model, new, pixels, mask, cache, slow)
        pixels = None
        logits: Tensor = out.logits[:, -1].float()
        scores = _scores(logits, ids, mask, options, slow, len(taken))
        chosen = sample(scores, generator) if options.do_sample else greedy(scores)
        open_rows = torch.tensor([reason is None for reason in reasons], device=ids.device)
        if bool((open_rows & (chosen == NO_TOKEN)).any()):
            raise GotOcr2Error("A row has no token to choose: its scores are not finite numbers.")
        logprobs = torch.where(open_rows, log_probability(logits, chosen), 0.0)
        chosen = torch.where(open_rows, chosen, options.padding or 0)
        ids = torch.cat([ids, chosen[:, None]], 1)
        mask = torch.cat([mask, torch.ones_like(chosen)[:, None]], 1)
        stopped = stops(slow.stopping_criteria, ids, scores)
        tokens = integers(chosen)
        reasons = [
            reason or end.push(token) or ("stop" if stop else None)
            for reason, end, token, stop in zip(reasons, ends, tokens, stopped, strict=True)
        ]
        kept = torch.where(open_rows[:, None], scores, 0.0) if options.output_scores else None
        taken.append(Step(len(taken), tuple(tokens), tuple(reasons), logprobs.cpu(), kept))
        for name in seen:
            seen[name].append(logits if name == "logits" else getattr(out, name))
        if streamer is not None:
            streamer.put(chosen.cpu())
        new = chosen[:, None]
    wanted = {name: tuple(seen[name]) for name in seen if getattr(slow, f"output_{name}")}
    return dataclasses.replace(collect(batch.input_ids, taken), **wanted)


def _forward(
    model: LanguageModel,
    new: Tensor,
    pixels: Tensor | None,
    mask: Tensor,
    cache: KeyValueCache,
    slow: SlowOptions,
) -> Any:
    """One pass over the new ids (batch, N) at the end of what `mask` (batch, T) shows; the cache grows by them."""
    inside = [name for name in ("output_attentions", "output_hidden_states") if getattr(slow, name)]
    return model(
        input_ids=new,
        pixel_values=pixels,
        attention_mask=mask,
        position_ids=position_ids(mask)[:, -new.shape[1] :],
        past_key_values=cache,
        logits_to_keep=1,
        **dict.fromkeys(inside, True),
    )


def _scores(
    logits: Tensor, ids: Tensor, mask: Tensor, options: GenerationOptions, slow: SlowOptions, done: int
) -> Tensor:
    """Logits (batch, vocabulary) after the rules of the options, the caller's, and those of sampling, in that order.

    Args:
        done: how many tokens each row has so far.
    """
    too_short = done < options.min_new_tokens and options.eos_token_id
    forbidden = torch.tensor(options.eos_token_id, device=ids.device) if too_short else None
    rules = dataclasses.replace(options, do_sample=False)
    scores = apply_rules(logits, ids, rules, mask=mask, forbidden=forbidden)
    for rule in slow.logits_processor:
        scores = rule(ids, scores)
    if not options.do_sample:
        return scores
    draws = GenerationOptions(
        do_sample=True, temperature=options.temperature, top_k=options.top_k, top_p=options.top_p
    )
    return apply_rules(scores, ids, draws)


def stops(criteria: Sequence[StopRule], ids: Tensor, scores: Tensor) -> list[bool]:
    """For each row, whether one of the criteria ends it."""
    found = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for criterion in criteria:
        said: Any = criterion(ids, scores)
        found = found | torch.as_tensor(said, dtype=torch.bool, device=ids.device)
    return [bool(one) for one in found]
