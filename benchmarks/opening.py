"""From nothing to the first token, and the memory of a page: one process that opens the published size and reads.

    python benchmarks/opening.py

A process of its own imports the package, opens random weights of the published size (exact: bf16 on disk), answers a
prompt of 286 tokens without a picture, encodes a picture, and reads a whole page. Seconds are on the clock and of all
cores together, which says more beside other work; the file was just written, so it is in the system's cache. The last
line of the output is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

STAGES = ("imports", "opening", "first token of a prompt", "picture", "page")


def child(folder: str, variant_name: str, threads: int, tokens: int) -> dict[str, Any]:
    """Runs in the process that is measured, which has imported nothing yet: seconds of each stage, and the most memory
    after it."""
    found: dict[str, Any] = {}
    start = perf_counter(), process_time()

    def done(stage: str) -> None:
        nonlocal start
        wall, processor = perf_counter() - start[0], process_time() - start[1]
        found[stage] = {"seconds": wall, "processor_seconds": processor, "peak_bytes": peak_memory()}
        start = perf_counter(), process_time()

    import torch

    from got_ocr2.benchmarking.subjects import Ours, variant
    from got_ocr2.benchmarking.workload import AFTER_IMAGE, BEFORE_IMAGE, page_prompt, pictures, text_prompt
    from got_ocr2.machine import peak_memory

    torch.set_num_threads(threads)
    done(STAGES[0])
    subject = Ours(Path(folder), variant(variant_name, "cpu"), "cpu", threads)
    done(STAGES[1])
    prompt = BEFORE_IMAGE + subject.config.vision_config.num_image_tokens + AFTER_IMAGE
    subject.write(text_prompt(subject.config, 1, prompt), None, 1)
    done(STAGES[2])
    pixels = pictures(subject.config, 1)
    subject.encode(pixels)
    done(STAGES[3])
    subject.write(page_prompt(subject.config, 1), pixels, tokens)
    done(STAGES[4])
    return found


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", help="a checkpoint instead of random weights of the published size")
    parser.add_argument("--variant", default="exact", choices=("exact", "int8", "int4"))
    parser.add_argument("--threads", type=int, help="of torch and the kernels; one a core by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=600, help="of the page")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child is not None:
        print(json.dumps(child(given.child, given.variant, given.threads, given.tokens)))
        return 0
    from got_ocr2.benchmarking.benchmark import prepared
    from got_ocr2.machine import describe, settings

    threads = given.threads or describe()["cores"]
    with prepared(given.model) as (folder, _):
        command = [sys.executable, __file__, "--child", str(folder), "--variant", given.variant]
        command += ["--threads", str(threads), "--tokens", str(given.tokens)]
        runs = [
            json.loads(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
            )
            for _ in range(given.rounds)
        ]
    seconds, processor = (
        {stage: statistics.median(run[stage][kind] for run in runs) for stage in STAGES}
        for kind in ("seconds", "processor_seconds")
    )
    peaks = {stage: max(run[stage]["peak_bytes"] for run in runs) for stage in STAGES}
    machine = {**describe("cpu"), **settings()}
    print(f"{machine['processor']}, {machine['cores']} cores, {threads} threads; {given.variant}")
    for stage in STAGES:
        print(
            f"{stage:26}{seconds[stage]:>8.2f} s{processor[stage]:>8.2f} s of processors"
            f"{peaks[stage] / 1e9:>8.2f} GB at most so far"
        )
    first = [sum(one[stage] for stage in STAGES[1:3]) for one in (seconds, processor)]
    print(f"{'opening to first token':26}{first[0]:>8.2f} s{first[1]:>8.2f} s of processors")
    row = {"benchmark": "opening", "variant": given.variant, "machine": machine, "tokens": given.tokens}
    print(json.dumps({**row, "seconds": seconds, "processor_seconds": processor, "peak_bytes": peaks}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
