"""Packed linear layers against plain torch, for every format and every instruction set of this machine."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from got_ocr2 import kernels
from got_ocr2.errors import InvalidOptionError
from got_ocr2.kernels import packing
from got_ocr2.kernels.library import INSTRUCTION_SETS
from got_ocr2.kernels.linear import PackedLinear
from got_ocr2.kernels.quantize import FORMATS
from got_ocr2.modeling.quantization import linear_twin

pytestmark = pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))


def variants():
    """Names of the instruction sets of this machine, without and with the byte products that may add to them."""
    if not kernels.available():
        return []
    best, lib, found = kernels.instruction_set(), kernels.native(), []
    for name in INSTRUCTION_SETS[: lib.got_isa_best() + 1]:
        kernels.instruction_set(name)
        found += [(name, 0), (name, 1)] if lib.got_isa_byte_dot() else [(name, 0)]
    kernels.instruction_set(best)
    return found


@pytest.fixture(params=variants(), ids=str)
def isa(request):
    best, lib = kernels.instruction_set(), kernels.native()
    name, byte_dot = request.param
    kernels.instruction_set(name)
    lib.got_isa_allow_byte_dot(byte_dot)
    yield name
    lib.got_isa_allow_byte_dot(1)
    kernels.instruction_set(best)


@pytest.fixture(autouse=True)
def _restore_threads():
    before = kernels.threads()
    yield
    kernels.set_threads(before)


def layer(outputs, inputs, format, *, bias=True, epilogue="none", group=32, seed=0, **options):
    """A packed layer of random weights that bf16 holds, and its bias."""
    random = torch.Generator().manual_seed(seed)
    weight = torch.randn(outputs, inputs, generator=random).bfloat16().float()
    up = torch.randn(outputs, inputs, generator=random).bfloat16().float() if epilogue == "silu_mul" else None
    shift = torch.randn(outputs, generator=random) if bias and up is None else None
    packed = PackedLinear.pack(weight, shift, format, up=up, epilogue=epilogue, group=group, **options)
    return packed, weight if up is None else torch.cat([weight, up]), shift


def expected(packed, x, bias, residual=None):
    """The same in fp64 from the unpacked weights and the quantised inputs."""
    y = linear_twin(x.double(), packed.unpack().double(), None, packed.format)
    if packed.epilogue == "silu_mul":
        gate, up = y.chunk(2, -1)
        y = F.silu(gate) * up
    elif bias is not None:
        y = y + bias.double()
    if packed.epilogue == "gelu":
        y = F.gelu(y)
    return y if residual is None else y + residual.double()


def assert_close(y, wanted, inputs):
    """Within the rounding of fp32 sums of `inputs` products of size 1, or of the largest result."""
    scale = max(float(wanted.abs().max()), inputs**0.5)
    assert float((y - wanted).abs().max()) <= scale * 1e-6 * max(1.0, inputs**0.5 / 8)


def assert_not_hidden(format, bad, rows):
    """A value that is not finite spoils its own row, of `rows`, and no other."""
    packed, _, _ = layer(40, 50, format)
    x = torch.randn(rows, 50)
    x[1, 49] = bad
    y = packed(x)
    assert not torch.isfinite(y[1]).any()
    assert torch.isfinite(torch.cat([y[:1], y[2:]])).all()


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    outputs=st.integers(1, 100), inputs=st.integers(1, 300), rows=st.integers(1, 40), seed=st.integers(0, 99),
    threads=st.integers(1, 4), bias=st.booleans(), group=st.sampled_from([32, 64, 128]),
)  # fmt: skip
def test_equals_torch(isa, format, outputs, inputs, rows, seed, threads, bias, group):
    packed, _, shift = layer(outputs, inputs, format, bias=bias, group=group, seed=seed)
    kernels.set_threads(threads)
    x = torch.randn(rows, inputs, generator=torch.Generator().manual_seed(seed + 1))
    y = packed(x)
    assert y.shape == (rows, outputs)
    assert_close(y, expected(packed, x, shift), inputs)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("epilogue", ["gelu", "silu_mul"])
@pytest.mark.parametrize(("outputs", "inputs", "rows"), [(1, 5, 1), (16, 64, 3), (45, 70, 13), (100, 33, 40)])
def test_epilogues_and_residual(isa, format, epilogue, outputs, inputs, rows):
    packed, _, shift = layer(outputs, inputs, format, epilogue=epilogue)
    random = torch.Generator().manual_seed(7)
    x = torch.randn(rows, inputs, generator=random) / inputs**0.5
    residual = torch.randn(rows, outputs, generator=random)
    assert_close(packed(x), expected(packed, x, shift), inputs)
    wanted = expected(packed, x, shift, residual)
    assert_close(packed(x, residual), wanted, inputs)
    assert packed(x, residual, out=residual) is residual
    assert_close(residual, wanted, inputs)


@pytest.mark.parametrize("format", FORMATS)
def test_many_rows_and_long_inputs(isa, format):
    """Several packed blocks of rows, several ranges of steps, rows divided among threads."""
    packed, _, shift = layer(70, 2500, format)
    kernels.set_threads(3)
    x = torch.randn(420, 2500)
    assert_close(packed(x), expected(packed, x, shift), 2500)


@pytest.mark.parametrize("format", FORMATS)
def test_a_row_depends_neither_on_the_others_nor_on_threads(isa, format):
    packed, _, _ = layer(75, 700, format)
    x = torch.randn(300, 700)
    kernels.set_threads(1)
    alone = torch.cat([packed(row[None]) for row in x])
    for threads in (1, 3, 4):
        kernels.set_threads(threads)
        for rows in (2, 7, 13, 300):
            assert torch.equal(packed(x[:rows]), alone[:rows])


def test_panels_filled_in_place_are_those_packed_by_way_of_copies():
    weight = torch.randn(96, 70).bfloat16()
    packed = PackedLinear.pack(weight, format="bf16").weights
    assert torch.equal(packed.view(torch.int16), packing.pack_bf16(weight).view(torch.int16))
    for other in (weight[:, :69], weight[:95], weight[:, 1:69], torch.randn(70, 96).bfloat16().T):
        assert not packing.fills_panels(other)
        assert torch.equal(PackedLinear.pack(other, format="bf16").unpack(), other.float())


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("outputs", "inputs"), [(1, 1), (33, 7), (64, 128), (47, 250)])
def test_unpacks_to_what_was_packed(format, outputs, inputs):
    packed, weight, _ = layer(outputs, inputs, format)
    back = packed.unpack()
    assert back.shape == weight.shape
    if format in ("fp32", "bf16", "compact"):
        assert torch.equal(back, weight)
    else:
        widest = min(2 * 32767, 2 * 2**31 / 4095 / inputs)  # sums of products of 4095 stay within 32 bits
        steps = {"int16": widest, "int8": 127 * 2, "int4": 7.5}[format]
        assert float((back - weight).abs().max()) <= float(weight.abs().max()) / steps * 1.05
    ids = torch.tensor([outputs - 1, 0, outputs // 2])
    assert torch.equal(packed.rows(ids), back[ids])


def test_gate_and_up_unpack_one_below_the_other():
    packed, weight, _ = layer(21, 6, "bf16", epilogue="silu_mul")
    assert torch.equal(packed.unpack(), weight)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_not_hidden(isa, format, bad):
    assert_not_hidden(format, bad, rows=3)


@pytest.mark.parametrize("format", FORMATS)
def test_zeros(isa, format):
    packed, _, shift = layer(40, 50, format)
    assert torch.equal(packed(torch.zeros(2, 50)), shift.expand(2, 40))
    empty = PackedLinear.pack(torch.zeros(5, 9), None, format)
    assert torch.equal(empty(torch.randn(2, 9)), torch.zeros(2, 5))


def test_extreme_bytes_do_not_saturate(isa):
    """All weights and inputs at the ends of their ranges: where 16-bit sums of byte products would overflow."""
    packed = PackedLinear.pack(torch.ones(32, 400), None, "int8")
    assert_close(packed(torch.ones(5, 400)), torch.full((5, 32), 400.0), 1)
    assert_close(packed(-torch.ones(5, 400)), torch.full((5, 32), -400.0), 1)


@pytest.mark.parametrize("inputs", [1, 7, 512, 5000])
@pytest.mark.parametrize("rows", [5, 40])
def test_the_largest_sums_of_16_bits_fit_their_32(isa, inputs, rows):
    """All inputs at the end of their range, all weights too, or as uneven as can be."""
    weight = torch.ones(33, inputs)
    weight[1] = -1
    weight[2, 1:] = 1e-3
    packed = PackedLinear.pack(weight, None, "int16")
    kept = packed.unpack().double()
    assert float((kept - weight).abs().max()) <= 0.51 * max(1 / 32767, inputs * 4095 / 2**31 * 1.01)
    wanted = kept.sum(1).expand(rows, 33)
    for sign in (1, -1):
        y = packed(torch.full((rows, inputs), float(sign)))
        assert float((y - sign * wanted).abs().max()) <= inputs * 1e-6


def test_16_bits_are_a_tenth_as_far_off_as_8(isa):
    weight, x = torch.randn(128, 512), torch.randn(60, 512)
    exact = x @ weight.T
    wide, narrow = (float((PackedLinear.pack(weight, None, f)(x) - exact).norm()) for f in ("int16", "int8"))
    assert wide < narrow / 10
    assert wide < 1e-3 * float(exact.norm())


def test_shapes_of_any_rank_and_strides():
    packed, _, shift = layer(20, 10, "fp32")
    x = torch.randn(10, 4, 3).permute(1, 2, 0)
    assert_close(packed(x), expected(packed, x, shift), 10)
    assert packed(torch.randn(0, 10)).shape == (0, 20)
    assert packed(torch.randn(10)).shape == (20,)


def test_bytes_of_memory():
    sizes = {f: layer(64, 256, f, bias=False)[0].nbytes for f in FORMATS}
    assert sizes["fp32"] == 64 * 256 * 4
    assert sizes["bf16"] == 64 * 256 * 2
    assert 64 * 256 * 1.5 <= sizes["compact"] <= 64 * 256 * 1.5 + 200
    assert sizes["int16"] == 64 * 256 * 2 + 64 * 4
    assert sizes["int8"] == 64 * 256 + 64 * 4
    assert sizes["int4"] == 64 * 256 // 2 + 64 * 256 // 32 * 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "int2"}, "format is 'int2'"),
        ({"epilogue": "relu"}, "epilogue is 'relu'"),
        ({"format": "int4", "group": 48}, "group size of int4 weights is 48"),
        ({"bias": torch.zeros(3)}, r"bias is \(3,\); it must be \(4,\)"),
        ({"up": torch.zeros(4, 8)}, "second matrix"),
        ({"epilogue": "silu_mul", "up": torch.zeros(4, 7)}, "same shape"),
        ({"weight": torch.zeros(0, 8)}, r"weight is \(0, 8\)"),
        ({"weight": torch.full((4, 8), 1 / 3)}, "not bf16 numbers"),
        ({"weight": torch.full((4, 8), torch.nan), "format": "int8"}, "not a number"),
    ],
)
def test_refused_weights(change, message):
    arguments = {"weight": torch.zeros(4, 8), **change}
    with pytest.raises(InvalidOptionError, match=message):
        PackedLinear.pack(arguments.pop("weight"), **arguments)


def test_refused_inputs():
    packed, _, _ = layer(20, 10, "fp32")
    with pytest.raises(InvalidOptionError, match=r"input is \(2, 9\)"):
        packed(torch.zeros(2, 9))
    with pytest.raises(InvalidOptionError, match="float64"):
        packed(torch.zeros(2, 10, dtype=torch.float64))
    with pytest.raises(InvalidOptionError, match=r"`residual` is \(2, 10\)"):
        packed(torch.zeros(2, 10), torch.zeros(2, 10))
    with pytest.raises(InvalidOptionError, match="contiguous"):
        packed(torch.zeros(2, 10), out=torch.zeros(20, 2).T)
    with pytest.raises(InvalidOptionError, match=r"outside 0\.\.19"):
        packed.rows(torch.tensor([20]))
