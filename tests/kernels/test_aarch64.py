"""The linear kernels of aarch64 run by QEMU, against torch: plain C, dot product, and products of small matrices.

Needs a cross compiler and QEMU (Debian: `apt-get install gcc-aarch64-linux-gnu qemu-user`), on whatever processor.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
import torch
from test_linear import assert_close, expected, layer

from got_ocr2 import kernels
from got_ocr2.kernels.library import INSTRUCTION_SETS
from got_ocr2.kernels.linear import EPILOGUES, PackedLinear
from got_ocr2.kernels.quantize import FORMATS

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src" / "got_ocr2" / "kernels" / "csrc"
NEEDED = ("isa.c", "pool.c", "linear*.c")
CROSS, QEMU, HOST = "aarch64-linux-gnu-gcc", "qemu-aarch64", "gcc"
SETS = [("portable", 0), ("portable", 1), ("mmla", 1)]

pytestmark = [
    pytest.mark.skipif(
        not kernels.available(), reason=str(kernels.why_not())
    ),  # it packs the compact weights
    pytest.mark.skipif(not all(map(shutil.which, (CROSS, QEMU, HOST))), reason=f"needs {CROSS} and {QEMU}"),
]


def built(compiler: str, path: Path, *flags: str) -> Path:
    sources = [HERE / "linear_job.c", *(file for name in NEEDED for file in sorted(SOURCES.glob(name)))]
    flags = (
        "-std=gnu11",
        "-O1",
        "-fno-math-errno",
        "-pthread",
        "-Werror",
        f"-I{SOURCES}",
        f"-I{HERE}",
        *flags,
    )
    done = subprocess.run(
        [compiler, *flags, *map(str, sources), "-o", str(path), "-lm"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def aarch64(tmp_path_factory):
    """The command that runs jobs as an aarch64 processor with everything would."""
    program = built(CROSS, tmp_path_factory.mktemp("aarch64") / "linear_job", "-static", "-Wall")
    return [QEMU, "-cpu", "max", str(program)]


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    """The command that runs them here, with mmla_emulated.h."""
    return [str(built(HOST, tmp_path_factory.mktemp("host") / "linear_job", "-DGOT_EMULATED_UNITS"))]


def job(packed, x, residual) -> bytes:
    sizes = (packed.outputs, packed.inputs, packed.group, packed.weights.shape[0], x.shape[0])
    parts = [struct.pack("<7i", FORMATS.index(packed.format), EPILOGUES.index(packed.epilogue), *sizes)]
    for array in (packed.weights, packed.scales, packed.bias, *(packed.compact or (None,) * 3), x, residual):
        content = b"" if array is None else array.contiguous().flatten().view(torch.uint8).numpy().tobytes()
        parts += [struct.pack("<q", len(content)), content]
    return b"".join(parts)


def run(command, name, byte_dot, cases, folder, threads=2) -> list[torch.Tensor]:
    """The results of `cases`: packed layer, x, residual or None."""
    jobs, results = folder / "jobs", folder / "results"
    jobs.write_bytes(b"".join(job(*case) for case in cases))
    numbers = [str(INSTRUCTION_SETS.index(name)), str(byte_dot), str(threads)]
    subprocess.run([*command, *numbers, str(jobs), str(results)], check=True, timeout=300)
    flat = torch.frombuffer(bytearray(results.read_bytes()), dtype=torch.float32)
    counts = [x.shape[0] * packed.outputs for packed, x, _ in cases]
    return [y.view(-1, case[0].outputs) for y, case in zip(flat.split(counts), cases, strict=True)]


def odd_cases(format):
    """(packed, x, residual) and what is wanted, of shapes that fill no block."""
    random, cases, wanted = torch.Generator().manual_seed(3), [], []
    for outputs, inputs, rows, epilogue in [
        (1, 1, 1, "none"), (1, 5, 24, "gelu"), (33, 7, 25, "none"), (45, 70, 33, "silu_mul"), (100, 33, 40, "gelu"),
        (64, 255, 24, "none"), (32, 257, 31, "none"), (40, 1100, 205, "none"), (16, 64, 3, "silu_mul"),
    ]:  # fmt: skip
        packed, _, shift = layer(outputs, inputs, format, epilogue=epilogue, seed=inputs)
        x = torch.randn(rows, inputs, generator=random) / (inputs**0.5 if epilogue != "none" else 1)
        residual = torch.randn(rows, packed.outputs, generator=random) if rows % 2 else None
        cases.append((packed, x, residual))
        wanted.append(expected(packed, x, shift, residual))
    return cases, wanted


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("name", "byte_dot"), SETS)
def test_equals_torch(aarch64, tmp_path, format, name, byte_dot):
    cases, wanted = odd_cases(format)
    for y, want, (_, x, _) in zip(run(aarch64, name, byte_dot, cases, tmp_path), wanted, cases, strict=True):
        assert_close(y, want, x.shape[1])


def test_whole_numbers_are_the_same_in_every_set(aarch64, tmp_path):
    """int8 without anything after its sums: exact, so equal to the last bit, one row or many."""
    packed, _, _ = layer(75, 500, "int8", bias=False)
    x = torch.randn(60, 500, generator=torch.Generator().manual_seed(5))
    cases = [(packed, x, None), (packed, x[:1], None)]
    plain, *others = [run(aarch64, *chosen, cases, tmp_path) for chosen in SETS]
    assert torch.equal(plain[0][:1], plain[1])
    for many, one in others:
        assert torch.equal(many, plain[0])
        assert torch.equal(one, plain[1])


def test_three_terms(aarch64, tmp_path):
    """Products by a power of two are what came in, to the last bit; and another order of sums than few rows have."""
    half = PackedLinear.pack(torch.eye(64) * 0.5, None, "bf16")
    x = torch.randn(64, 64, generator=torch.Generator().manual_seed(5)) * torch.logspace(-20, 20, 64)[:, None]
    x[0, 0] = torch.finfo(torch.float32).max
    packed, _, _ = layer(75, 500, "bf16", bias=False)
    inputs = torch.randn(60, 500, generator=torch.Generator().manual_seed(6))
    halves, many, few = run(
        aarch64, "mmla", 1, [(half, x, None), (packed, inputs, None), (packed, inputs[:8], None)], tmp_path
    )
    assert torch.equal(halves, x * 0.5)
    assert not torch.equal(many[:8], few)
    assert_close(many[:8], few.double(), 500)


@pytest.mark.parametrize("scale", [1.0, 2.0**-60, 2.0**-120])
def test_the_emulation_is_right(aarch64, emulated, tmp_path, scale):
    """mmla_emulated.h and QEMU, to the last bit: rounding to odd, what is below the normal numbers as zero."""
    random = torch.Generator().manual_seed(8)
    packed, _, _ = layer(70, 700, "bf16", bias=False)
    x = torch.randn(50, 700, generator=random) * torch.exp(3 * torch.randn(50, 700, generator=random)) * scale
    here, there = (
        run(command, "mmla", 1, [(packed, x, None)], tmp_path)[0] for command in (emulated, aarch64)
    )
    assert torch.equal(here, there)
    assert float(here.abs().max()) > 0
