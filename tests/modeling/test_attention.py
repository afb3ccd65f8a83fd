"""Both forms of decomposed attention are one function."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2.modeling import attention
from got_ocr2.modeling.attention import attention_folded, attention_plain, decomposed_attention
from got_ocr2.modeling.vision import from_windows, to_windows


def inputs(rows: int, columns: int, heads: int, d: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    q, k, v = (draw(2, heads, rows * columns, d) for _ in range(3))
    return q, k, v, draw(2 * rows - 1, d), draw(2 * columns - 1, d)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.sampled_from([4, 6, 8, 16]), st.booleans())
def test_folded_equals_plain(rows, columns, heads, d, with_positions):
    q, k, v, rel_h, rel_w = inputs(rows, columns, heads, d)
    tables = (rel_h, rel_w) if with_positions else (None, None)
    plain = attention_plain(q, k, v, *tables, (rows, columns))
    torch.testing.assert_close(
        attention_folded(q, k, v, *tables, (rows, columns)), plain, atol=1e-5, rtol=1e-5
    )


def test_plain_equals_the_definition_spelled_out():
    rows, columns, d = 3, 4, 5
    q, k, v, rel_h, rel_w = inputs(rows, columns, 2, d)
    logits = torch.empty(2, 2, 12, 12)
    for i in range(12):
        for j in range(12):
            y, x, y2, x2 = i // columns, i % columns, j // columns, j % columns
            table = rel_h[y - y2 + rows - 1] + rel_w[x - x2 + columns - 1]
            logits[:, :, i, j] = (q[:, :, i] * (k[:, :, j] * d**-0.5 + table)).sum(-1)
    got = attention_plain(q, k, v, rel_h, rel_w, (rows, columns))
    torch.testing.assert_close(got, logits.softmax(-1) @ v, atol=1e-5, rtol=1e-5)


def test_gradients_agree_too():
    q, k, v, rel_h, rel_w = (t.requires_grad_() for t in inputs(4, 6, 2, 8))
    plain = torch.autograd.grad(
        attention_plain(q, k, v, rel_h, rel_w, (4, 6)).square().sum(), (q, k, v, rel_h, rel_w)
    )
    folded = torch.autograd.grad(
        attention_folded(q, k, v, rel_h, rel_w, (4, 6)).square().sum(), (q, k, v, rel_h, rel_w)
    )
    for a, b in zip(folded, plain, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("limit", "form"), [(24, "attention_folded"), (25, "attention_plain")])
def test_the_form_is_chosen_by_size(monkeypatch, limit, form):
    called = []
    for name in ("attention_folded", "attention_plain"):
        real = getattr(attention, name)
        monkeypatch.setattr(attention, name, lambda *a, _n=name, _f=real: called.append(_n) or _f(*a))
    monkeypatch.setattr(attention, "_FOLD_FROM", limit)
    q, k, v, rel_h, rel_w = inputs(4, 6, 1, 8)
    decomposed_attention(q, k, v, rel_h, rel_w, (4, 6))
    assert called == [form]


@given(st.integers(1, 17), st.integers(1, 17), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_windows_come_back_whole(rows, columns, window):
    x = torch.randn(2, rows, columns, 3)
    windows = to_windows(x, window)
    assert windows.shape[0] == 2 * -(-rows // window) * -(-columns // window)
    assert torch.equal(from_windows(windows, window, (rows, columns)), x)


def test_tables_kept_from_inference_serve_training():
    q, k, v, rel_h, rel_w = inputs(3, 7, 2, 8)
    attention._relative_index.cache_clear()
    attention._position_one_hot.cache_clear()
    with torch.inference_mode():
        attention_folded(q, k, v, rel_h, rel_w, (3, 7))
    q.requires_grad_()
    attention_folded(q, k, v, rel_h, rel_w, (3, 7)).sum().backward()
    assert q.grad is not None
