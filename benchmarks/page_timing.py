"""Whole pages against the clock: an A4 page of 50 lines, alone and many at once, beside Tesseract in its fastest way.

Tesseract runs with its default model and one thread a process; of many pages, as many processes as there are threads.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from got_ocr2 import OCR
from got_ocr2.errors import InputError

A4 = (1654, 2339)  # pixels, at 200 dpi
LINES = 50
_FONT = Path(__file__).resolve().parent.parent / "src/got_ocr2/synth/assets/fonts/lora/Lora[wght].ttf"
_TEXT = (
    "the harbour master writes down which ships have come what they carry and who they belong to his book is older "
    "than the town itself nobody has read it to the end since a clerk looked for his sloop and found a drawing of "
    "the lighthouse as it was once"
)


@dataclass(frozen=True)
class Timing:
    """Seconds a page.

    Attributes:
        reader: whose.
        pages: read in one go.
        wall: median over the rounds.
        processor: of all cores together; beside other work the fairer figure.
    """

    reader: str
    pages: int
    wall: float
    processor: float


def time_pages(ocr: OCR, tesseract: str | None, threads: int, many: int, rounds: int) -> list[dict[str, Any]]:
    """Reads one page, then `many` at once, in turns.

    Args:
        ocr: the model.
        tesseract: its program; None leaves it out.
        threads: processes of Tesseract for many pages.
        many: pages at once, >= 1.
        rounds: how often each is measured, after one that does not count.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.png" for number in range(many)]
        for number, file in enumerate(files):
            draw_page(number).save(file)
        readers: dict[str, Callable[[Sequence[Path]], object]] = {
            "got-ocr2": lambda given: list(ocr.read_many(given, batch_size=len(given)))
        }
        if tesseract is not None:
            readers["Tesseract, OMP_THREAD_LIMIT=1"] = lambda given: _tesseract(tesseract, given, threads)
        found: list[Timing] = []
        for count in dict.fromkeys((1, many)):
            runs: dict[str, list[tuple[float, float]]] = {name: [] for name in readers}
            for number in range(rounds + 1):
                for name, read in readers.items():
                    seconds = _timed(lambda read=read, count=count: read(files[:count]))
                    if number:
                        runs[name].append(seconds)
            for name, measured in runs.items():
                wall, processor = (statistics.median(part) / count for part in zip(*measured, strict=True))
                found.append(Timing(name, count, wall, processor))
    return [asdict(one) for one in found]


def timing_table(found: Sequence[dict[str, Any]]) -> str:
    """As Markdown."""
    lines = [f"**An A4 page of {LINES} lines at 200 dpi**", "", "| | pages | s/page | processor s/page |"]
    lines.append("|---|---|---|---|")
    for row in found:
        lines.append(f"| {row['reader']} | {row['pages']} | {row['wall']:.2f} | {row['processor']:.2f} |")
    return "\n".join(lines)


def draw_page(seed: int) -> Image.Image:
    """Print in one column, another text for every seed."""
    draw_words, words = random.Random(seed), _TEXT.split()
    page = Image.new("L", A4, "white")
    draw, font = ImageDraw.Draw(page), ImageFont.truetype(str(_FONT), 26)
    for row in range(LINES):
        line = ""
        while draw.textlength(line, font=font) < A4[0] - 420:
            line += draw_words.choice(words) + " "
        draw.text((160, 150 + row * 41), line.rstrip(), fill="black", font=font)
    return page


def _tesseract(program: str, files: Sequence[Path], processes: int) -> None:
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}

    def read(file: Path) -> None:
        done = subprocess.run([program, str(file), "-"], capture_output=True, check=False, env=environment)
        if done.returncode:
            raise InputError(
                f"Tesseract could not read {file}: {done.stderr.decode(errors='replace').strip()}."
            )

    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(read, files))


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of processors, those of ended child processes included."""
    before, start = _processor_seconds(), perf_counter()
    work()
    return perf_counter() - start, _processor_seconds() - before


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
