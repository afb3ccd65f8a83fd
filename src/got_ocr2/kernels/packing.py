"""Weights in the order in which the kernels read them: panels of 32 outputs, as csrc/linear.h describes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .quantize import QuantizedWeight

PANEL = 32


def pack_fp32(weight: Tensor) -> Tensor:
    """`(outputs, inputs)` -> `(panels, inputs, 32)` fp32."""
    return _panels(weight.float(), 1, 0).transpose(1, 2).contiguous()


def unpack_fp32(packed: Tensor, outputs: int, inputs: int) -> Tensor:
    return _matrix(packed.transpose(1, 2), outputs, inputs)


def pack_bf16(weight: Tensor) -> Tensor:
    """`(outputs, inputs)` -> `(panels, inputs / 2, 32, 2)` bf16."""
    return _interleave(_panels(weight.to(torch.bfloat16), 2, 0), 2)


def fills_panels(weight: Tensor) -> bool:
    """Whether panels of bf16 need no padding for `weight` `(outputs, inputs)`, whose pairs stand as whole words."""
    whole = weight.shape[0] % PANEL == 0 and weight.shape[1] % 2 == 0
    return (
        whole and weight.is_contiguous() and weight.storage_offset() % 2 == 0 and weight.data_ptr() % 4 == 0
    )


def fill_bf16(weight: Tensor, out: Tensor) -> Tensor:
    """What `pack_bf16` gives, written to `out` without a copy between; for a bf16 weight that `fills_panels`."""
    words = weight.view(torch.int32).view(-1, PANEL, weight.shape[1] // 2)
    out.view(torch.int32).view(len(words), -1, PANEL).copy_(words.transpose(1, 2))
    return out


def unpack_bf16(packed: Tensor, outputs: int, inputs: int) -> Tensor:
    return _matrix(packed.transpose(1, 2), outputs, inputs)


def pack_int8(weight: QuantizedWeight) -> tuple[Tensor, Tensor]:
    """-> `(panels, inputs / 4, 32, 4)` uint8 and `(panels * 32,)` fp32 scales."""
    bytes_ = _panels(_offset(weight.values, 128), 4, 128)
    return _interleave(bytes_, 4), _panels(weight.scales, 1, 0).flatten().contiguous()


def unpack_int8(packed: Tensor, scales: Tensor, outputs: int, inputs: int) -> QuantizedWeight:
    values = _matrix(packed.transpose(1, 2), outputs, inputs)
    return QuantizedWeight(
        (values.to(torch.int16) - 128).to(torch.int8), scales[:outputs, None].clone(), max(inputs, 1)
    )


def pack_int16(weight: QuantizedWeight) -> tuple[Tensor, Tensor]:
    """-> `(panels, inputs / 2, 32, 2)` int16 and `(panels * 32,)` fp32 scales."""
    scales = F.pad(weight.scales[:, 0], (0, -weight.scales.shape[0] % PANEL))
    return _interleave(_panels(weight.values, 2, 0), 2), scales


def unpack_int16(packed: Tensor, scales: Tensor, outputs: int, inputs: int) -> QuantizedWeight:
    values = _matrix(packed.transpose(1, 2), outputs, inputs)
    return QuantizedWeight(values, scales[:outputs, None], max(inputs, 1))


def pack_int4(weight: QuantizedWeight) -> tuple[Tensor, Tensor]:
    """-> `(panels, inputs / 8, 32, 4)` uint8 and `(panels, groups, 32)` bf16 scales."""
    nibbles = _panels(_offset(weight.values, 8), weight.group, 8)
    panels, _, inputs = nibbles.shape
    # of 8 values, 4 go into low halves, 4 into high ones: (panels, 32, inputs / 8, 2, 4)
    halves = nibbles.view(panels, PANEL, inputs // 8, 2, 4)
    packed = (halves[..., 0, :] | halves[..., 1, :] << 4).transpose(1, 2).contiguous()
    scales = _panels(weight.scales.to(torch.bfloat16), 1, 0).transpose(1, 2).contiguous()
    return packed, scales


def unpack_int4(packed: Tensor, scales: Tensor, group: int, outputs: int, inputs: int) -> QuantizedWeight:
    halves = torch.stack([packed & 15, packed >> 4], dim=-2)  # (panels, inputs / 8, 32, 2, 4)
    values = _matrix(halves.transpose(1, 2), outputs, inputs)
    return QuantizedWeight(
        (values.to(torch.int16) - 8).to(torch.int8),
        _matrix(scales.transpose(1, 2), outputs, scales.shape[1]).float(),
        group,
    )


def weave(gate: Tensor, up: Tensor) -> Tensor:
    """Rows of two matrices (or entries of two vectors) of equal size, 16 of each in turn, padded to whole panels."""
    half = PANEL // 2
    missing = -gate.shape[0] % half
    blocks = [
        torch.cat([part, part.new_zeros(missing, *part.shape[1:])]).view(-1, half, *part.shape[1:])
        for part in (gate, up)
    ]
    return torch.cat(blocks, dim=1).flatten(0, 1)  # (blocks, 32, ...) -> (blocks * 32, ...)


def _offset(values: Tensor, by: int) -> Tensor:
    return (values.to(torch.int16) + by).to(torch.uint8)


def _panels(matrix: Tensor, unit: int, fill: int) -> Tensor:
    """`(outputs, inputs)` -> `(panels, 32, inputs)`, inputs padded to whole units."""
    outputs, inputs = matrix.shape
    padded = F.pad(matrix, (0, -inputs % unit, 0, -outputs % PANEL), value=fill)
    return padded.view(-1, PANEL, padded.shape[1])


def _interleave(panels: Tensor, unit: int) -> Tensor:
    """`(panels, 32, inputs)` -> `(panels, inputs / unit, 32, unit)`; units of 4 bytes move as one word."""
    count, _, inputs = panels.shape
    words = panels.contiguous().view(torch.int32).transpose(1, 2).contiguous()  # (panels, inputs / unit, 32)
    return words.view(panels.dtype).view(count, inputs // unit, PANEL, unit)


def _matrix(panels: Tensor, outputs: int, inputs: int) -> Tensor:
    """`(panels, 32, ...)` -> `(outputs, inputs)`."""
    return panels.flatten(2).flatten(0, 1)[:outputs, :inputs].contiguous()
