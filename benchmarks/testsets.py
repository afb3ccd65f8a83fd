"""Reads every frozen test set with a model; writes a report a set and one table of all.

    python benchmarks/testsets.py [MODEL] [--out docs/reports]

A page may take a quarter more tokens than the longest right answer of its set has bytes, so that a model that cannot
read a kind costs little; what it had written by then is scored. Each report shows the worst pages with their pictures
from `testsets/`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from got_ocr2 import OCR
from got_ocr2.errors import GotOcr2Error
from got_ocr2.evaluation import METRICS, Dataset, Estimate, Evaluation, evaluate, load_dataset, to_dict
from got_ocr2.evaluation.report import report_markdown, worst_readings

ROOT = Path(__file__).resolve().parent.parent
SUMMARY, NUMBERS = "README.md", "numbers.json"
IN_PATCHES = 2048  # tokens at most where a page takes many tiles, so that a small context holds both
# What a kind is judged by, beside the character error rate.
OWN = {
    "formula": "formula_match", "table": "teds", "molecule": "smiles_match", "music": "ser", "chart": "ap_strict",
    "page": "edit_distance", "crop": "edit_distance", "geometry": "edit_distance",
}  # fmt: skip


def read_set(ocr: Any, dataset: Dataset, model: str, limit: int | None) -> Evaluation:
    """One set, with a bound on what a page may cost."""
    longest = max(len((page.text or "").encode()) for page in dataset.pages)  # in bytes, so never too few
    allowed = 16 + 5 * longest // 4
    if any(page.task.crop_to_patches for page in dataset.pages):
        allowed = min(allowed, IN_PATCHES)
    return evaluate(ocr, dataset, limit=limit, model=model, max_new_tokens=allowed)


def report(evaluation: Evaluation, folder: Path, worst: int) -> None:
    """Writes `NAME.md`, its pictures linked from the set's own folder."""
    shown = [
        (reading, Path(os.path.relpath(reading.page.files[0], folder)).as_posix())
        for reading in worst_readings(evaluation, worst)
    ]
    text = report_markdown(evaluation, shown)
    (folder / f"{evaluation.dataset.name}.md").write_text(text, encoding="utf-8", newline="\n")


def summary(evaluations: Sequence[Evaluation]) -> str:
    """One table of all sets."""
    first = evaluations[0]
    machine = first.machine
    lines = [
        f"# {first.model} on the frozen test sets",
        "",
        "Fonts and texts that training never draws. CER: character error rate with quotes, dashes and white space",
        "unified; in brackets 95 % bootstrap intervals over pages. Written by `python benchmarks/testsets.py`.",
        "",
        "| set | pages | CER | pages without an error | its own metric | seconds a page |",
        "|---|---|---|---|---|---|",
    ]
    for evaluation in evaluations:
        found = next(iter(evaluation.summary().values()))
        kind = evaluation.dataset.pages[0].kind
        own = "-"
        if kind in OWN:
            better = "less" if METRICS[OWN[kind]].lower else "more"
            own = f"{OWN[kind]} {shown(found[OWN[kind]])} ({better} is better)"
        name, pages = evaluation.dataset.name, len(evaluation.readings)
        lines.append(
            f"| [{name}]({name}.md) | {pages} | {shown(found['cer_folded'])} | {found['exact'].value:.0%} | {own} "
            f"| {evaluation.seconds / pages:.2f} |"
        )
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    where = ", ".join(f"{name} {value}" for name, value in machine.items() if name != "packages")
    return "\n".join([*lines, "", f"Measured on: {where}; {packages}.", ""])


def shown(estimate: Estimate) -> str:
    """A value with its interval; "-" where no page has anything to read."""
    if not math.isfinite(estimate.value):
        return "-"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the sets; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "model", nargs="?", default="default", help="a checkpoint; the embedded model by default"
    )
    parser.add_argument("--sets", type=Path, default=ROOT / "testsets", help="folder of the sets")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "reports", help="folder for the reports")
    parser.add_argument("--only", action="append", help="only this set; repeatable")
    parser.add_argument("--limit", type=int, help="read only the first pages of each")
    parser.add_argument("--worst", type=int, default=3, help="how many pages a report shows")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    found = (path.parent.name for path in options.sets.glob("*/data.jsonl"))
    names = options.only or sorted(found, key=lambda name: (not name.startswith("text"), name))
    evaluations: list[Evaluation] = []
    try:
        ocr = OCR.from_pretrained(
            None if options.model == "default" else options.model, device=options.device
        )
        options.out.mkdir(parents=True, exist_ok=True)
        for name in names:
            dataset = load_dataset(options.sets / name, "jsonl")
            evaluations.append(read_set(ocr, dataset, options.model, options.limit))
            report(evaluations[-1], options.out, options.worst)
            totals = next(iter(evaluations[-1].summary().values()))
            print(f"{name}: CER {shown(totals['cer_folded'])}, {evaluations[-1].seconds:.1f} s", flush=True)
            for reading in evaluations[-1].failed:
                print(f"{reading.page.id}: {reading.error}", file=sys.stderr)
    except GotOcr2Error as e:
        print(e, file=sys.stderr)
        return e.exit_code
    (options.out / SUMMARY).write_text(summary(evaluations), encoding="utf-8", newline="\n")
    numbers = {e.dataset.name: {k: v for k, v in to_dict(e).items() if k != "readings"} for e in evaluations}
    (options.out / NUMBERS).write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    print(f"{sum(e.seconds for e in evaluations):.0f} s of reading; {options.out / SUMMARY}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
