"""The attention kernel and its small neighbours against torch, on every instruction set of this machine."""

from __future__ import annotations

import ctypes

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2 import kernels
from got_ocr2.kernels import library
from got_ocr2.kernels.attention import attend, pack_keys, pack_values, padded
from got_ocr2.modeling.attention import attention_plain
from got_ocr2.modeling.decoder import RMSNorm, rotary_tables, rotate

pytestmark = pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))

SETS = library.INSTRUCTION_SETS[: library.native().got_isa_best() + 1] if kernels.available() else ()


@pytest.fixture(params=SETS, autouse=True)
def isa(request):
    before = kernels.instruction_set()
    kernels.instruction_set(request.param)
    yield request.param
    kernels.instruction_set(before)


def close(ours, theirs, limit=5e-6):
    assert ours.isfinite().all()
    assert (ours - theirs).abs().max() <= limit * max(1.0, float(theirs.abs().max()))


def of(tensor):
    return ctypes.c_void_p(tensor.data_ptr())


def plain(q, k, v, mask):
    logits = q.double() @ k.double().T
    return (logits.masked_fill(~mask, float("-inf")).softmax(-1) @ v.double()).float()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_number_of_queries_keys_and_elements(data):
    dim = 8 * data.draw(st.integers(1, 12), label="head_dim / 8")
    keys = data.draw(st.one_of(st.integers(1, 40), st.sampled_from([127, 128, 129, 200, 300])), label="keys")
    queries = data.draw(st.integers(1, min(keys, 20)), label="queries")
    first = data.draw(st.integers(0, 15), label="first")
    causal = data.draw(st.booleans(), label="causal")
    half = data.draw(st.booleans(), label="half")
    g = torch.Generator().manual_seed(data.draw(st.integers(0, 99), label="seed"))
    q = torch.randn(queries, dim, generator=g) * data.draw(st.sampled_from([0.05, 0.3, 1.0]), label="scale")
    k, v = (torch.randn(first + keys, dim, generator=g) for _ in range(2))
    k[:first] = v[:first] = float("nan")  # somebody else's
    if half:
        k, v = k.bfloat16(), v.bfloat16()
    ours = attend(q, pack_keys(k), pack_values(v), keys=first + keys, first=first, causal=causal)
    at = torch.arange(keys)[None]
    mask = at <= keys - queries + torch.arange(queries)[:, None] if causal else at >= 0
    close(ours, plain(q, k[first:], v[first:], mask))


@pytest.mark.parametrize("grid", [(5, 5), (3, 17), (9, 16), (14, 14), (2, 64), (10, 33)])
def test_relative_positions_as_the_encoder_adds_them(grid):
    rows, columns = grid
    dim, length = 24, rows * columns
    g = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(length, dim, generator=g) for _ in range(3))
    rel_h, rel_w = (torch.randn(2 * n - 1, dim, generator=g) * 0.3 for n in grid)
    # all products with both tables, backwards, so that the terms of a query stand in the order of the keys
    terms = torch.cat([q @ rel_h.flip(0).T, q @ rel_w.flip(0).T], dim=1).contiguous()
    at = torch.arange(length)
    ours = attend(
        q * dim**-0.5, pack_keys(k), pack_values(v), keys=length, relative=terms,
        row_shift=(rows - 1 - at // columns).int(),
        column_shift=(2 * rows - 1 + columns - 1 - at % columns).int(), columns=columns,
    )  # fmt: skip
    theirs = attention_plain(q[None, None], k[None, None], v[None, None], rel_h, rel_w, grid)[0, 0]
    close(ours, theirs, 1e-5)


def test_a_query_computed_alone_or_with_others_is_the_same_to_the_last_bit():
    q, k, v = torch.randn(13, 64), torch.randn(150, 64), torch.randn(150, 64)
    panels, values = pack_keys(k), pack_values(v)
    together = attend(q, panels, values, keys=150, causal=True)
    for i in range(13):
        alone = attend(q[i : i + 1], panels, values, keys=150 - 12 + i, causal=True)
        assert torch.equal(alone[0], together[i])


def test_far_apart_logits_do_not_overflow():
    q = torch.tensor([[300.0] + [0.0] * 7])
    k, v = torch.randn(40, 8), torch.randn(40, 8)
    close(attend(q, pack_keys(k), pack_values(v), keys=40), F.softmax(q @ k.T, -1) @ v)


@pytest.mark.parametrize("size", [1, 3, 8, 16, 31, 192, 1000])
def test_norms(size):
    lib = library.native()
    x, weight, bias, out = torch.randn(size) * 3 + 1, torch.randn(size), torch.randn(size), torch.empty(size)
    eps = ctypes.c_float(1e-6)
    norm = RMSNorm(size, 1e-6)
    norm.weight.data = weight
    lib.got_rms_norm(of(x), of(weight), size, eps, of(out))
    close(out, norm(x).detach())
    lib.got_layer_norm(of(x), of(weight), of(bias), size, eps, of(out))
    # a single number minus its mean is 0, however it is rounded
    close(out, F.layer_norm(x, (size,), weight, bias, 1e-6), 1e-5)


@pytest.mark.parametrize("half", [1, 4, 12, 32, 50])
def test_rotation(half):
    x = torch.randn(2 * half)
    cosines, sines = rotary_tables(torch.tensor([[7]]), 2 * half, 1e4, torch.float32)
    theirs = rotate(x.view(1, 1, 1, -1), cosines, sines).flatten() * 0.5
    cosines, sines = cosines.flatten()[:half].contiguous(), sines.flatten()[:half].contiguous()
    library.native().got_rotate(of(x), of(cosines), of(sines), half, ctypes.c_float(0.5))
    close(x, theirs)


@pytest.mark.parametrize("size", [1, 5, 16, 282, 10_007])
def test_best_score(size):
    lib = library.native()
    best, logprob = torch.empty(1, dtype=torch.int64), torch.empty(1)

    def ask(scores):
        lib.got_best(of(scores), ctypes.c_long(size), of(best), of(logprob))
        return int(best), float(logprob)

    scores = torch.randn(size) * 4
    scores[size // 2] = scores[size // 3] = scores.max() + 1  # two are equal: the first counts
    at, value = ask(scores)
    assert at == int((scores == scores.max()).nonzero()[0])
    assert value == pytest.approx(float(scores.log_softmax(-1)[at]), abs=1e-5)
    for bad in (float("inf"), float("nan")):
        scores[size - 1] = bad
        at, value = ask(scores)
        assert at == -1
        assert value != value


def test_padding_of_positions():
    assert [padded(n) for n in (1, 16, 17)] == [16, 16, 32]
