"""From nothing to the first token, and the memory of a page: one process that opens the published size and reads.

    python benchmarks/opening.py

A process of its own imports the package, opens random weights of the published size (exact: bf16 on disk), answers a
prompt of 286 tokens without a picture, encodes a picture, and reads a whole page. Seconds are on the clock; the file
was just written, so it is in the system's cache. The last line of the output is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from got_ocr2.benchmarking.benchmark import prepared
from got_ocr2.machine import describe, settings

STAGES = ("imports", "opening", "first token of a prompt", "picture", "page")


def child(folder: str, variant_name: str, threads: int, tokens: int) -> dict[str, Any]:
    """Runs in the process that is measured: seconds of each stage, and the most memory after it."""
    found: dict[str, Any] = {}
    start = perf_counter()

    def done(stage: str) -> None:
        nonlocal start
        found[stage] = {"seconds": perf_counter() - start, "peak_bytes": peak_memory()}
        start = perf_counter()

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
    parser.add_argument("--threads", type=int, default=describe()["cores"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=600, help="of the page")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child is not None:
        print(json.dumps(child(given.child, given.variant, given.threads, given.tokens)))
        return 0
    with prepared(given.model) as (folder, _):
        command = [sys.executable, __file__, "--child", str(folder), "--variant", given.variant]
        command += ["--threads", str(given.threads), "--tokens", str(given.tokens)]
        runs = [
            json.loads(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
            )
            for _ in range(given.rounds)
        ]
    seconds = {stage: statistics.median(run[stage]["seconds"] for run in runs) for stage in STAGES}
    peaks = {stage: max(run[stage]["peak_bytes"] for run in runs) for stage in STAGES}
    machine = {**describe("cpu"), **settings()}
    print(f"{machine['processor']}, {machine['cores']} cores, {given.threads} threads; {given.variant}")
    for stage in STAGES:
        print(f"{stage:26}{seconds[stage]:>8.2f} s{peaks[stage] / 1e9:>8.2f} GB at most so far")
    print(f"{'opening to first token':26}{seconds['opening'] + seconds['first token of a prompt']:>8.2f} s")
    row = {"benchmark": "opening", "variant": given.variant, "machine": machine, "tokens": given.tokens}
    print(json.dumps({**row, "seconds": seconds, "peak_bytes": peaks}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
