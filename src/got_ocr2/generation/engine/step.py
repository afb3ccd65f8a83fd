"""One step of the engine on the device: ids off the tape, through the runner, chosen tokens onto the tape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .device_transfer import Readback, ids_to_device
from .requests import Alternatives
from .row import Row
from .runner import RowInput, Runner, Span
from .token_choice import Chosen, Wish, choose


@dataclass(frozen=True)
class Part:
    """What one row contributes to a step.

    Attributes:
        row: the row.
        input: its place in the arena.
        drafted: tokens to verify, beside its last one.
    """

    row: Row
    input: RowInput
    drafted: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a step gave one row.

    Attributes:
        part: what the row had brought.
        tokens, logprobs: the row's new tokens: drafted ones that the model wrote too, and the one after them.
        scores: `(tokens, vocabulary)`, or None.
        top: the most probable tokens at each place, if the row asks for them; else none.
    """

    part: Part
    tokens: list[int]
    logprobs: list[float]
    scores: Tensor | None
    top: list[Alternatives]


class Launched:
    """A step whose tokens are on their way to the host."""

    def __init__(self, parts: Sequence[Part], chosen: Chosen) -> None:
        """Starts their transfer; the tensors in `chosen`, but the scores, may be overwritten afterwards."""
        self.parts = parts
        self._readback = Readback(chosen.ids, chosen.logprobs)
        self._scores = chosen.scores
        self._top = [None if top is None else _TopReadback(*top) for top in chosen.top]

    def answers(self) -> Iterator[Answer]:
        """Waits for the tokens; each row's own."""
        ids, logprobs = self._readback.get()
        first = 0
        for part, scores, top in zip(self.parts, self._scores, self._top, strict=True):
            end = first + part.input.wanted
            new = first + _agreement(part.drafted, ids[first:end]) + 1
            yield Answer(part, ids[first:new], logprobs[first:new], scores, [] if top is None else top.get())
            first = end


class _TopReadback:
    """The most probable tokens of one row on their way to the host; see `Chosen.top`."""

    def __init__(self, ids: Tensor, logprobs: Tensor) -> None:
        self._each = ids.shape[1]
        self._readback = Readback(ids.flatten(), logprobs.flatten())

    def get(self) -> list[Alternatives]:
        pairs = tuple(zip(*self._readback.get(), strict=True))
        return [pairs[start : start + self._each] for start in range(0, len(pairs), self._each)]


class Tape:
    """The id of every token in the arena, on the device: steps follow each other without asking the host.

    Position `span.start + p` holds the id of a row's token p, whether its keys and values are stored already or
    it has only just been chosen.
    """

    def __init__(self, runner: Runner, positions: int) -> None:
        self._runner = runner
        self._ids = torch.zeros(positions, dtype=torch.int64, device=runner.device)

    def write(self, span: Span, ids: Sequence[int]) -> None:
        """The prompt of a page that begins."""
        self._ids[span.start : span.start + len(ids)] = ids_to_device(ids, self._ids.device)

    def launch(self, parts: Sequence[Part]) -> Launched:
        """Puts a step through the runner; the rows themselves are left as they were.

        Chosen tokens stand on the tape afterwards. An id that could not be chosen stands there as 0; the host
        hears of it when it reads the tokens.
        """
        self._write_drafts(parts)
        new, after = _places([part.input for part in parts])
        both = ids_to_device([*new, *after], self._ids.device)
        new_at, after_at = both[: len(new)], both[len(new) :]
        scores = self._runner.forward(self._ids.index_select(0, new_at), [part.input for part in parts])
        chosen = choose(scores, [self._wish(part) for part in parts])
        self._ids.index_copy_(0, after_at, chosen.ids.clamp(min=0))
        return Launched(parts, chosen)

    def _write_drafts(self, parts: Sequence[Part]) -> None:
        drafted = [token for part in parts for token in part.drafted]
        if drafted:
            at = [
                part.input.span.start + part.input.past + 1 + n
                for part in parts
                for n in range(len(part.drafted))
            ]
            device = self._ids.device
            self._ids.index_copy_(0, ids_to_device(at, device), ids_to_device(drafted, device))

    def _wish(self, part: Part) -> Wish:
        place, row = part.input, part.row
        history = self._ids[place.span.start : place.span.start + place.past + place.tokens]
        return Wish(row.options, history, row.chosen, place.wanted, row.draws, row.top)


def _places(rows: Sequence[RowInput]) -> tuple[list[int], list[int]]:
    """Positions of the arena where a step's new tokens stand, and where the tokens chosen after them will."""
    new: list[int] = []
    after: list[int] = []
    for row in rows:
        end = row.span.start + row.past + row.tokens
        new += range(end - row.tokens, end)
        after += range(end - row.wanted + 1, end + 1)
    return new, after


def _agreement(drafted: Sequence[int], written: Sequence[int]) -> int:
    """How many drafted tokens, from the first on, are what the model wrote."""
    for count, (draft, token) in enumerate(zip(drafted, written, strict=False)):
        if draft != token:
            return count
    return len(drafted)
