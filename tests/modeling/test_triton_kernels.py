"""Triton's kernels without a GPU: interpreted on the CPU against plain torch, and compiled for GPUs that are not here.

Both in processes of their own: Triton reads TRITON_INTERPRET when it is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def why_not() -> str | None:
    """Why these tests cannot run here. The kernels themselves compile with Triton 3.2 too, that of torch 2.6."""
    try:
        version = metadata.version("triton")
    except metadata.PackageNotFoundError:
        return "needs Triton, which comes with CUDA builds of torch"
    old = tuple(map(int, version.split(".")[:2])) < (3, 4)
    return f"needs the compiler interface of Triton 3.4, found {version}" if old else None


pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


def run(*arguments: str | Path, **environment: str) -> str:
    """Runs Python; its output, which is shown if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parents[1],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_interpreted_kernels_equal_torch():
    options = ("-q", "-p", "no:cacheprovider")
    assert "passed" in run("-m", "pytest", HERE / "triton_interpreted.py", *options, TRITON_INTERPRET="1")


def test_kernels_compile_for_ampere_and_hopper(tmp_path):
    lines = run(
        "-W", "ignore", HERE / "triton_compiled.py", "80", "90",
        TRITON_CACHE_DIR=str(tmp_path), TRITON_INTERPRET="0",
    ).splitlines()  # fmt: skip
    assert len(lines) == 2 * 6
