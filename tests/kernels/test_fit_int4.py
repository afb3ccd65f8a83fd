"""Weights fitted to int4: the grid, the slow twin, and what outputs gain."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2.errors import InvalidOptionError
from got_ocr2.kernels import fit_int4 as fitting
from got_ocr2.kernels.fit_int4 import fit_int4
from got_ocr2.kernels.quantize import GROUPS, best_scales, quantize_weight, to_grid


def inputs_like_a_layers(count, size, seed=0):
    """`(count, size)` inputs that are far from independent, and of unequal size."""
    random = torch.Generator().manual_seed(seed)
    causes = torch.randn(count, max(size // 4, 1), generator=random)
    mixed = causes @ torch.randn(causes.shape[1], size, generator=random)
    own = torch.randn(count, size, generator=random)
    return (mixed + 0.3 * own) * (0.2 + 3 * torch.rand(size, generator=random) ** 4)


def slow_twin(weight, moments, group):
    """After every column the best of all later ones, by the whole inverse of what is left of the moments."""
    left = weight.double()
    inputs = left.shape[1]
    mean = float(moments.double().diagonal().mean())
    damped = moments.double() + torch.eye(inputs).double() * (fitting._DAMPING * mean if mean > 0 else 1.0)
    for column in range(inputs):
        if column % group == 0:
            end = min(column + group, inputs)
            cost = torch.stack([damped[i:, i:].inverse()[0, 0] for i in range(column, end)]) ** -1
            scales = best_scales(left[:, column:end].float(), fitting._few_digits, cost.float())
        inverse = damped[column:, column:].inverse()
        rounded = to_grid(left[:, column : column + 1].float(), scales).double()
        error = left[:, column : column + 1] - rounded
        left[:, column:] -= error * inverse[0] / inverse[0, 0]
        left[:, column : column + 1] = rounded
    return left.float()


@pytest.mark.parametrize(("rows", "inputs"), [(5, 7), (9, 64), (4, 70)])
@pytest.mark.parametrize("seen", [0, 3, 200])
def test_equals_the_slow_twin(rows, inputs, seen):
    x = inputs_like_a_layers(seen, inputs)
    weight = torch.randn(rows, inputs, generator=torch.Generator().manual_seed(1))
    fitted, twin = (one(weight, x.T @ x, 32) for one in (fit_int4, slow_twin))
    # A number that lies between two steps may fall to either side; what follows in its row then differs too.
    same = (fitted == twin).all(dim=1)
    assert float(same.float().mean()) >= 0.75
    x = x if seen else torch.randn(50, inputs)
    off = [(x @ (one - weight).T).norm() for one in (fitted, twin)]
    assert float(off[0]) == pytest.approx(float(off[1]), rel=0.1)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 20), inputs=st.integers(1, 150), group=st.sampled_from(GROUPS), seed=st.integers(0, 999),
    size=st.sampled_from([1e-6, 0.02, 1.0, 300.0]), zeros=st.floats(0, 1),
)  # fmt: skip
def test_int4_keeps_a_fitted_weight_to_the_bit(rows, inputs, group, seed, size, zeros):
    random = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, inputs, generator=random) * size
    weight *= torch.rand(rows, inputs, generator=random) >= zeros
    x = inputs_like_a_layers(40, inputs, seed)
    fitted = fit_int4(weight, x.T @ x, group)
    assert torch.equal(fitted.bfloat16().float(), fitted)
    assert torch.equal(quantize_weight(fitted.bfloat16(), "int4", group).dequantized(), fitted)


@pytest.mark.parametrize("most", range(1, 9))
def test_every_grid_is_found_again(most):
    """Whole numbers of any range times a scale that bf16 holds."""
    whole = torch.randint(-most, min(most, 7) + 1, (200, 32), generator=torch.Generator().manual_seed(most))
    whole[:, 0] = -most
    scales = (0.01 + torch.rand(200, 1)).bfloat16().float()
    assert torch.equal(quantize_weight(whole * scales, "int4", 32).dequantized(), whole * scales)


def test_outputs_change_less_than_by_rounding():
    x = inputs_like_a_layers(2000, 256)
    weight = torch.randn(64, 256, generator=torch.Generator().manual_seed(4))
    seen, others = x[:1000], x[1000:]
    rounded = quantize_weight(weight, "int4").dequantized()
    fitted = fit_int4(weight, seen.T @ seen)
    off = [float((others @ (one - weight).T).norm()) for one in (fitted, rounded)]
    assert off[0] < 0.5 * off[1]


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(InvalidOptionError, match=r"moments are \(3, 3\); they must be \(4, 4\)"):
        fit_int4(torch.ones(2, 4), torch.eye(3))
    with pytest.raises(InvalidOptionError, match="must be one of 32, 64, 128"):
        fit_int4(torch.ones(2, 4), torch.eye(4), 16)
    for weight, moments in (
        (torch.tensor([[float("nan")]]), torch.eye(1)),
        (torch.ones(1, 1), torch.full((1, 1), torch.inf)),
    ):
        with pytest.raises(InvalidOptionError, match="infinite or not a number"):
            fit_int4(weight, moments)
