"""Samples per second and core for every kind of training data, and for degradation.

    python benchmarks/synth.py [--count 20] [--kind text --kind page]

Time is the processor time of one thread, so a busy machine slows the run down without changing its result
much. The last line of the output is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from got_ocr2 import __version__
from got_ocr2.synth.degradation.degrade import SCENES, degrade
from got_ocr2.synth.fonts.catalog import families, fonts, pick_font
from got_ocr2.synth.registry import KINDS, create_engine
from got_ocr2.synth.sample import Region, Sample


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="samples of each kind")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this kind; repeatable")
    arguments = parser.parse_args()
    print(
        f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}; {families_at_hand()} font families"
    )
    print(f"{'':24}{'ms a sample':>12}{'a second':>10}{'pixels':>12}")
    results = {kind: engine_speed(kind, arguments.count) for kind in arguments.kind or KINDS}
    if arguments.kind is None:
        results |= {
            f"degrade {w} x {h}": degrade_speed((w, h), arguments.count)
            for w, h in ((512, 128), (1024, 1024))
        }
    print(json.dumps({"benchmark": "synth", "version": __version__, "processor": processor(), "ms": results}))


def engine_speed(kind: str, count: int) -> float:
    """Mean processor time of a sample in milliseconds, after one that pays for imports and caches."""
    engine = create_engine(kind)
    engine.sample(1, 0)
    pixels = 0

    def draw(index: int) -> None:
        nonlocal pixels
        pixels += sum(image.width * image.height for image in engine.sample(0, index).images)

    return report(kind, timed(draw, count), pixels // count)


def degrade_speed(size: tuple[int, int], count: int) -> float:
    """Mean over all scenes at full strength."""
    sample = page(size)

    def draw(index: int) -> None:
        degrade(sample, np.random.default_rng(index), 1.0, SCENES[index % len(SCENES)])

    draw(0)
    return report(f"degrade {size[0]} x {size[1]}", timed(draw, 5 * count), size[0] * size[1])


def timed(draw: Callable[[int], None], count: int) -> float:
    start = time.process_time()
    for index in range(count):
        draw(index)
    return 1000 * (time.process_time() - start) / count


def report(name: str, milliseconds: float, pixels: int) -> float:
    print(f"{name:24}{milliseconds:12.1f}{1000 / milliseconds:10.1f}{pixels:12}", flush=True)
    return round(milliseconds, 2)


def page(size: tuple[int, int]) -> Sample:
    """Lines of plain text from edge to edge."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    line = "The quick brown fox jumps over the lazy dog, 0123456789. " * 3
    font = pick_font(np.random.default_rng(0), line, fonts("serif", weights=(400, 400))).load(20)
    regions: list[Region] = []
    for y in range(10, size[1] - 30, 28):
        draw.text((10, y), line, fill="black", font=font)
        regions.append(Region("line", line, (10, y, size[0] - 10, y + 26)))
    return Sample("lines", (image,), "\n".join(region.text for region in regions), regions=tuple(regions))


def families_at_hand() -> int:
    return len(families((*fonts(), *fonts(split="test"))))


def processor() -> str:
    """The processor's name as Linux tells it, or the best that Python knows."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(": ")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
