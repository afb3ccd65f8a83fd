"""Random numbers for sampling: per row, or shared by rows as in transformers."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Draws(Protocol):
    """The random numbers of one row."""

    def take(self, index: int, scores: Tensor) -> Tensor:
        """Numbers from Exp(1) for the row's new token `index`, like `scores` `(1, vocabulary)`.

        Indices come in order; asking for the latest one again gives the same numbers.
        """
        ...

    def leave(self) -> None:
        """The row has ended and takes no more."""
        ...


class OwnDraws:
    """A row with a generator of its own: its text does not depend on its neighbours.

    Args:
        generator: on the device of the scores; None for torch's global one.
    """

    def __init__(self, generator: torch.Generator | None = None) -> None:
        self._generator = generator
        self._latest: tuple[int, Tensor] | None = None

    def take(self, index: int, scores: Tensor) -> Tensor:
        if self._latest is None or self._latest[0] != index:
            self._latest = index, torch.empty_like(scores).exponential_(generator=self._generator)
        return self._latest[1]

    def leave(self) -> None:
        self._latest = None


class SharedDraws:
    """Rows that share one generator: numbers are drawn for all of them at once, once for every token.

    That is how transformers draws, so equal seeds give equal tokens. Rows need not keep step; numbers are kept
    until every row that goes on has taken its part.

    Args:
        rows: how many share.
        generator: on the device of the scores; None for torch's global one.
    """

    def __init__(self, rows: int, generator: torch.Generator | None = None) -> None:
        self._rows = rows
        self._generator = generator
        self._drawn: dict[int, Tensor] = {}  # token index -> (rows, vocabulary)
        self._latest = dict.fromkeys(range(rows), 0)  # of each row that goes on: the index it took last

    def of(self, row: int) -> Draws:
        """The part of one row."""
        return _Share(self, row)

    def take(self, row: int, index: int, scores: Tensor) -> Tensor:
        """Row `row`'s numbers for its token `index`; see `Draws.take`."""
        if index not in self._drawn:
            # Tokens are drawn in order whichever row is ahead, so nothing is ever drawn for an index twice.
            noise = scores.new_empty((self._rows, scores.shape[1]))
            self._drawn[index] = noise.exponential_(generator=self._generator)
        self._latest[row] = index
        self._forget()
        return self._drawn[index][row : row + 1]

    def leave(self, row: int) -> None:
        """Row `row` takes no more."""
        self._latest.pop(row, None)
        self._forget()

    def _forget(self) -> None:
        oldest = min(self._latest.values(), default=None)
        for index in [i for i in self._drawn if oldest is None or i < oldest]:
            del self._drawn[index]


class _Share:
    def __init__(self, shared: SharedDraws, row: int) -> None:
        self._shared = shared
        self._row = row

    def take(self, index: int, scores: Tensor) -> Tensor:
        return self._shared.take(self._row, index, scores)

    def leave(self) -> None:
        self._shared.leave(self._row)
