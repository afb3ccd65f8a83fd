"""AMX and aarch64's matrix products by emulation: many rows on units in plain C, against torch; and that the real ones
compile.

What is not shown here: that a processor does what its manual says, and how fast. `test_aarch64.py` goes further, where
QEMU is installed.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_linear import assert_close, assert_not_hidden, expected, layer

from got_ocr2 import kernels
from got_ocr2.errors import InvalidOptionError
from got_ocr2.kernels import library
from got_ocr2.kernels.linear import PackedLinear
from got_ocr2.kernels.quantize import FORMATS

UNITS = ("amx", "mmla")
COMPILER = shutil.which("gcc") or shutil.which("clang")
# An installed package has the library without its sources.
SOURCES = Path(__file__).parents[2] / "src" / "got_ocr2" / "kernels" / "csrc"
FLAGS = ("-std=gnu11", "-O1", "-fno-math-errno", "-fvisibility=hidden", "-pthread", "-fPIC")

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler")


def compiled(*arguments: str | Path) -> None:
    done = subprocess.run(
        [str(COMPILER), *FLAGS, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    """Where the library with emulated units is."""
    path = tmp_path_factory.mktemp("units") / "emulated.so"
    include = f"-I{Path(__file__).parent}"
    compiled("-shared", "-DGOT_EMULATED_UNITS", include, *sorted(SOURCES.glob("*.c")), "-o", path, "-lm")
    return path


def offered(unit: str) -> bool:
    """Whether this processor has the unit; leaves the instruction set as it was."""
    best = kernels.instruction_set()
    if kernels.native().got_isa_use(library.INSTRUCTION_SETS.index(unit)) != 0:
        return False
    kernels.instruction_set(best)
    return True


@pytest.fixture(params=[(unit, where) for unit in UNITS for where in ("emulated", "processor")], ids="-".join)
def unit(request, monkeypatch):
    """Its name; it is in use."""
    name, where = request.param
    monkeypatch.delenv("GOT_OCR2_NATIVE", raising=False)
    monkeypatch.delenv("GOT_OCR2_ISA", raising=False)
    if where == "emulated":
        path = request.getfixturevalue("emulated")
        monkeypatch.setattr(library, "library_path", lambda: path)
    elif not kernels.available() or not offered(name):
        pytest.skip("this processor has none")
    library._load.cache_clear()
    try:
        before = kernels.instruction_set()
        assert before not in UNITS  # never chosen by itself
        assert kernels.instruction_set(name) == name
        kernels.set_threads(2)
        yield name
        kernels.instruction_set(before)
    finally:
        monkeypatch.undo()
        library._load.cache_clear()


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    outputs=st.integers(1, 100), inputs=st.integers(1, 300), rows=st.integers(24, 100), seed=st.integers(0, 99),
    threads=st.integers(1, 3), bias=st.booleans(),
)  # fmt: skip
def test_equals_torch(unit, format, outputs, inputs, rows, seed, threads, bias):
    packed, _, shift = layer(outputs, inputs, format, bias=bias, seed=seed)
    kernels.set_threads(threads)
    x = torch.randn(rows, inputs, generator=torch.Generator().manual_seed(seed + 1))
    assert_close(packed(x), expected(packed, x, shift), inputs)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("epilogue", ["gelu", "silu_mul"])
@pytest.mark.parametrize(
    ("outputs", "inputs", "rows"), [(1, 5, 24), (16, 64, 32), (45, 70, 33), (100, 33, 210)]
)
def test_epilogues_and_residual(unit, format, epilogue, outputs, inputs, rows):
    packed, _, shift = layer(outputs, inputs, format, epilogue=epilogue)
    random = torch.Generator().manual_seed(7)
    x = torch.randn(rows, inputs, generator=random) / inputs**0.5
    residual = torch.randn(rows, outputs, generator=random)
    assert_close(packed(x, residual), expected(packed, x, shift, residual), inputs)


@pytest.mark.parametrize("format", ["bf16", "compact", "int8"])
def test_inputs_of_any_size_and_long_sums(unit, format):
    packed, _, shift = layer(40, 1100, format)
    x = torch.randn(30, 1100, generator=torch.Generator().manual_seed(3))
    assert_close(packed(x), expected(packed, x, shift), 1100)
    for scale in (2.0**-60, 2.0**60):
        assert_close(packed(x * scale) / scale, expected(packed, x * scale, shift) / scale, 1100)


def test_three_terms_are_exact(unit):
    """Products by a power of two are what came in, to the last bit."""
    packed = PackedLinear.pack(torch.eye(64) * 0.5, None, "bf16")
    x = torch.randn(64, 64, generator=torch.Generator().manual_seed(5)) * torch.logspace(-20, 20, 64)[:, None]
    x[0, 0] = torch.finfo(torch.float32).max  # rounded to bf16 it would be infinite
    assert torch.equal(packed(x), x * 0.5)


@pytest.mark.parametrize("format", ["fp32", "int8", "int4"])
def test_many_rows_equal_single_ones(unit, format):
    """To the last bit where units sum whole numbers, or are not used."""
    packed, _, _ = layer(75, 500, format)
    x = torch.randn(100, 500)
    assert torch.equal(packed(x), torch.cat([packed(row[None]) for row in x]))


@pytest.mark.parametrize("format", ["bf16", "compact"])
def test_units_are_used(unit, format):
    """bf16 of many rows is summed in another order than that of few; otherwise these tests would test nothing."""
    packed, _, _ = layer(75, 500, format)
    x = torch.randn(100, 500)
    many, few = packed(x), packed(x[:8])
    assert not torch.equal(many[:8], few)
    assert float((many[:8] - few).abs().max()) < 1e-4
    kernels.instruction_set(library.INSTRUCTION_SETS[kernels.native().got_isa_best()])
    assert torch.equal(packed(x)[:8], few)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_not_hidden(unit, format, bad):
    assert_not_hidden(format, bad, rows=30)


def test_extreme_bytes(unit):
    packed = PackedLinear.pack(torch.ones(32, 400), None, "int8")
    for sign in (1.0, -1.0):
        assert_close(packed(torch.full((40, 400), sign)), torch.full((40, 32), sign * 400.0), 1)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="AMX is of x86-64")
def test_amx_compiles(tmp_path):
    compiled("-S", SOURCES / "linear_amx.c", "-o", tmp_path / "amx.s")
    assembly = (tmp_path / "amx.s").read_text()
    for instruction in ("ldtilecfg", "tileloadd", "tdpbf16ps", "tdpbsud", "tilestored", "tilerelease"):
        assert f"\t{instruction}" in assembly


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))
def test_refused_where_the_processor_has_none(unit):
    if offered(unit):
        pytest.skip("this processor has it")
    before = kernels.instruction_set()
    with pytest.raises(InvalidOptionError, match=f"'{unit}' is not one of those of this machine"):
        kernels.instruction_set(unit)
    assert kernels.instruction_set() == before
