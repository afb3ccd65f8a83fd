"""Muon: momentum whose matrix is made orthogonal before it is a step (Jordan et al. 2024)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from ..sharding import own_slice, whole
from .trained_parts import has_bfloat16

# Newton-Schulz steps of the fifth order, tuned for a steep slope at zero: singular values end between .7 and 1.2.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class Muon(Optimizer):
    """Steps of equal size in every direction of a matrix, scaled to AdamW's RMS so that both share a learning rate.

    `torch.optim.Muon` iterates in bf16 wherever it runs. A CPU that only imitates bf16 then needs three times as long
    for its steps as for all of a small network, so here such a CPU iterates in fp32.

    Args:
        params: matrices.
        lr: learning rate, per step.
        weight_decay: decoupled.
        momentum: of the running mean of gradients, 0..1; a step looks ahead by it (Nesterov).
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float, *, weight_decay: float = 0.1, momentum: float = 0.95
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One step; the loss of `closure`, if one is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, p.grad, group["lr"], group["weight_decay"], group["momentum"])
        return loss

    def _move(self, p: Tensor, gradient: Tensor, rate: float, weight_decay: float, momentum: float) -> None:
        state = self.state[p]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        mean = state["momentum_buffer"]
        mean.lerp_(gradient, 1 - momentum)
        # Dealt-out matrices are gathered once for all products (Liu et al. 2025), not for each of them.
        update = own_slice(orthogonal(whole(gradient.lerp(mean, momentum))), p)
        p.mul_(1 - rate * weight_decay)
        # The RMS of an orthogonal matrix is 1 / sqrt of its longer side; AdamW's is about 0.2 (Liu et al. 2025).
        p.add_(update, alpha=-rate * 0.2 * max(p.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """The nearest matrix with orthogonal rows or columns, roughly: its singular values lie between .7 and 1.2.

    Args:
        matrix: `(rows, columns)`, any floating type.

    Returns:
        A matrix of the same shape; bf16 where the hardware computes in it, else fp32.
    """
    a, b, c = COEFFICIENTS
    x = matrix.to(torch.bfloat16 if has_bfloat16(matrix.device) else torch.float32)
    tall = x.size(0) > x.size(1)
    if tall:
        x = x.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
