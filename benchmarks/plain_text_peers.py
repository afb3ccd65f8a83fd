"""Plain text: a GOT-OCR2 model beside Tesseract 5 and RapidOCR, on the same pictures, in one run.

    python benchmarks/plain_text_peers.py [FOLDER ...] [--out docs/reports/plain-text-peers.md]
    python benchmarks/plain_text_peers.py examples --pictures --peers-only --out docs/reports/examples.md

A FOLDER is any data set of plain text that `got-ocr2 evaluate` reads; by default the real scans and photos of
`examples` and the frozen sets of printed lines and paragraphs. Tesseract runs twice: as it comes (page segmentation
mode 3, which looks for a page's layout) and told that the picture is one block of text (mode 6), which these are.
RapidOCR's boxes are put in order of reading: lines from top to bottom, words from left to right, so it loses on pages
of several columns. `--pictures` adds a table of every picture. `--timing N` times whole pages, one and N at once;
without a FOLDER nothing else is done. Peers:

    apt-get install tesseract-ocr
    pip install rapidocr onnxruntime

Tesseract reads English unless `--language` names others of its models (`fra`, `eng+deu`). What is printed ends with one
line of JSON; `--out` writes the tables as Markdown too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from page_timing import time_pages, timing_table

from got_ocr2 import OCR, PageResult
from got_ocr2.documents import open_source
from got_ocr2.errors import GotOcr2Error, InputError
from got_ocr2.evaluation import Evaluation, evaluate, load_dataset
from got_ocr2.machine import describe, version_of

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (
    "examples", "testsets/text-lines", "testsets/text-paragraphs", "testsets/text-degraded-lines",
    "testsets/text-degraded-paragraphs",
)  # fmt: skip
SHOWN = ("cer", "cer_folded", "wer", "f1", "exact")
MEANING = (
    "cer: character error rate; cer_folded: quotes, dashes and white space unified; f1: of the sets of words, free of\n"
    "order; exact: share of pictures without an error; in brackets 95 % bootstrap intervals over pictures."
)


class MissingPeerError(Exception):
    """A peer that is not installed; says how to get it."""


class Tesseract:
    """Tesseract through its command."""

    def __init__(self, mode: int, threads: int, language: str = "eng") -> None:
        self.program = shutil.which("tesseract")
        if self.program is None:
            raise MissingPeerError("tesseract is not installed (apt-get install tesseract-ocr)")
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True)
        found = re.search(r"tesseract v?(\S+)", done.stdout + done.stderr)
        self.name = f"Tesseract {found[1] if found else '?'} --psm {mode}"
        self.mode = mode
        self.language = language
        self.environment = {**os.environ, "OMP_THREAD_LIMIT": str(threads)}

    def read(self, source: Path, **_: Any) -> PageResult:
        command = [self.program, str(source), "-", "--psm", str(self.mode), "-l", self.language]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment)
        if done.returncode:
            raise InputError(f"Tesseract could not read {source}: {done.stderr.strip()}.")
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        return PageResult("\n".join(line for line in lines if line), "complete", "stop")


class Rapid:
    """RapidOCR with the models of its wheel."""

    def __init__(self, threads: int) -> None:
        try:
            import onnxruntime  # noqa: F401
            from rapidocr import RapidOCR
        except ImportError as e:
            raise MissingPeerError("rapidocr is not installed (pip install rapidocr onnxruntime)") from e
        limit = {"EngineConfig.onnxruntime.intra_op_num_threads": threads}
        self.engine: Any = RapidOCR(params={"Global.log_level": "error", **limit})
        self.name = f"RapidOCR {version_of('rapidocr')}"

    def read(self, source: Path, **_: Any) -> PageResult:
        image = next(open_source(source)).image  # RGB
        found = self.engine(np.asarray(image)[:, :, ::-1])  # BGR, as OpenCV has it
        if found.boxes is None:
            return PageResult("", "empty", "stop")
        return PageResult(in_reading_order(np.asarray(found.boxes), found.txts), "complete", "stop")


def in_reading_order(boxes: np.ndarray, texts: tuple[str, ...]) -> str:
    """Words put into lines, lines from top to bottom.

    Args:
        boxes: (n, 4, 2), the corners of each box as x, y.
        texts: what each box says.
    """
    middles, heights = boxes[:, :, 1].mean(axis=1), np.ptp(boxes[:, :, 1], axis=1)
    lines: list[list[int]] = []
    for i in np.argsort(middles):
        # A box whose middle lies within half a height of the line's first box stands in that line.
        if lines and middles[i] - middles[lines[-1][0]] < heights[lines[-1][0]] / 2:
            lines[-1].append(int(i))
        else:
            lines.append([int(i)])
    ordered = (sorted(line, key=lambda i: boxes[i, :, 0].min()) for line in lines)
    return "\n".join(" ".join(texts[i] for i in line) for line in ordered)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, help="write the tables here as Markdown")
    parser.add_argument("--model", default="default", help="a checkpoint; the embedded model by default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=describe()["cores"], help="for each of them")
    parser.add_argument("--limit", type=int, help="read only the first pictures")
    parser.add_argument("--pictures", action="store_true", help="a table of every picture too")
    parser.add_argument("--timing", type=int, metavar="N", help="time pages: one, and N at once")
    parser.add_argument("--rounds", type=int, default=3, help="of timing")
    parser.add_argument("--language", default="eng", help="Tesseract's models; eng by default")
    parser.add_argument("--peers-only", action="store_true", help="leave the GOT-OCR2 model out")
    parser.add_argument("--skip-missing", action="store_true", help="go on without peers not installed")
    options = parser.parse_args(arguments)
    if options.timing is not None and (options.timing < 1 or options.peers_only):
        parser.error("--timing takes a number of pages >= 1, and needs the GOT-OCR2 model")
    if not options.folders and options.timing is None:
        options.folders = [ROOT / name for name in FOLDERS]

    try:
        datasets = [load_dataset(folder) for folder in options.folders]
        readers: list[tuple[str, Any]] = []
        device = "cpu"
        if not options.peers_only:
            ocr = OCR.from_pretrained(
                None if options.model == "default" else options.model, device=options.device
            )
            readers.append((f"got-ocr2 {options.model}", ocr))
            device = str(ocr.device)
    except GotOcr2Error as e:
        print(e, file=sys.stderr)
        return e.exit_code
    threads = options.threads
    torch.set_num_threads(threads)
    makers: list[Callable[[], Any]] = [
        lambda: Tesseract(3, threads, options.language),
        lambda: Tesseract(6, threads, options.language),
        lambda: Rapid(threads),
    ]
    missing: list[str] = []
    for make in makers:
        try:
            peer = make()
        except MissingPeerError as e:
            missing.append(str(e))
        else:
            readers.append((peer.name, peer))
    missing = list(dict.fromkeys(missing))
    for message in missing:
        print(message, file=sys.stderr)
    if missing and not options.skip_missing:
        print("Install them, or go on without with --skip-missing.", file=sys.stderr)
        return 3
    if not readers:
        print("No reader is left to measure: install a peer, or drop --peers-only.", file=sys.stderr)
        return 3

    machine = describe(device)
    where = f"{machine['processor']}, {machine['cores']} cores, {threads} threads, device {machine['device']}"
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    print(f"{where}\n{packages}")
    results: dict[str, dict[str, dict[str, Any]]] = {}
    pictures: dict[str, dict[str, dict[str, float]]] = {}
    tables: list[str] = []
    for dataset in datasets:
        done = {name: evaluate(reader, dataset, limit=options.limit, model=name) for name, reader in readers}
        results[dataset.name] = {name: row(evaluation) for name, evaluation in done.items()}
        shown = [table(dataset.name, results[dataset.name])]
        if options.pictures:
            pictures[dataset.name] = each_picture(done)
            shown.append(picture_table(dataset.name, pictures[dataset.name]))
        print("\n" + "\n\n".join(shown))
        tables += shown
    timing: list[dict[str, Any]] = []
    if options.timing is not None:
        timing = time_pages(readers[0][1], shutil.which("tesseract"), threads, options.timing, options.rounds)
        tables.append(timing_table(timing))
        print("\n" + tables[-1])
    print("\n" + MEANING + "\n")
    if options.out is not None:
        text = "\n\n".join(
            ["# Plain text beside other readers", MEANING, *tables, f"Measured on: {where}; {packages}."]
        )
        options.out.write_text(text + "\n", encoding="utf-8", newline="\n")
    found: dict[str, Any] = {"threads": threads, "machine": machine, "missing": missing}
    if options.pictures:
        found["pictures"] = pictures
    if timing:
        found["timing"] = timing
    print(json.dumps({"benchmark": "plain_text_peers", **found, "sets": results}))
    return 0


def table(name: str, rows: dict[str, dict[str, Any]]) -> str:
    """One data set, a reader a line, as Markdown."""
    pages = next(iter(rows.values()))["cer"]["pages"]
    lines = [f"**{name}**, {pages} pictures", "", "| | " + " | ".join(SHOWN) + " | s/picture |"]
    lines.append("|---|" + "---|" * (len(SHOWN) + 1))
    for reader, found in rows.items():
        cells = [f"{v['value']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for v in (found[key] for key in SHOWN)]
        lines.append(f"| {reader} | " + " | ".join(cells) + f" | {found['seconds']:.2f} |")
    return "\n".join(lines)


def each_picture(done: dict[str, Evaluation]) -> dict[str, dict[str, float]]:
    """For each picture what each reader made of it: its folded character error rate."""
    found: dict[str, dict[str, float]] = {}
    for name, evaluation in done.items():
        for reading in evaluation.readings:
            found.setdefault(reading.page.id, {})[name] = reading.scores["cer_folded"].rate
    return found


def picture_table(name: str, pictures: dict[str, dict[str, float]]) -> str:
    """One data set, a picture a line, as Markdown."""
    readers = list(next(iter(pictures.values())))
    lines = [f"**{name}**, cer_folded of each picture", "", f"| | {' | '.join(readers)} |"]
    lines.append("|---|" + "---|" * len(readers))
    for picture, rates in pictures.items():
        lines.append(f"| {picture} | " + " | ".join(f"{rates[reader]:.3f}" for reader in readers) + " |")
    return "\n".join(lines)


def row(evaluation: Evaluation) -> dict[str, Any]:
    """The shown metrics of all pages, seconds a picture, and how many failed."""
    found = next(iter(evaluation.summary().values()))
    pages = len(evaluation.readings)
    return {
        **{name: found[name]._asdict() for name in SHOWN},
        "seconds": evaluation.seconds / pages,
        "failed": len(evaluation.failed),
    }


if __name__ == "__main__":
    sys.exit(main())
