"""The batch loop: one prefill, then one token for every row at each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import GotOcr2Error
from .inputs import PromptBatch, position_ids
from .options import GenerationOptions
from .outputs import Step
from .protocols import ForwardOutput, LanguageModel
from .sampling import NO_TOKEN, apply_rules, greedy, log_probability, sample
from .stopping import RowEnds


@torch.inference_mode()
def run(
    model: LanguageModel,
    batch: PromptBatch,
    options: GenerationOptions,
    ends: RowEnds,
    max_new_tokens: int,
    generator: torch.Generator | Sequence[torch.Generator] | None = None,
) -> Iterator[Step]:
    """Continues every row until all have ended; a row's tokens do not depend on its neighbours.

    Pictures are encoded once, with the prompts (without a cache, at every step); ended rows are fed padding.
    Besides the ids of each step nothing is read back from the device. Closing the iterator stops the work.

    Args:
        model: called with `input_ids`, `pixel_values`, `attention_mask`, `position_ids`, `past_key_values`,
            `use_cache` and `logits_to_keep`.
        batch: checked prompts.
        options: how tokens are chosen.
        ends: fresh, for as many rows and tokens; decides when a row has ended.
        max_new_tokens: from `PromptBatch.max_new_tokens`.
        generator: for sampling, see `sampling.sample`.

    Raises:
        GotOcr2Error: a row that goes on has no token to choose, or wrote the image token without a cache.
    """
    prompt_length = batch.input_ids.shape[1]
    device = batch.input_ids.device
    # Room for the whole generation, so that a step appends without copying.
    ids = F.pad(batch.input_ids, (0, max_new_tokens))
    mask = None if batch.mask is None else F.pad(batch.mask, (0, max_new_tokens), value=1)
    end_tokens = torch.tensor(options.eos_token_id, dtype=torch.int64, device=device)
    # Rows that ended while others go on; None until there is one.
    ended: Tensor | None = None
    cache = None
    for index in range(max_new_tokens):
        length = prompt_length + index
        history, seen = ids[:, :length], None if mask is None else mask[:, :length]
        out = _forward(model, batch, history, seen, cache, options.use_cache)
        cache = out.past_key_values
        logits = out.logits[:, -1].float()
        forbidden = end_tokens if index < options.min_new_tokens and len(end_tokens) else None
        scores = apply_rules(logits, history, options, mask=seen, forbidden=forbidden)
        chosen = sample(scores, generator) if options.do_sample else greedy(scores)
        logprobs = log_probability(logits, chosen)
        if ended is not None:
            chosen = torch.where(ended, options.padding or 0, chosen)
            logprobs = logprobs.masked_fill(ended, 0.0)
        ids[:, length] = chosen
        tokens = cast("list[int]", chosen.tolist())
        if NO_TOKEN in tokens:
            _raise_no_token(tokens.index(NO_TOKEN), index)
        changed = ends.push(tokens)
        yield Step(
            index, tuple(tokens), tuple(ends.reasons), logprobs, scores if options.output_scores else None
        )
        if ends.all_ended:
            return
        if not options.use_cache and batch.pixel_values is not None:
            _hide_image_tokens(ids[:, length], tokens, model.config.image_token_index, ends, index)
        if changed:
            ended = torch.tensor([reason is not None for reason in ends.reasons], device=device)


def _forward(
    model: LanguageModel,
    batch: PromptBatch,
    history: Tensor,
    mask: Tensor | None,
    cache: object | None,
    use_cache: bool,
) -> ForwardOutput:
    """Scores after `history`: all of it the first time or without a cache, its last token otherwise."""
    rows, length = history.shape
    fresh = cache is None
    fed = length if fresh else 1
    positions = torch.arange(length, device=history.device).expand(rows, -1)
    if mask is not None:
        positions = position_ids(mask)
    return model(
        input_ids=history[:, -fed:],
        pixel_values=batch.pixel_values if fresh else None,
        attention_mask=mask,
        position_ids=positions[:, -fed:],
        past_key_values=cache,
        use_cache=use_cache,
        logits_to_keep=1,
    )


def _hide_image_tokens(ids: Tensor, tokens: list[int], image_token: int, ends: RowEnds, step: int) -> None:
    """Without a cache the next pass reads rows anew, and would want a picture for an image token that one wrote.

    Args:
        ids: `(batch,)` view of the new tokens to be read again; changed for rows that have ended.
    """
    for row, token in enumerate(tokens):
        if token != image_token:
            continue
        if ends.reasons[row] is None:
            raise GotOcr2Error(
                f"Row {row} wrote the image token {image_token} at step {step}, which cannot be read again "
                "without a cache: pass use_cache=True."
            )
        ids[row] = 0 if image_token else 1  # nobody looks at what an ended row holds


def _raise_no_token(row: int, step: int) -> None:
    raise GotOcr2Error(
        f"Row {row} has no token to choose at step {step}: its scores are not finite (is the dtype too "
        "narrow for this model?), or the options forbid every token."
    )
