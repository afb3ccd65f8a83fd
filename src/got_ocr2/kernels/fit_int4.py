"""Weights moved onto the int4 grid so that a layer's outputs, not its weights, change least.

The inputs that a layer meets are far from independent: an error of one weight can be made up for by its neighbours.
Column after column is rounded, and what that changes in the outputs is taken over by the columns that are still to
come, as well as the second moments of the inputs allow. This is GPTQ (Frantar et al., 2022), with scales that are
searched when a group's turn comes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import InvalidOptionError
from .quantize import DEFAULT_GROUP, best_scales, check_group, to_grid

# Share of the mean second moment that is added to each: inputs vary a little more than those that were seen.
_DAMPING = 0.03

# Binary digits of a fitted scale. With the 3 of a value they make 8, so that a fitted weight is a bf16 number.
_DIGITS = 5


def fit_int4(weight: Tensor, moments: Tensor, group: int = DEFAULT_GROUP) -> Tensor:
    """The weights of the int4 grid that keep a layer's outputs close.

    `quantize_weight` with the same group leaves the result as it is, to the bit, and bf16 holds it exactly.

    Args:
        weight: `(outputs, inputs)` floating.
        moments: `(inputs, inputs)`, the sum of `x x^T` over the inputs that were seen, in any unit; zeros for none.
        group: inputs that share a scale.

    Returns:
        `(outputs, inputs)` fp32.

    Raises:
        InvalidOptionError: unknown group size, shapes that do not match, or numbers that are not finite.
    """
    check_group(group)
    inputs = weight.shape[1]
    if moments.shape != (inputs, inputs):
        raise InvalidOptionError(
            f"The moments are {tuple(moments.shape)}; they must be {(inputs, inputs)}, for the layer's inputs."
        )
    left = weight.detach().to(torch.float32, copy=True)
    if not (bool(torch.isfinite(left).all()) and bool(torch.isfinite(moments).all())):
        raise InvalidOptionError("Weights and moments that are infinite or not a number cannot be fitted.")
    factor = _inverse_factor(moments)
    fitted = torch.empty_like(left)
    for first in range(0, inputs, group):
        end = min(first + group, inputs)
        own = factor[first:end, first:end]
        block = left[:, first:end].clone()
        errors = torch.empty_like(block)
        scales = best_scales(block, _few_digits, own.diagonal() ** -2)
        for column in range(end - first):
            rounded = to_grid(block[:, column : column + 1], scales)
            fitted[:, first + column : first + column + 1] = rounded
            errors[:, column : column + 1] = (block[:, column : column + 1] - rounded) / own[column, column]
            block[:, column + 1 :] -= errors[:, column : column + 1] * own[column, column + 1 :]
        left[:, end:] -= errors @ factor[first:end, end:]
    return fitted


def _inverse_factor(moments: Tensor) -> Tensor:
    """`(inputs, inputs)` fp32, upper triangular: the Cholesky factor of the damped moments' inverse.

    Row i, over its first element squared, is how columns after i make up for an error of column i.
    """
    wide = moments.double()
    mean = float(wide.diagonal().mean())
    wide = wide + torch.eye(len(wide), dtype=wide.dtype) * (_DAMPING * mean if mean > 0 else 1.0)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(wide))
    return torch.linalg.cholesky(inverse, upper=True).float()


def _few_digits(scales: Tensor) -> Tensor:
    mantissa, exponent = torch.frexp(scales)
    return torch.ldexp((mantissa * 2**_DIGITS).round_() / 2**_DIGITS, exponent)
