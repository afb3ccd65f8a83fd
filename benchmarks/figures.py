"""Time to write music, molecules, geometry and charts in every format.

    python benchmarks/figures.py [--samples 6] [--repeat 2]

Prints the machine, a table of milliseconds a sample of the frozen test sets (median over samples,
best of the repeats), and a JSON line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from got_ocr2.machine import describe
from got_ocr2.rendering import render
from got_ocr2.rendering.registry import WRITERS

SETS = Path(__file__).parents[1] / "testsets"


def milliseconds(kind: str, to: str, texts: list[str], repeat: int) -> float:
    render(texts[0], to, kind)  # what is imported at first use is imported
    times: list[float] = []
    for text in texts:
        best = float("inf")
        for _ in range(repeat):
            start = time.perf_counter()
            render(text, to, kind)
            best = min(best, time.perf_counter() - start)
        times.append(1000 * best)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=6)
    parser.add_argument("--repeat", type=int, default=2)
    asked = parser.parse_args()
    machine = describe()
    print(machine)
    found: dict[str, dict[str, float]] = {}
    for kind in ("music", "molecule", "geometry", "chart"):
        path = SETS / kind / "data.jsonl"
        texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
        found[kind] = {
            to: round(milliseconds(kind, to, texts[: asked.samples], asked.repeat), 1) for to in WRITERS[kind]
        }
        print(kind, "  ".join(f"{to} {value:.1f}" for to, value in found[kind].items()))
    print(json.dumps({"benchmark": "figures", "machine": machine, "milliseconds": found}))


if __name__ == "__main__":
    main()
