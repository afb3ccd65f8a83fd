"""The slow, obviously right twin of the engine: one row at a time, no cache, no padding, no state."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .inputs import PromptBatch
from .outputs import GenerateOutput
from .protocols import LanguageModel, Tokenizer
from .rules.options import GenerationOptions
from .rules.sampling import apply_rules, greedy, sample
from .rules.stopping import FinishReason


@torch.no_grad()
def generate_slowly(
    model: LanguageModel,
    batch: PromptBatch,
    options: GenerationOptions,
    max_new_tokens: int,
    *,
    tokenizer: Tokenizer | None = None,
    generators: Sequence[torch.Generator] | None = None,
) -> GenerateOutput:
    """Reads every row alone, running the whole row through the model for every token.

    A row that writes the image token cannot be run again; the model refuses it.

    Args:
        batch, options, max_new_tokens: as for `batches.requests`.
        tokenizer: for stop strings.
        generators: one per row, for sampling.

    Returns:
        What `generate(..., return_dict_in_generate=True)` must return, without the scores.
    """
    rows: list[list[int]] = []
    logprobs: list[list[float]] = []
    reasons: list[FinishReason] = []
    for index in range(len(batch.lengths)):
        generator = None if generators is None else generators[index]
        new, logprob, reason = _read(model, batch.row(index), options, max_new_tokens, tokenizer, generator)
        rows.append(new)
        logprobs.append(logprob)
        reasons.append(reason)
    longest = max(map(len, rows))
    filling = options.padding or 0
    device = batch.input_ids.device
    tokens = [new + [filling] * (longest - len(new)) for new in rows]
    return GenerateOutput(
        sequences=torch.cat([batch.input_ids, torch.tensor(tokens, device=device)], 1),
        finish_reasons=tuple(reasons),
        lengths=tuple(map(len, rows)),
        logprobs=torch.tensor([row + [0.0] * (longest - len(row)) for row in logprobs], device=device),
    )


def _read(
    model: LanguageModel,
    prompt: PromptBatch,
    options: GenerationOptions,
    max_new_tokens: int,
    tokenizer: Tokenizer | None,
    generator: torch.Generator | None,
) -> tuple[list[int], list[float], FinishReason]:
    ids: Tensor = prompt.input_ids
    new: list[int] = []
    logprobs: list[float] = []
    while True:
        logits: Tensor = model(input_ids=ids, pixel_values=prompt.pixel_values).logits[:, -1].float()
        too_short = len(new) < options.min_new_tokens and options.eos_token_id
        forbidden = torch.tensor(options.eos_token_id, device=ids.device) if too_short else None
        scores = apply_rules(logits, ids, options, forbidden=forbidden)
        chosen = sample(scores, generator) if options.do_sample else greedy(scores)
        token = int(chosen)
        new.append(token)
        logprobs.append(float(logits.log_softmax(-1)[0, token]))
        ids = torch.cat([ids, chosen[:, None]], 1)
        if token in options.eos_token_id:
            return new, logprobs, "stop"
        if tokenizer is not None and options.stop_strings:
            text = tokenizer.decode(new, skip_special_tokens=False)
            if any(string in text for string in options.stop_strings):
                return new, logprobs, "stop_string"
        if len(new) == max_new_tokens:
            return new, logprobs, "length"
