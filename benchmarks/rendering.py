"""Time to write formatted pages in every format, beside pandoc where it is installed.

    python benchmarks/rendering.py [--pages 12] [--repeat 5]

Prints the machine, a table of milliseconds a page (median over pages; the caches of formulas are cleared before each),
and a JSON line.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from got_ocr2.rendering import parse_page, render
from got_ocr2.rendering.pages.formulas import checked
from got_ocr2.rendering.pages.mathml import mathml
from got_ocr2.rendering.pages.pdf import formula_svg

FORMATS = ("md", "html", "latex", "txt", "json", "docx", "pdf")


def milliseconds(work: Callable[[str], object], texts: list[str], repeat: int) -> float:
    work(texts[0])  # what is imported at first use is imported
    times: list[float] = []
    for text in texts:
        best = float("inf")
        for _ in range(repeat):
            for cache in (checked, mathml, formula_svg):
                cache.cache_clear()
            start = time.perf_counter()
            work(text)
            best = min(best, time.perf_counter() - start)
        times.append(1000 * best)
    return statistics.median(times)


def pandoc(program: str, to: str) -> Callable[[str], object]:
    """pandoc from LaTeX: the process starts anew for every page, as people run it."""
    output = ["-o", "-"] if to == "docx" else []

    def work(text: str) -> object:
        command = [program, "-f", "latex", "-t", to, "--mathml", *output]
        return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout

    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    path = Path(__file__).parents[1] / "testsets/page/data.jsonl"
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()][
        : asked.pages
    ]
    found = {"parse": milliseconds(parse_page, texts, asked.repeat)}
    for to in FORMATS:
        options = {"engine": "html"} if to == "pdf" else {}
        found[to] = milliseconds(
            lambda text, to=to, options=options: render(text, to, "page", **options), texts, asked.repeat
        )
    program = shutil.which("pandoc")
    if program is None:
        try:
            import pypandoc

            program = pypandoc.get_pandoc_path()
        except (ImportError, OSError):
            program = None
    if program is not None:
        for to in ("html", "docx"):
            found[f"pandoc {to}"] = milliseconds(pandoc(program, to), texts, 1)
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, one thread")
    print(f"{len(texts)} pages, {statistics.mean(map(len, texts)):.0f} characters a page")
    for name, value in found.items():
        print(f"{name:12} {value:8.1f} ms {1000 / value:8.0f} pages/s")
    print(json.dumps({"pages": len(texts), "milliseconds": {k: round(v, 2) for k, v in found.items()}}))


if __name__ == "__main__":
    main()
