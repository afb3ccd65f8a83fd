"""Shapes that steps are padded to, so that few recordings serve all steps. Plain numbers, no torch."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ....generation.engine.runner import RowInput

# Up to some hundred tokens a step is bound by reading the weights, so padding costs little: rungs may be wide apart.
_TOKENS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_SHORTEST = 256  # positions


@dataclass(frozen=True)
class Bucket:
    """The fixed shape of a step.

    Attributes:
        tokens: new tokens, >= 1, whichever rows they belong to.
        context: positions that each token may look at, >= 1; 0 where shapes do not depend on it.
    """

    tokens: int
    context: int


@dataclass(frozen=True)
class Buckets:
    """Every shape there may be.

    Attributes:
        most_tokens: largest step; one of the rungs.
        by_context: whether shapes depend on how far tokens look back; powers of two then.
    """

    most_tokens: int
    by_context: bool

    def __post_init__(self) -> None:
        if self.most_tokens not in _TOKENS:
            raise ValueError(f"most_tokens must be one of {_TOKENS}, got {self.most_tokens}.")

    def fitting(self, tokens: int, context: int) -> Bucket:
        """The smallest bucket for `1 <= tokens <= most_tokens` that look back at up to `context` positions."""
        rung = _TOKENS[bisect_left(_TOKENS, tokens)]
        return Bucket(rung, max(_SHORTEST, 1 << (context - 1).bit_length()) if self.by_context else 0)


@dataclass(frozen=True)
class Piece:
    """Neighbouring rows of a step that are run together.

    Attributes:
        rows: at least one.
        recorded: by a recording, token by token; else as they are, which suits prompts.
    """

    rows: tuple[RowInput, ...]
    recorded: bool

    @property
    def tokens(self) -> int:
        """New tokens of all rows."""
        return sum(row.tokens for row in self.rows)


def pieces(rows: Sequence[RowInput], most_tokens: int) -> Iterator[Piece]:
    """Cuts a step, in order: rows that go on by up to `most_tokens` tokens at a time; prompts all together.

    A row that goes on by more than that is a long part of a prompt and treated as one.
    """
    held: list[RowInput] = []
    recorded, tokens = False, 0
    for row in rows:
        short = row.past > 0 and row.tokens <= most_tokens
        if held and (short != recorded or (short and tokens + row.tokens > most_tokens)):
            yield Piece(tuple(held), recorded)
            held, tokens = [], 0
        held.append(row)
        recorded, tokens = short, tokens + row.tokens
    if held:
        yield Piece(tuple(held), recorded)
