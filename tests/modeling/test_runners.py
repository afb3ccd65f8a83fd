"""Which back end a model gets, and torch's own against the model called as it is."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from got_ocr2 import kernels as native_kernels
from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import InvalidOptionError
from got_ocr2.generation.engine.runner import RowInput, Runner, Span
from got_ocr2.modeling.backends.choice import choose_runner, why_not_native
from got_ocr2.modeling.backends.torch_runner import TorchRunner
from got_ocr2.modeling.backends.uncached_runner import UncachedRunner


@pytest.fixture
def no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_kernels, "why_not", lambda: "nobody built them")


def test_torch_serves_where_there_are_no_kernels(tiny_model: Any, no_kernels: None) -> None:
    assert isinstance(choose_runner(tiny_model), TorchRunner)
    assert isinstance(choose_runner(tiny_model, "torch"), TorchRunner)
    for asked in ({"kernels": "native"}, {"quantization": "int8"}, {"kv_cache": "bf16"}):
        with pytest.raises(InvalidOptionError, match=r"needs the compiled kernels, .*: nobody built them\."):
            choose_runner(tiny_model, **asked)


@pytest.mark.skipif(not native_kernels.available(), reason="needs the native kernels")
def test_kernels_serve_where_there_are_some(make_model: Any, tiny_config: GotOcr2Config) -> None:
    model = make_model(tiny_config)
    assert why_not_native(model) is None
    assert type(choose_runner(model)).__name__ == "NativeRunner"
    assert "and this one is in float64" in str(why_not_native(model.double()))
    assert isinstance(choose_runner(model), TorchRunner)


@pytest.mark.parametrize("make", [TorchRunner, UncachedRunner])
def test_ragged_steps_equal_the_model_called_row_by_row(tiny_wide_model: Any, make: Any) -> None:
    """Prompts of equal and unequal length, a picture, drafted tokens, rows that come and go."""
    model, runner = tiny_wide_model, make(tiny_wide_model)
    generator = torch.Generator().manual_seed(3)
    pixels = torch.randn(1, 3, 56, 104, generator=generator)
    picture = [91] * model.config.vision_config.num_image_tokens
    rows = [torch.randint(5, 90, (n,), generator=generator).tolist() for n in (11, 9, 11, 16)]
    rows[3][2 : 2 + len(picture)] = picture
    spans = [Span(20, 14), Span(0, 12), Span(40, 12), Span(60, 16)]
    with torch.inference_mode():
        expected = [
            model(torch.tensor([row]), pixel_values=pixels if row is rows[3] else None).logits[0]
            for row in rows
        ]
        runner.allocate(80)
        assert runner.capacity == 80
        features = runner.encode(pixels)[0]
        _check(runner, rows, spans, expected, [(1, 0, 5), (0, 0, 7), (2, 0, 7)])
        _check(
            runner, rows, spans, expected, [(0, 7, 1), (1, 5, 3), (3, 0, 14)], {3: features}, wanted={1: 3}
        )
        _check(
            runner, rows, spans, expected, [(1, 8, 1), (2, 7, 4), (0, 8, 3), (3, 14, 2)], wanted={2: 0, 0: 2}
        )
        # A step repeated with other tokens counts: drafts that were refused leave nothing behind.
        rows[0][9] = 17
        expected[0] = model(torch.tensor([rows[0]])).logits[0]
        _check(runner, rows, spans, expected, [(0, 9, 2)], wanted={0: 2})
    runner.release()
    assert runner.capacity == 0


def _check(
    runner: Runner,
    rows: list[list[int]],
    spans: list[Span],
    expected: list[torch.Tensor],
    parts: list[tuple[int, int, int]],
    features: dict[int, torch.Tensor] | None = None,
    wanted: dict[int, int] | None = None,
) -> None:
    """Runs (row, past, tokens) for every part and compares the wanted scores."""
    inputs = [
        RowInput(spans[row], past, count, (wanted or {}).get(row, 1), (features or {}).get(row))
        for row, past, count in parts
    ]
    ids = [token for row, past, count in parts for token in rows[row][past : past + count]]
    scores = runner.forward(torch.tensor(ids), inputs)
    truth = torch.cat([
        expected[row][past + count - part.wanted : past + count]
        for part, (row, past, count) in zip(inputs, parts, strict=True)
    ])  # fmt: skip
    assert scores.logits.dtype == torch.float32
    torch.testing.assert_close(scores.logits, truth, atol=1e-4, rtol=1e-4)


def test_an_arena_that_does_not_fit_is_one_of_our_errors(tiny_model: Any) -> None:
    for runner in (TorchRunner(tiny_model), UncachedRunner(tiny_model)):
        with pytest.raises(InvalidOptionError, match=r"cache of .* GB does not fit .* smaller kv_memory"):
            runner.allocate(2**45)
        assert runner.capacity == 0
