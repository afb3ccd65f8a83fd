"""How well and how fast lines are found on drawn pages, whose lines are known.

    python benchmarks/layout.py [--count 16] [--strength 0.5]

Pages of one to three columns and paragraphs of the text engine, in fonts and texts held out of training; clean, and
degraded as scans, photographs, copies, faxes and screens. Milliseconds are processor time of one thread. The last
line of the output is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from got_ocr2.evaluation.line_places import LinePlaces, line_places
from got_ocr2.layout import find_lines
from got_ocr2.machine import describe
from got_ocr2.synth.degradation.degrade import SCENES, Scene, degrade
from got_ocr2.synth.sample import Sample
from got_ocr2.synth.text.engine import Layout, TextEngine

SEED = 3
A4_AT_300 = (2480, 3508)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--count", type=int, default=16, help="clean pages of each layout; half of them a scene"
    )
    parser.add_argument("--strength", type=float, default=0.5, help="of degradation, 0 to 1")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    machine = describe()
    print(f"{machine['processor']}; OpenCV {cv2.__version__}, one thread")
    print(f"{'':20}{'lines':>7}{'recall':>9}{'precision':>11}{'order':>9}{'ms a page':>11}")
    results: dict[str, dict[str, float]] = {}
    layouts: tuple[Layout, ...] = ("page", "paragraph")
    for layout in layouts:
        samples = list(drawn(layout, arguments.count))
        worse = samples[: max(1, arguments.count // 2)]
        sets = {"clean": samples} | {
            scene: [degraded(page, i, scene, arguments.strength) for i, page in enumerate(worse)]
            for scene in SCENES
        }
        found = {name: measured(f"{layout}, {name}", pages) for name, pages in sets.items()}
        whole = sum((found[scene] for scene in SCENES), Figures())
        row(f"{layout}, all degraded", whole)
        results |= {f"{layout}, {name}": figures.table() for name, figures in found.items()}
        results[f"{layout}, all degraded"] = whole.table()
    results["A4 at 300 dpi"] = measured("A4 at 300 dpi", map(as_a4, drawn("page", 4))).table()
    print(json.dumps({"benchmark": "layout", "strength": arguments.strength, **machine, "results": results}))


class Figures:
    """What was found on some pages, and how long it took."""

    def __init__(self, places: LinePlaces = LinePlaces(), seconds: float = 0.0, pages: int = 0) -> None:  # noqa: B008
        self.places, self.seconds, self.pages = places, seconds, pages

    def __add__(self, other: Figures) -> Figures:
        return Figures(self.places + other.places, self.seconds + other.seconds, self.pages + other.pages)

    def table(self) -> dict[str, float]:
        places = self.places
        return {
            "pages": self.pages, "lines": places.true, "recall": round(places.recall, 4),
            "precision": round(places.precision, 4), "order": round(places.order, 4),
            "ms": round(1e3 * self.seconds / max(1, self.pages), 1),
        }  # fmt: skip


def drawn(layout: Layout, count: int) -> Iterator[Sample]:
    """Clean pictures of one layout."""
    engine = TextEngine(layouts={layout: 1.0}, canvas=(512, 1024), split="test")
    return (engine.sample(SEED, index) for index in range(count))


def degraded(sample: Sample, index: int, scene: Scene, strength: float) -> Sample:
    """The same picture as a scene shows it."""
    return degrade(sample, np.random.default_rng([SEED, index]), strength, scene)


def as_a4(sample: Sample) -> Sample:
    """The page with as many pixels as a scan of A4 at 300 dpi."""
    page = sample.image
    factor = (A4_AT_300[0] * A4_AT_300[1] / (page.width * page.height)) ** 0.5
    image = page.resize((round(page.width * factor), round(page.height * factor)), Image.Resampling.BICUBIC)
    regions = tuple(
        replace(region, box=tuple(value * factor for value in region.box)) for region in sample.regions
    )
    return replace(sample, images=(image,), regions=regions)


def measured(name: str, samples: Iterable[Sample]) -> Figures:
    """Finds the lines of all pictures, and prints a row of the table."""
    found = Figures()
    for sample in samples:
        start = time.process_time()
        layout = find_lines(sample.image)
        seconds = time.process_time() - start
        true = [region.box for region in sample.regions if region.kind == "line"]
        found += Figures(line_places([line.box for line in layout.lines], true), seconds, 1)
    row(name, found)
    return found


def row(name: str, figures: Figures) -> None:
    """Prints a row of the table."""
    t = figures.table()
    print(
        f"{name:24}{t['lines']:7}{t['recall']:9.4f}{t['precision']:11.4f}{t['order']:9.4f}{t['ms']:11.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
