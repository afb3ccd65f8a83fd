"""Memory of pictures goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")

# Sixteen blocks of 20 MB between small ones that stay, freed in a process that has freed such a block before: what it
# holds then, and what it does once it gave it back, in MB.
HELD = """
import sys, numpy
from got_ocr2.server.memory import FreedMemory
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) // 1024
del_me = numpy.ones(25_000_000, numpy.uint8)
del del_me
before, small, large = resident(), [], []
for _ in range(16):
    large.append(numpy.ones(20_000_000, numpy.uint8))
    small.append(bytearray(100_000))
large.clear()
kept, freed = resident() - before, FreedMemory()
print(kept, freed.give_back(), freed.give_back(), resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is what it is about")
def test_freed_arrays_go_back_to_the_system():
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    kept, first, second, left = done.stdout.split()
    if first == "False":
        pytest.skip("the system's C library is not glibc")
    assert second == "False", "once a second is enough"
    assert int(kept) > 200, "glibc does so by itself now; server/memory.py may go"
    assert int(left) < 20
