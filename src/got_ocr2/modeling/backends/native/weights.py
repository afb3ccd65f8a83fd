"""Taking a torch model's weights over into packed ones, so that both never stand in memory together."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ....kernels.linear import Epilogue, PackedLinear
from ....kernels.quantize import Format
from ....kernels.weight_memory import give_back_memory


class Taker:
    """Hands out the weights of a model's parts and, if it may, leaves empty shells behind.

    A shell is a parameter on the meta device: it keeps name and shape, takes no memory, and every use of it fails.
    """

    def __init__(self, consume: bool) -> None:
        self.consume = consume

    def tensor(self, part: nn.Module, name: str) -> Tensor:
        """The parameter as it is stored."""
        parameter = getattr(part, name)
        if self.consume:
            setattr(part, name, nn.Parameter(parameter.to("meta"), requires_grad=False))
        return parameter.detach()

    def finish_layer(self) -> None:
        """To be called now and then: freed weights lie between others, and would otherwise count to the end."""
        if self.consume:
            give_back_memory()

    def vector(self, part: nn.Module, name: str) -> Tensor:
        """The parameter as contiguous fp32, a tensor of its own."""
        return self.tensor(part, name).to(torch.float32, copy=True).contiguous()

    def linear(self, parts: Iterable[nn.Module], format: Format, epilogue: Epilogue = "none") -> PackedLinear:
        """Linear layers with the same input, one below the other, as one."""
        parts = list(parts)
        weight = _joined([self.tensor(part, "weight") for part in parts])
        biased = [part for part in parts if getattr(part, "bias", None) is not None]
        bias = _joined([self.tensor(part, "bias") for part in biased]) if biased else None
        return PackedLinear.pack(weight, bias, format, epilogue=epilogue)

    def gate_up(self, gate: nn.Module, up: nn.Module, format: Format) -> PackedLinear:
        """`silu(gate(x)) * up(x)` as one layer."""
        weights = self.tensor(gate, "weight"), self.tensor(up, "weight")
        return PackedLinear.pack(weights[0], up=weights[1], format=format, epilogue="silu_mul")

    def convolution(self, part: nn.Module, format: Format) -> PackedLinear:
        """A convolution as a linear layer over patches with channels last: `(out, rows * columns * in)`."""
        # (out, in, rows, columns) -> (out, rows * columns * in)
        weight = self.tensor(part, "weight").permute(0, 2, 3, 1).flatten(1)
        bias = self.tensor(part, "bias") if getattr(part, "bias", None) is not None else None
        return PackedLinear.pack(weight.contiguous(), bias, format)


def exact_in_bf16(model: nn.Module) -> bool:
    """Whether every weight is a bf16 number, so that storing two bytes of each loses nothing."""
    return all(
        parameter.dtype is torch.bfloat16 or torch.equal(parameter.bfloat16().to(parameter.dtype), parameter)
        for parameter in model.parameters()
    )


def _joined(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)
