"""bf16 weights in 12 bits: the same numbers to the bit, whatever they are, and the same results."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr2 import kernels
from got_ocr2.errors import InvalidOptionError
from got_ocr2.kernels import compact, packing
from got_ocr2.kernels.library import INSTRUCTION_SETS
from got_ocr2.kernels.linear import PackedLinear

pytestmark = pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))
SETS = INSTRUCTION_SETS[: kernels.native().got_isa_best() + 1] if kernels.available() else ()


@pytest.fixture(params=SETS)
def isa(request):
    before = kernels.instruction_set()
    kernels.instruction_set(request.param)
    yield request.param
    kernels.instruction_set(before)


def any_bits(outputs, inputs, exponents, seed):
    """bf16 numbers of any sign and mantissa and so many exponents: zeros, denormals, infinities and NaN among them."""
    random = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(256, generator=random)[:exponents]
    # Few exponents are used much, the others seldom, as in weights.
    place = (torch.rand(outputs, inputs, generator=random) ** 3 * exponents).long()
    sign = torch.randint(0, 2, (outputs, inputs), generator=random)
    bits = sign << 15 | chosen[place] << 7 | torch.randint(0, 128, (outputs, inputs), generator=random)
    return bits.to(torch.int16).view(torch.bfloat16)


@settings(max_examples=40, deadline=None)
@given(
    outputs=st.integers(1, 100),
    inputs=st.integers(1, 90),
    exponents=st.integers(1, 256),
    seed=st.integers(0, 999),
)
def test_every_bit_comes_back(outputs, inputs, exponents, seed):
    weight = any_bits(outputs, inputs, exponents, seed)
    panels = packing.pack_bf16(weight)
    packed, found, escapes = compact.pack_plain(panels)
    assert torch.equal(
        compact.unpack_plain(packed, found, escapes).view(torch.int16), panels.view(torch.int16)
    )
    by_c = compact.survey(panels)
    out = torch.empty_like(packed)
    assert torch.equal(by_c.tables, found.tables)
    assert torch.equal(by_c.starts, found.starts)
    assert torch.equal(compact.fill(panels, by_c, out), escapes)
    assert torch.equal(out, packed)
    layer = PackedLinear.pack(weight, format="compact")
    back = layer.rows(torch.arange(outputs))
    same = (back == weight.float()) | (back.isnan() & weight.isnan())
    assert bool(same.all())


@pytest.mark.parametrize("exponents", [3, 14, 16, 60])
@pytest.mark.parametrize("rows", [1, 5, 7, 30])
def test_results_are_those_of_bf16_to_the_bit(isa, exponents, rows):
    """Few rows and many, several ranges of inputs, panels that end early, escapes anywhere."""
    random = torch.Generator().manual_seed(exponents)
    weight = (1 + 0.99 * torch.rand(75, 1200, generator=random)) * torch.randn(
        75, 1200, generator=random
    ).sign()
    weight = (weight * 2.0 ** -torch.randint(0, exponents, weight.shape, generator=random)).bfloat16()
    x = torch.randn(rows, 1200, generator=random)
    plain, packed = (PackedLinear.pack(weight, format=name) for name in ("bf16", "compact"))
    assert packed.compact is not None
    assert (len(packed.compact[2]) > 0) == (exponents > 15)
    assert torch.equal(packed(x), plain(x))


def test_weights_like_a_models_take_three_quarters_of_the_memory():
    weight = (torch.randn(4096, 512, generator=torch.Generator().manual_seed(0)) * 0.02).bfloat16()
    plain, packed = (PackedLinear.pack(weight, format=name).nbytes for name in ("bf16", "compact"))
    assert packed / plain == pytest.approx(0.75, abs=0.002)


def test_numbers_that_bf16_does_not_hold_are_refused():
    with pytest.raises(InvalidOptionError, match="not bf16 numbers"):
        PackedLinear.pack(torch.full((4, 8), 1 / 3), format="compact")
