"""The native linear layers beside torch's: bytes a second for few rows, arithmetic a second for many.

    python benchmarks/kernels.py [--threads 1,2] [--seconds 0.4]

Few rows are what a decoding step brings: every weight is read from memory once, so the measure is bytes a
second; beside it stands what plain sums over an array reach with as many threads, which a kernel that fetches
ahead can exceed. Many rows are a prompt (300) and a picture (4096): the measure is arithmetic, two operations
for each weight and row. Weights and inputs are random numbers at the sizes of the published model. The
candidates of one line take turns; the best time of each counts. What is printed ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from got_ocr2 import kernels
from got_ocr2.benchmarking.roofline import read_bandwidth
from got_ocr2.kernels.linear import PackedLinear
from got_ocr2.kernels.quantize import FORMATS
from got_ocr2.machine import describe

HEAD = (65_536, 1024)  # outputs, inputs: nearly half of the head, and in every format far more than a cache
FEW = (1, 2, 4, 8, 16)
MANY = {"prompt, gate and up": (300, 5632, 1024), "prompt, down": (300, 1024, 2816),
        "vision, first": (4096, 3072, 768), "vision, second": (4096, 768, 3072)}  # fmt: skip


def best_times(candidates: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The shortest time of each, all taking turns until each has had its `seconds`, and five turns at least."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for run in candidates.values():
        run()
    while any(len(t) < 5 or sum(t) < seconds for t in times.values()):
        for name, run in candidates.items():
            start = perf_counter()
            run()
            times[name].append(perf_counter() - start)
    return {name: min(t) for name, t in times.items()}


def candidates(x: Tensor, weight: Tensor, packed: dict[str, PackedLinear]) -> dict[str, Callable[[], Any]]:
    """The layer by torch in two types and by the kernels in all formats, on the same inputs."""
    wide, x16 = weight.float(), x.bfloat16()
    out = torch.empty(len(x), len(weight))
    found: dict[str, Callable[[], Any]] = {
        "torch fp32": lambda: F.linear(x, wide),
        "torch bf16": lambda: F.linear(x16, weight),
    }
    for name, layer in packed.items():
        found[name] = lambda layer=layer: layer(x, out=out)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--threads", default=str(torch.get_num_threads()), help="numbers, with commas")
    arguments.add_argument("--seconds", type=float, default=0.4, help="for each measurement, at least")
    options = arguments.parse_args()
    machine = describe() | {"instructions": kernels.instruction_set()}
    print(f"{machine['processor']}, {machine['cores']} cores, {machine['instructions']}")
    torch.manual_seed(0)
    rows: list[dict[str, Any]] = []

    def report(
        what: str, threads: int, count: int, sizes: dict[str, int], times: dict[str, float], operations: int
    ) -> None:
        for name, time in times.items():
            rate = {"GB/s": round(sizes[name] / time / 1e9, 1), "GFLOP/s": round(operations / time / 1e9)}
            rows.append({"what": what, "threads": threads, "rows": count, "weights": name,
                         "ms": round(time * 1e3, 3), **rate})  # fmt: skip
            print(f"{what:20} {threads:2} threads {count:5} rows  {name:10} {time * 1e3:9.3f} ms "
                  f"{rate['GB/s']:7} GB/s {rate['GFLOP/s']:6} GFLOP/s", flush=True)  # fmt: skip

    layers = {"head": HEAD} | {name: size[1:] for name, size in MANY.items()}
    bandwidths: dict[int, float] = {}
    for what, (outputs, inputs) in layers.items():
        weight = (torch.randn(outputs, inputs) * 0.02).bfloat16()
        packed = {format: PackedLinear.pack(weight, None, format) for format in FORMATS}
        sizes = {"torch fp32": 4 * weight.numel(), "torch bf16": 2 * weight.numel()}
        sizes |= {format: layer.nbytes for format, layer in packed.items()}
        for threads in map(int, options.threads.split(",")):
            torch.set_num_threads(threads)
            kernels.set_threads(threads)
            if what == "head":
                bandwidths[threads] = read_bandwidth("cpu")
                print(f"read bandwidth, {threads} threads: {bandwidths[threads] / 1e9:.1f} GB/s")
            for count in FEW if what == "head" else (MANY[what][0],):
                times = best_times(candidates(torch.randn(count, inputs), weight, packed), options.seconds)
                report(what, threads, count, sizes, times, 2 * count * weight.numel())
    print(json.dumps({"machine": machine, "read_GB/s": {t: round(b / 1e9, 1) for t, b in bandwidths.items()},
                      "results": rows}))  # fmt: skip


if __name__ == "__main__":
    with torch.inference_mode():
        main()
