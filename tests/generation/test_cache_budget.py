"""How large the cache may be: sizes as people write them, and what they pay for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from got_ocr2.errors import InvalidOptionError
from got_ocr2.generation.engine import arena_size as memory


@pytest.mark.parametrize(
    ("text", "size"),
    [(7, 7), ("7", 7), ("2GB", 2 * 10**9), ("2 g", 2 * 10**9), ("1.5M", 1_500_000), ("3KiB", 3000), ("1TB", 10**12)],
)  # fmt: skip
def test_sizes(text: Any, size: int) -> None:
    assert memory.parse_bytes(text) == size


@pytest.mark.parametrize("text", [0, -1, True, "", "GB", "2 bytes", "0.0001", "1e9", None])
def test_what_is_no_size(text: Any) -> None:
    with pytest.raises(InvalidOptionError, match='such as "2GB" or a number of bytes, got'):
        memory.parse_bytes(text)


def runner(bytes_per_position: int) -> Any:
    return SimpleNamespace(bytes_per_position=bytes_per_position, device=torch.device("cpu"))


def test_a_budget_is_kept_and_no_more_is_taken_than_could_be_used() -> None:
    assert memory.arena_positions(runner(100), context=50, rows=4, kv_memory=1099) == 10
    assert memory.arena_positions(runner(100), context=50, rows=4, kv_memory=10**9) == 200
    with pytest.raises(
        InvalidOptionError, match="kv_memory of 99 bytes is less than the 100 of a single token"
    ):
        memory.arena_positions(runner(100), context=50, rows=4, kv_memory=99)


def test_without_a_budget_a_share_of_the_free_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_available_memory", lambda: 1_000_000)
    assert memory.affordable_positions(runner(10)) == 50_000
    assert memory.arena_positions(runner(10), context=32768, rows=64) == 50_000
    # A page must have its chance, however full the machine is: memory is taken only as it is used.
    assert memory.arena_positions(runner(10_000), context=32768, rows=64) == 6144
    assert memory.arena_positions(runner(10_000), context=1000, rows=64) == 1000


def test_free_memory_is_known() -> None:
    assert 10**7 < memory._available_memory() < 10**14
