"""The pieces of an A4 page of 50 lines through the image encoder: dealt out to threads whole, and each by all threads.

    python benchmarks/line_encoder.py [--threads 2] [--rounds 8]

Both ways take turns in one process. The features must be equal bit for bit. The last line of the output is JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
from collections.abc import Callable
from time import perf_counter

import torch
from page_timing import draw_page
from torch import Tensor

from got_ocr2 import OCR, kernels
from got_ocr2.layout import find_lines, line_pieces
from got_ocr2.machine import describe
from got_ocr2.modeling.backends.line_canvases import LineCanvases
from got_ocr2.modeling.backends.native.runner import NativeRunner

UNIT = 16  # pixels of an image token
WAYS = ("by all threads", "dealt out")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="of the kernels, >= 2")
    parser.add_argument(
        "--rounds", type=int, default=8, help="turns that count, >= 1, after one that does not"
    )
    parser.add_argument("--pieces", type=int, help="only so many of the page")
    options = parser.parse_args(arguments)
    if options.threads < 2 or options.rounds < 1:
        parser.error("--threads is at least 2, --rounds at least 1")
    before = kernels.threads()
    try:
        kernels.set_threads(options.threads)
        print(json.dumps(measured(options.rounds, options.pieces)))
    finally:
        kernels.set_threads(before)
    return 0


@torch.inference_mode()
def measured(rounds: int, most: int | None) -> dict[str, object]:
    """Prints the hardware and the medians; gives them back."""
    ocr = OCR.from_pretrained(device="cpu", kernels="native")
    canvases = ocr.engine.runner
    assert isinstance(canvases, LineCanvases)
    assert isinstance(canvases.runner, NativeRunner)
    runner = canvases.runner
    pictures = pictures_of_a_page(ocr)[:most]
    ways: dict[str, Callable[[], list[Tensor]]] = {
        WAYS[0]: lambda: [runner.encode_each([picture])[0] for picture in pictures],
        WAYS[1]: lambda: runner.encode_each(pictures),
    }
    machine = describe("cpu")
    print(
        f"{machine['processor']}, {machine['cores']} cores, {kernels.threads()} threads, {len(pictures)} pieces"
    )
    runs: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    features: list[list[Tensor]] = []
    for number in range(rounds + 1):
        for way, encode in ways.items():
            start, used = perf_counter(), processor_seconds()
            found = encode()
            seconds = perf_counter() - start, processor_seconds() - used
            if number:
                runs[way].append(seconds)
            else:
                features.append(found)
    equal = all(torch.equal(a, b) for a, b in zip(*features, strict=True))
    rows = {
        way: dict(zip(("wall", "processor"), map(statistics.median, zip(*done, strict=True)), strict=True))
        for way, done in runs.items()
    }
    for way, row in rows.items():
        print(f"{way:16}{row['wall']:8.3f} s{row['processor']:8.3f} s of processors")
    ratio = rows[WAYS[0]]["wall"] / rows[WAYS[1]]["wall"]
    print(f"dealt out: {ratio:.2f} times as fast; features equal: {equal}")
    return {
        "benchmark": "line_encoder", "machine": machine, "threads": kernels.threads(), "pieces": len(pictures),
        "seconds": rows, "ratio": ratio, "equal": equal,
    }  # fmt: skip


def pictures_of_a_page(ocr: OCR) -> list[Tensor]:
    """Each piece as far as there is print on its canvas: `(C, H, W)` fp32."""
    page = draw_page(0).convert("RGB")
    pieces = [piece.image for line in find_lines(page).lines for piece in line_pieces(page, line)]
    pixels = ocr.processor.image_processor(pieces)["pixel_values"]
    paper = torch.from_numpy(ocr.processor.image_processor.empty_canvas())
    ends = [int((one != paper).any(dim=(0, 1)).nonzero().max()) + 1 for one in pixels]
    return [
        one[..., : min(one.shape[-1], (-(-end // UNIT) + 1) * UNIT)]
        for one, end in zip(pixels, ends, strict=True)
    ]


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
