"""Weights in 8 and 4 bits: ranges, errors, odd shapes, what cannot be quantised."""

from __future__ import annotations

import pytest
import torch

from got_ocr2.errors import InvalidOptionError
from got_ocr2.kernels import packing
from got_ocr2.kernels.quantize import GROUPS, INT16_INPUT, quantize_input, quantize_weight


def relative_error(weight, quantized):
    return float((quantized.dequantized() - weight).norm() / weight.norm())


@pytest.mark.parametrize(("rows", "inputs"), [(1, 1), (7, 31), (40, 64), (3, 130)])
@pytest.mark.parametrize("group", GROUPS)
def test_int4_stays_in_range_and_close(rows, inputs, group):
    weight = torch.randn(rows, inputs, generator=torch.Generator().manual_seed(rows))
    quantized = quantize_weight(weight, "int4", group)
    assert quantized.values.shape == weight.shape
    assert quantized.values.dtype == torch.int8
    assert -8 <= int(quantized.values.min()) <= int(quantized.values.max()) <= 7
    assert quantized.scales.shape == (rows, -(-inputs // group))
    assert torch.equal(quantized.scales.bfloat16().float(), quantized.scales)
    assert relative_error(weight, quantized) < 0.12


def test_the_search_beats_the_plain_range():
    weight = torch.randn(64, 256, generator=torch.Generator().manual_seed(1))
    blocks = weight.view(64, -1, 32)
    extreme = blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True))
    scales = (extreme / -8).bfloat16().float()
    plain = ((blocks / scales).round().clamp(-8, 7) * scales).view(64, 256)
    found = relative_error(weight, quantize_weight(weight, "int4", 32))
    assert found < 0.97 * float((plain - weight).norm() / weight.norm())


def test_a_finer_group_is_closer():
    weight = torch.randn(64, 512, generator=torch.Generator().manual_seed(2))
    errors = [relative_error(weight, quantize_weight(weight, "int4", group)) for group in GROUPS]
    assert errors == sorted(errors)


def test_int8_is_half_a_step_off_at_most():
    weight = torch.randn(20, 300, generator=torch.Generator().manual_seed(3))
    quantized = quantize_weight(weight, "int8")
    assert int(quantized.values.abs().max()) == 127
    assert bool(((quantized.dequantized() - weight).abs() <= quantized.scales * 0.5001).all())


def test_int16_uses_what_32_bits_can_sum():
    weight = torch.randn(20, 300, generator=torch.Generator().manual_seed(3))
    weight[0, 1:] *= 1e-4
    quantized = quantize_weight(weight, "int16")
    sizes = quantized.values.to(torch.int64).abs()
    assert quantized.values.dtype == torch.int16
    assert int(sizes.max()) == int(sizes[0].max()) == 32767
    assert 0.99 * 2**31 < int(sizes.sum(1).max()) * INT16_INPUT < 2**31
    assert bool(((quantized.dequantized() - weight).abs() <= quantized.scales * 0.5001).all())
    values, scales = quantize_input(weight, "int16")
    assert int(values.abs().max()) == INT16_INPUT
    assert bool(((values * scales - weight).abs() <= scales * 0.5001).all())


@pytest.mark.parametrize("format", ["int16", "int8", "int4"])
def test_large_matrices_are_quantised_in_parts_alike(format, monkeypatch):
    from got_ocr2.kernels import quantize

    weight = torch.randn(50, 96)
    whole = quantize_weight(weight, format, 32)
    monkeypatch.setattr(quantize, "_CHUNK", 1)
    parts = quantize_weight(weight, format, 32)
    assert torch.equal(whole.values, parts.values)
    assert torch.equal(whole.scales, parts.scales)


@pytest.mark.parametrize("format", ["int8", "int4"])
def test_zeros_and_types(format):
    assert not quantize_weight(torch.zeros(3, 40), format).dequantized().any()
    half = torch.randn(5, 70).bfloat16()
    assert torch.equal(
        quantize_weight(half, format).values, quantize_weight(half.float().double(), format).values
    )


@pytest.mark.parametrize("format", ["int8", "int4"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_refused(format, bad):
    weight = torch.randn(4, 64)
    weight[2, 5] = bad
    with pytest.raises(InvalidOptionError, match="infinite or not a number"):
        quantize_weight(weight, format)


def test_unknown_groups_are_refused():
    with pytest.raises(InvalidOptionError, match="is 33; it must be one of 32, 64, 128"):
        quantize_weight(torch.zeros(2, 33), "int4", 33)


def test_inputs_have_a_scale_for_each_token():
    x = torch.tensor([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0], [254.0, 2.0, 3.0]])
    values, scales = quantize_input(x)
    assert values.tolist() == [[64, -127, 32], [0, 0, 0], [127, 1, 2]]
    assert scales.flatten().tolist() == pytest.approx([1 / 127, 0.0, 2.0])


def test_weaving_takes_sixteen_rows_of_each_in_turn():
    gate, up = torch.arange(20.0), torch.arange(20.0) + 100
    woven = packing.weave(gate, up)
    assert woven.shape == (64,)
    assert woven[:16].tolist() == gate[:16].tolist()
    assert woven[16:32].tolist() == up[:16].tolist()
    assert woven[32:36].tolist() == gate[16:].tolist()
    assert not woven[36:48].any()
