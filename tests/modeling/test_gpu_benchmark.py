"""The one command for a lent GPU runs from end to end; here with a tiny model on the CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_benchmark_can_be_rehearsed(tmp_path):
    pytest.importorskip("transformers")
    out = tmp_path / "gpu.json"
    command = [sys.executable, ROOT / "benchmarks" / "gpu.py", "--rehearse", "--out", out]
    subprocess.run(command, check=True, capture_output=True, timeout=400)
    report = json.loads(out.read_text())
    assert report["rehearsal"]
    assert report["same_ids"]["float32"] == 1
    assert [row["rows"] for row in report["decoding"]] == [1, 3]
    assert all(row["pages_per_second"] > 0 for row in report["reading"])
