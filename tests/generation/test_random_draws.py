"""Random numbers of rows that share a generator, and of rows that do not."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from got_ocr2.generation.rules.random_draws import OwnDraws, SharedDraws

SCORES = torch.zeros(1, 5)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(8)


def drawn(rows: int, tokens: int) -> torch.Tensor:
    """What one generator gives for all rows, token after token."""
    generator = seeded()
    return torch.stack([torch.empty(rows, 5).exponential_(generator=generator) for _ in range(tokens)])


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=40))
def test_rows_get_the_same_numbers_whoever_is_ahead(order: list[tuple[int, bool]]) -> None:
    shared, expected = SharedDraws(3, seeded()), drawn(3, 41)
    parts, index = [shared.of(row) for row in range(3)], [0, 0, 0]
    for row, again in order:
        taken = parts[row].take(index[row], SCORES)
        assert torch.equal(taken, expected[index[row], row : row + 1])
        if again:  # a step that had to be repeated
            assert torch.equal(parts[row].take(index[row], SCORES), taken)
        index[row] += 1
    assert len(shared._drawn) <= max(index) - min(index) + 1
    for part in parts:
        part.leave()
    assert not shared._drawn


def test_rows_that_have_left_hold_nothing() -> None:
    shared = SharedDraws(2, seeded())
    shared.of(0).take(0, SCORES)
    shared.of(1).leave()
    for index in range(1, 9):
        shared.of(0).take(index, SCORES)
        assert len(shared._drawn) == 1


def test_a_row_of_its_own_does_not_care_about_others() -> None:
    draws, expected = OwnDraws(seeded()), drawn(1, 3)
    for index in (0, 0, 1, 2, 2):
        assert torch.equal(draws.take(index, SCORES), expected[index])
    draws.leave()
