"""Before training on one's own data: is every page readable, does every answer fit, is the first loss sane?"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ...errors import InvalidOptionError
from .batches import Collator
from .examples import Example

_NAMED = 5  # long samples that one message names


@dataclass(frozen=True)
class TooLong:
    """An example that does not fit.

    Attributes:
        example: the example.
        length: ids that it takes, prompt and pictures included.
    """

    example: Example
    length: int


def check_examples(
    examples: Sequence[Example], collator: Collator, *, skip_long: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[list[Example], list[TooLong]]:  # fmt: skip
    """Opens every picture and counts every sample's ids, so that nothing goes wrong in the third hour.

    Args:
        examples: all of them.
        collator: knows the limit.
        skip_long: leave out what is too long instead of refusing it; the caller says so.
        progress: told how many are done.

    Returns:
        The examples that fit, and those that do not.

    Raises:
        FileAccessError, InputError: a picture cannot be opened; the message names the sample.
        InvalidOptionError: samples are too long, or none fits.
    """
    fit: list[Example] = []
    long: list[TooLong] = []
    for done, (example, length) in enumerate(zip(examples, _lengths(examples, collator), strict=True), 1):
        if length > collator.max_length:
            long.append(TooLong(example, length))
        else:
            fit.append(example)
        progress(done)
    if long and not skip_long:
        names = "; ".join(f"{found.example.name} takes {found.length}" for found in long[:_NAMED])
        more = f"; and {len(long) - _NAMED} more" if len(long) > _NAMED else ""
        raise InvalidOptionError(
            f"{len(long)} of {len(examples)} samples are longer than {collator.max_length} ids, prompt and pictures "
            f"included: {names}{more}. Raise --max-length, shorten them, or leave them out with --skip-long."
        )
    if not fit:
        raise InvalidOptionError(f"None of {len(examples)} samples fits into {collator.max_length} ids.")
    return fit, long


def _lengths(examples: Sequence[Example], collator: Collator) -> Iterator[int]:
    """In order; pictures are decoded by as many threads as there are processors, a few ahead."""
    workers = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(examples), 4 * workers):
            some = examples[start : start + 4 * workers]
            yield from pool.map(lambda example: collator.length(example.sample()), some)


def sanity(loss: float, vocabulary: int, pages: int) -> str:
    """What the loss before the first step says, in a sentence.

    Args:
        loss: mean cross-entropy of a token.
        vocabulary: number of ids.
        pages: over how many pages.
    """
    chance = math.log(vocabulary)
    if loss < 1:
        verdict = "the model reads such pages already; this is how it should start"
    elif loss < 0.6 * chance:
        verdict = (
            "the model knows the task but not yet these pages; for plain print it should be below 1, so look at the "
            "prompts and the line breaks of the texts"
        )
    elif loss < 1.1 * chance:
        verdict = "the model knows nothing of this: right for a fresh one, wrong for one that can read"
    else:
        verdict = "worse than guessing: the texts, the vocabulary or the pictures do not belong to this model"
    return (
        f"Before the first step the loss is {loss:.3f} a token on {pages} pages; reading well is below 1, guessing is "
        f"ln({vocabulary}) = {chance:.2f}: {verdict}."
    )
