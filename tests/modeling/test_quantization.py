"""Layers in 8 and 4 bits by torch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from got_ocr2 import kernels
from got_ocr2.errors import InvalidOptionError
from got_ocr2.modeling.quantization import QuantizedLinear, linear_twin, quantize_linears


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("format", "error"), [("int8", 0.02), ("int4", 0.15)])
def test_a_layer_is_close_to_the_one_it_was(format, error, bias):
    torch.manual_seed(0)
    linear = nn.Linear(70, 33, bias=bias)
    layer = QuantizedLinear(linear, format)
    x = torch.randn(2, 5, 70)
    with torch.no_grad():
        y, wanted = layer(x), linear(x)
    assert y.shape == wanted.shape
    assert float((y - wanted).norm() / wanted.norm()) < error
    assert layer(x.bfloat16()).dtype == torch.bfloat16
    assert f"format='{format}'" in repr(layer)


@pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))
@pytest.mark.parametrize("format", ["int8", "int4"])
def test_it_equals_the_native_layer(format):
    from got_ocr2.kernels.linear import PackedLinear

    torch.manual_seed(1)
    linear = nn.Linear(200, 50)
    packed = PackedLinear.pack(linear.weight, linear.bias, format)
    layer = QuantizedLinear(linear, format)
    assert torch.equal(layer.weight, packed.unpack())
    x = torch.randn(9, 200)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), packed(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("format", ["fp32", "bf16"])
def test_the_twin_of_exact_formats_is_the_plain_product(format):
    x, weight, bias = torch.randn(3, 8), torch.randn(4, 8), torch.randn(4)
    assert torch.equal(linear_twin(x, weight, bias, format), nn.functional.linear(x, weight, bias))


def test_every_linear_layer_of_a_module_is_replaced():
    model = nn.Sequential(nn.Linear(40, 8), nn.ReLU(), nn.ModuleDict({"last": nn.Linear(8, 4, bias=False)}))
    assert quantize_linears(model, "int8") == 2
    assert isinstance(model[0], QuantizedLinear)
    assert isinstance(model[2]["last"], QuantizedLinear)
    assert set(model.state_dict()) == {"0.values", "0.scales", "0.bias", "2.last.values", "2.last.scales"}
    assert quantize_linears(model, "int8") == 0


def test_unknown_formats_are_refused():
    with pytest.raises(InvalidOptionError, match="'int3'; it must be 'int8' or 'int4'"):
        quantize_linears(nn.Linear(2, 2), "int3")
