"""Triton's kernels against plain torch. `test_triton_kernels.py` runs this file with TRITON_INTERPRET=1."""

from __future__ import annotations

import pytest
import torch
from cuda_steps import both, compare, random_steps
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from got_ocr2.modeling.backends.cuda.operations import Places, TorchOperations
from got_ocr2.modeling.backends.cuda.runner import CudaRunner
from got_ocr2.modeling.backends.cuda.triton_operations import TritonOperations

SLOW, FAST = TorchOperations(), TritonOperations(processors=8)
DTYPES = st.sampled_from([torch.float32, torch.bfloat16])
EXAMPLES = settings(max_examples=6, deadline=None)


def draw(seed: int, dtype: torch.dtype, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def same(got: Tensor, expected: Tensor) -> None:
    """Equal up to the order of sums in fp32, up to a rounding in bf16."""
    assert got.dtype == expected.dtype
    exact = got.dtype == torch.float32
    torch.testing.assert_close(got, expected, atol=2e-6 if exact else 2e-2, rtol=2e-5 if exact else 2e-2)


def places(starts: list[int], at: list[int], head: int, dtype: torch.dtype) -> Places:
    """Places with angles of their own."""
    angles = draw(3, torch.float32, len(at), head // 2).repeat(1, 2)
    first, place = torch.tensor(starts), torch.tensor(at)
    return Places(first, place, first + place, (angles.cos().to(dtype), angles.sin().to(dtype)), max(at) + 1)


@EXAMPLES
@given(st.integers(1, 5), st.integers(1, 70), st.booleans(), DTYPES)
def test_add_norm(n, size, adds, dtype):
    x, more, weight = draw(0, dtype, n, size), draw(1, dtype, n, size), draw(2, dtype, size)
    args = (x, more if adds else None, weight, 1e-6)
    for got, expected in zip(FAST.add_norm(*args), SLOW.add_norm(*args), strict=True):
        same(got, expected)


@EXAMPLES
@given(st.integers(1, 4), st.sampled_from([1, 44, 1024, 1500]), DTYPES)
def test_gated(n, size, dtype):
    both_halves = draw(0, dtype, n, 2 * size)
    same(FAST.gated(both_halves), SLOW.gated(both_halves))


@EXAMPLES
@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.sampled_from([2, 6, 8, 24]), DTYPES)
def test_rotate_and_store(n, group, kv_heads, head, dtype):
    qkv = draw(0, dtype, n, (group + 2) * kv_heads, head)
    where = places([10 * i for i in range(n)], [(7 * i) % 10 for i in range(n)], head, dtype)
    slow_arena, fast_arena = (torch.full((2, kv_heads, 50, head), 7.0, dtype=dtype) for _ in range(2))
    expected = SLOW.rotate_and_store(qkv.clone(), where, *slow_arena)
    got = FAST.rotate_and_store(qkv.clone(), where, *fast_arena)
    same(got, expected)
    same(fast_arena, slow_arena)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.integers(0, 199), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(1, 2),
    st.sampled_from([2, 6, 16]),
    st.integers(1, 200),
    DTYPES,
)
def test_attend(at, group, kv_heads, head, processors, dtype):
    starts = [200 * i for i in range(len(at))]
    where = places(starts, at, head, dtype)
    q = draw(0, dtype, len(at), group * kv_heads + 2, head)[:, : group * kv_heads]  # tokens lie apart
    arena = draw(1, dtype, 2, kv_heads, 200 * len(at), head)
    for start, place in zip(starts, at, strict=True):
        arena[:, :, start + place + 1 : start + 200] = torch.nan  # what a token may not see
    same(TritonOperations(processors).attend(q, where, *arena), SLOW.attend(q, where, *arena))


@pytest.mark.parametrize("grid_hw", [(1, 1), (3, 5), (5, 20)])
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16]
)  # the interpreter cannot multiply matrices in bf16
def test_attend_grid(grid_hw, dtype):
    rows, columns = grid_hw
    qkv = draw(0, dtype, 2, rows * columns, 3, 2, 24)
    tables = draw(1, dtype, 2 * rows - 1, 24), draw(2, dtype, 2 * columns - 1, 24)
    same(FAST.attend_grid(qkv, *tables, grid_hw), SLOW.attend_grid(qkv, *tables, grid_hw))
    same(FAST.attend_grid(qkv, None, None, grid_hw), SLOW.attend_grid(qkv, None, None, grid_hw))


@torch.inference_mode()
def test_pictures(make_model, tiny_wide_config):
    model = make_model(tiny_wide_config)
    pixels = draw(0, torch.float32, 2, 3, 56, 104)
    got = CudaRunner(model, operations=FAST).encode(pixels)
    torch.testing.assert_close(got, model.encode_pictures(pixels), atol=2e-5, rtol=1e-4)


@given(st.integers(1, 200), st.integers(1, 5000))
def test_shares_are_a_power_of_two_and_end_where_there_is_work_enough(processors, programs):
    shares = TritonOperations(processors).shares(programs)
    assert shares in (1, 2, 4, 8, 16)
    assert shares == 1 or shares * programs <= 2 * processors


@torch.inference_mode()
def test_random_steps_give_the_scores_of_the_torch_runner(make_model, tiny_config):
    slow, fast = both(make_model(tiny_config), 200, operations=FAST)
    for ids, rows in random_steps(0, tiny_config, 200, steps=4):
        compare(slow, fast, ids, rows)
