"""`generate`'s batches as pages of the engine: prompts in, steps of equal index out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import torch

from .engine.arena_size import affordable_positions
from .engine.device_transfer import integers
from .engine.engine import Engine
from .engine.requests import Handle, NewToken, Request
from .engine.runner import Runner
from .inputs import PromptBatch
from .outputs import Step
from .protocols import Tokenizer
from .rules.options import GenerationOptions
from .rules.random_draws import Draws, OwnDraws, SharedDraws
from .rules.stopping import FinishReason, RowEnd

Generators = torch.Generator | Sequence[torch.Generator]
Steps = Generator[Step, None, None]


def requests(
    batch: PromptBatch,
    options: GenerationOptions,
    max_new_tokens: int,
    tokenizer: Tokenizer | None = None,
    generator: Generators | None = None,
) -> list[Request]:
    """One request for every row of a batch.

    Args:
        batch: checked prompts.
        options: how all of them are continued.
        max_new_tokens: from `PromptBatch.max_new_tokens`.
        tokenizer: for stop strings.
        generator: for sampling: one for the batch, one per row, or None for torch's global one.

    Raises:
        InvalidOptionError: stop strings without a tokenizer.
    """
    RowEnd(options, max_new_tokens, tokenizer)  # refuses what it cannot follow
    rows = [batch.row(index) for index in range(len(batch.lengths))]
    return [
        Request(
            ids=integers(row.input_ids[0]),
            max_new_tokens=max_new_tokens,
            options=options,
            pixel_values=row.pixel_values,
            tokenizer=tokenizer,
            draws=draws,
            name=f"Row {index}",
        )
        for index, (row, draws) in enumerate(zip(rows, _draws(generator, len(rows)), strict=True))
    ]


def _draws(generator: Generators | None, rows: int) -> list[Draws]:
    if generator is None or isinstance(generator, torch.Generator):
        shared = SharedDraws(rows, generator)
        return [shared.of(row) for row in range(rows)]
    return [OwnDraws(one) for one in generator]


def steps(new_runner: Callable[[], Runner], pages: Sequence[Request]) -> Steps:
    """Reads the pages with an engine of their own, and yields token after token for all of them.

    Pages whose arena would not fit into memory wait for others; a step is yielded as soon as it is whole. Closing
    the iterator stops the work.

    Args:
        new_runner: called when the first step is asked for.
        pages: at least one; filled with the padding of their options once they have ended.

    Raises:
        GotOcr2Error: a page has no token to choose. Other errors are those of the runner.
    """
    runner = new_runner()
    sizes = [len(page.ids) + page.max_new_tokens for page in pages]
    positions = max(max(sizes), min(sum(sizes), affordable_positions(runner)))
    # Everything at once: rows of one call share their random numbers, which must not wait for each other's turn.
    prompts = sum(len(page.ids) for page in pages)
    with Engine(runner, positions=positions, rows=len(pages), prefill_tokens=prompts) as engine:
        handles = [engine.submit(page) for page in pages]
        padding = pages[0].options.padding or 0
        reasons: list[FinishReason | None] = [None] * len(pages)
        index = 0
        while None in reasons:
            new = [
                _token(handle, index) if reason is None else None
                for handle, reason in zip(handles, reasons, strict=True)
            ]
            reasons = [old if one is None else one.reason for one, old in zip(new, reasons, strict=True)]
            yield _step(index, new, reasons, padding)
            index += 1


def _token(handle: Handle, index: int) -> NewToken:
    """The page's token, waiting for it; raises what became of the page if it failed."""
    if not handle.grown(index):
        handle.result()
    return handle[index]


def _step(
    index: int, new: Sequence[NewToken | None], reasons: Sequence[FinishReason | None], padding: int
) -> Step:
    scored = next((one.scores for one in new if one is not None and one.scores is not None), None)
    scores = None
    if scored is not None:
        nothing = torch.zeros_like(scored)
        scores = torch.stack([nothing if one is None or one.scores is None else one.scores for one in new])
    return Step(
        index,
        tuple(padding if one is None else one.token for one in new),
        tuple(reasons),
        torch.tensor([0.0 if one is None else one.logprob for one in new]),
        scores,
    )
