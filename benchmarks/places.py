"""How long results with places take to become files: pages of made-up text, and a scan for the PDF.

    python benchmarks/places.py [--words 400] [--pages 20]

Prints the machine and processor time a format, and ends with a JSON line.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import time

import numpy as np
from PIL import Image

from got_ocr2.machine import describe
from got_ocr2.rendering.places import write
from got_ocr2.results import PageResult, TextPart

WIDTH, HEIGHT = 1654, 2339  # A4 at 200 dpi


def page(number: int, count: int) -> PageResult:
    """A page of `count` words in lines of ten."""
    draw = random.Random(number)
    text, lines, words = "", [], []
    for row in range((count + 9) // 10):
        top, start = 60 + row * 2200 / ((count + 9) // 10), len(text)
        for column in range(min(10, count - 10 * row)):
            word = "".join(draw.choices("abcdefghijklmnopqrstuvwxyzäöü", k=draw.randint(2, 11)))
            left = 80 + 150 * column
            words.append(
                TextPart(
                    word, len(text), len(text) + len(word), 0.9, (left, top, left + 130, top + 34), 0.0, 0
                )
            )
            text += word + " "
        text = text[:-1]
        lines.append(TextPart(text[start:], start, len(text), 0.9, (80, top, 1560, top + 34), 0.0, 0))
        text += "\n"
    return PageResult(
        text[:-1], "complete", "stop", page_numbers=(number,), width=WIDTH, height=HEIGHT,
        lines=tuple(lines), words=tuple(words),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=int, default=400)
    parser.add_argument("--pages", type=int, default=20)
    chosen = parser.parse_args()
    pages = [page(number + 1, chosen.words) for number in range(chosen.pages)]
    rng = np.random.default_rng(1)
    stream = io.BytesIO()
    scans = [
        Image.fromarray(rng.integers(0, 255, (293, 207), np.uint8)).resize((WIDTH, HEIGHT)) for _ in pages
    ]
    scans[0].save(stream, "PDF", resolution=200, save_all=True, append_images=scans[1:])
    machine = describe()
    print(machine)
    figures = {}
    for to in ("hocr", "alto", "tsv", "searchable-pdf"):
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            made = write(pages, to, source=stream.getvalue())
            best = min(best, time.process_time() - start)
        figures[to] = round(1000 * best / len(pages), 2)
        print(f"{to:16} {figures[to]:8.2f} ms a page {len(made.data) / len(pages) / 1024:8.1f} KiB a page")
    print(
        json.dumps({"machine": machine, "words": chosen.words, "pages": chosen.pages, "ms_a_page": figures})
    )


if __name__ == "__main__":
    main()
