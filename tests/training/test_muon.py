"""The optimiser of matrices: its steps are orthogonal, and those of torch's own."""

from __future__ import annotations

import pytest
import torch

from got_ocr2.training.optimization.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (48, 16), (16, 48), (1, 5), (64, 65)])
def test_singular_values_end_near_one(shape):
    torch.manual_seed(0)
    # Values over two orders of magnitude: what a gradient has.
    u, _, v = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    matrix = u @ torch.diag(torch.logspace(0, -2, min(shape))) @ v
    found = torch.linalg.svdvals(orthogonal(matrix).float())
    assert found.min() > 0.3  # the smallest needs more iterations than it gets
    assert found.max() < 1.3
    assert found.median() > 0.65


def test_a_matrix_of_zeros_stays_one():
    assert not orthogonal(torch.zeros(4, 6)).any()


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon of its own")
def test_ten_steps_are_those_of_torch():
    torch.manual_seed(1)
    start, gradients = torch.randn(24, 40), torch.randn(10, 24, 40)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    optimizers = (
        Muon([ours], lr=0.01, weight_decay=0.05),
        torch.optim.Muon([theirs], lr=0.01, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
    )
    for gradient in gradients:
        for p, optimizer in zip((ours, theirs), optimizers, strict=True):
            p.grad = gradient.clone()
            optimizer.step()
    moved, expected = ours.detach() - start, theirs.detach() - start
    # torch iterates in bf16: its rounding is all that may differ.
    assert (moved - expected).norm() < 0.03 * expected.norm()


def test_a_state_goes_on_where_it_was():
    torch.manual_seed(2)
    start, gradients = torch.randn(6, 4), torch.randn(4, 6, 4)

    def steps(p, optimizer, some):
        for gradient in some:
            p.grad = gradient.clone()
            optimizer.step()

    whole = torch.nn.Parameter(start.clone())
    steps(whole, Muon([whole], lr=0.1), gradients)
    half = torch.nn.Parameter(start.clone())
    first = Muon([half], lr=0.1)
    steps(half, first, gradients[:2])
    second = Muon([half], lr=0.1)
    second.load_state_dict(first.state_dict())
    steps(half, second, gradients[2:])
    assert torch.equal(half, whole)
