"""Beam search: the best few continuations of one prompt, step by step; transformers' rules, without its padding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .cache import KeyValueCache
from .engine.device_transfer import integers
from .inputs import PromptBatch
from .outputs import GenerateOutput
from .protocols import LanguageModel, Tokenizer
from .rules.options import GenerationOptions
from .rules.sampling import apply_rules
from .slow_batches import repeated, stops
from .slow_options import SlowOptions


@dataclass(frozen=True)
class Beam:
    """A continuation: its new ids, and its summed log-probability, divided by its length's power once it is done."""

    tokens: tuple[int, ...]
    score: float


@torch.no_grad()
def search(
    model: LanguageModel,
    prompt: PromptBatch,
    options: GenerationOptions,
    slow: SlowOptions,
    max_new_tokens: int,
    tokenizer: Tokenizer | None = None,
) -> list[Beam]:
    """Searches one prompt.

    Every step takes the `K` best of all beams' next tokens, `K` so large that `num_beams` of them go on even if the
    others end. Those among the best `num_beams` that end are done, and compete by score over length.

    Args:
        prompt: one row.
        options, slow: rules, ends, and the search's own settings.
        max_new_tokens: most new tokens of a beam.
        tokenizer: for stop strings.

    Returns:
        `num_return_sequences` beams that are done, best first.
    """
    width, power = slow.num_beams, slow.length_penalty
    candidates = max(2, 1 + len(options.eos_token_id)) * width
    ids = repeated(prompt, width).input_ids
    start = ids.shape[1]
    running = torch.tensor([0.0] + [-1e9] * (width - 1), device=ids.device)  # equal beams count once
    cache, new = KeyValueCache(), ids
    pixels = repeated(prompt, width).pixel_values
    done: list[Beam] = []
    while True:
        out: Any = model(input_ids=new, pixel_values=pixels, past_key_values=cache, logits_to_keep=1)
        pixels = None
        scores: Tensor = out.logits[:, -1].float().log_softmax(-1)
        too_short = ids.shape[1] - start < options.min_new_tokens and options.eos_token_id
        forbidden = torch.tensor(options.eos_token_id, device=ids.device) if too_short else None
        scores = apply_rules(scores, ids, options, forbidden=forbidden)
        for rule in slow.logits_processor:
            scores = rule(ids, scores)
        best, places = (scores + running[:, None]).flatten().topk(candidates)  # of (beams * vocabulary,)
        from_beam = places // scores.shape[1]
        longer = torch.cat([ids[from_beam], (places % scores.shape[1])[:, None]], 1)
        ended = _ended(longer, start, options, max_new_tokens, tokenizer)
        ended = ended | torch.tensor(stops(slow.stopping_criteria, longer, scores), device=ids.device)

        length = longer.shape[1] - start
        full = len(done) == width and slow.early_stopping is True
        if not full:
            done += [
                Beam(tuple(integers(longer[i, start:])), float(best[i]) / length**power)
                for i in range(width)
                if bool(ended[i])
            ]
            done = sorted(done, key=lambda beam: -beam.score)[:width]
        running, order = (best + ended * -1e9).topk(width)
        ids, kept = longer[order], from_beam[order]
        cache.reorder(kept)
        new = ids[:, -1:]
        enough = len(done) == width
        reach = max_new_tokens if slow.early_stopping == "never" and power > 0 else length
        hopeless = enough and float(running[0]) / reach**power <= done[-1].score
        if bool(ended.all()) or hopeless or (enough and slow.early_stopping is True):
            return done[: slow.num_return_sequences]


def search_batch(
    model: LanguageModel,
    batch: PromptBatch,
    options: GenerationOptions,
    slow: SlowOptions,
    max_new_tokens: int,
    tokenizer: Tokenizer | None = None,
) -> GenerateOutput:
    """`search` for each prompt of a batch; the beams of a prompt follow one another, best first."""
    beams = [
        beam
        for index in range(len(batch.lengths))
        for beam in search(model, batch.row(index), options, slow, max_new_tokens, tokenizer)
    ]
    longest = max(len(beam.tokens) for beam in beams)
    filling = options.padding or 0
    device = batch.input_ids.device
    new = [[*beam.tokens, *[filling] * (longest - len(beam.tokens))] for beam in beams]
    prompts = batch.input_ids.repeat_interleave(slow.num_return_sequences, 0)
    return GenerateOutput(
        sequences=torch.cat([prompts, torch.tensor(new, device=device)], 1),
        finish_reasons=tuple("stop" if len(b.tokens) < max_new_tokens else "length" for b in beams),
        lengths=tuple(len(beam.tokens) for beam in beams),
        logprobs=torch.zeros(len(beams), longest, device=device),
        sequences_scores=torch.tensor([beam.score for beam in beams], device=device),
    )


def _ended(
    ids: Tensor, start: int, options: GenerationOptions, most: int, tokenizer: Tokenizer | None
) -> Tensor:
    """Which continuations end with their last token: `(n,)` boolean."""
    if ids.shape[1] - start >= most:
        return torch.ones(len(ids), dtype=torch.bool, device=ids.device)
    ends = torch.isin(ids[:, -1], torch.tensor(options.eos_token_id, device=ids.device, dtype=ids.dtype))
    if options.stop_strings and tokenizer is not None:
        texts = [tokenizer.decode(row, skip_special_tokens=False) for row in map(integers, ids[:, start:])]
        found = [any(string in text for string in options.stop_strings) for text in texts]
        ends = ends | torch.tensor(found, device=ids.device)
    return ends
