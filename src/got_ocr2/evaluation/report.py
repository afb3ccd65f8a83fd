"""An evaluation as files: `report.md` for people, `report.json` for programs, every prediction, the worst
pages.

    REPORT/
      report.md              scores with intervals, what they ran on, the worst pages with their pictures
      report.json            the same numbers, and what each page adds to them
      predictions/ID.md      what was read, in the names the benchmarks' own scorers expect
      worst/NN.png           pictures of the worst pages
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from PIL import Image

from ..documents import open_source
from ..errors import FileAccessError, GotOcr2Error
from .runner import Evaluation, Reading
from .scoring import METRICS, badness
from .statistics import Estimate

_WIDEST = 1000  # pixels of a picture in the report
_LONGEST = 2000  # characters of a text in the report
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f<>:"|?*\\]')


def write_report(
    evaluation: Evaluation, folder: str | PathLike[str], *, worst: int = 10, force: bool = False
) -> Path:
    """Writes a report.

    Args:
        evaluation: what to report.
        folder: made when missing.
        worst: how many of the worst pages to show; perfect ones never are.
        force: replace a report that is there.

    Returns:
        The path of `report.md`.

    Raises:
        FileAccessError: a report or another file of its names is there, or the folder cannot be written.
    """
    root = Path(folder)
    if (root / "report.json").exists() and not force:
        raise FileAccessError(f"{root} holds a report already; --force replaces it.")
    names = ["report.md", *(prediction_path(evaluation, reading) for reading in evaluation.readings)]
    there = [root / name for name in names if (root / name).exists()]
    if there and not force:
        raise FileAccessError(f"{there[0]} would be overwritten; --force replaces it.")
    try:
        root.mkdir(parents=True, exist_ok=True)
        for reading in evaluation.readings:
            path = root / prediction_path(evaluation, reading)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(reading.text, encoding="utf-8", errors="backslashreplace", newline="\n")
        data = json.dumps(to_dict(evaluation), ensure_ascii=False, indent=1, allow_nan=False)
        (root / "report.json").write_text(data + "\n", encoding="utf-8", errors="backslashreplace")
        shown = [
            (reading, _save_picture(reading, root / "worst" / f"{i:02d}.png"))
            for i, reading in enumerate(worst_readings(evaluation, worst), 1)
        ]
        markdown = report_markdown(evaluation, shown)
        (root / "report.md").write_text(markdown, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as e:
        raise FileAccessError(f"The report cannot be written to {root}: {e.strerror or e}.") from e
    return root / "report.md"


def to_dict(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as JSON-serialisable data; a total that no page has any weight for is None."""
    score = evaluation.olmocr_score()
    return {
        "model": evaluation.model,
        "dataset": evaluation.dataset.name,
        "layout": evaluation.dataset.layout,
        "notes": list(evaluation.dataset.notes),
        "scoring": dataclasses.asdict(evaluation.scoring),
        "machine": evaluation.machine,
        "pages": len(evaluation.readings),
        "pages_in_set": len(evaluation.dataset.pages),
        "failed": len(evaluation.failed),
        "seconds": evaluation.seconds,
        "olmocr_score": None if score is None else _number(score),
        "groups": {
            group: {name: _number(estimate) for name, estimate in found.items()}
            for group, found in evaluation.summary().items()
        },
        "readings": [
            {
                "id": reading.page.id,
                "group": reading.page.group,
                "kind": reading.page.kind,
                "status": reading.status,
                "error": reading.error,
                "seconds": reading.seconds,
                "tokens": reading.tokens,
                "prediction": prediction_path(evaluation, reading).as_posix(),
                "scores": {name: list(ratio) for name, ratio in reading.scores.items()},
            }
            for reading in evaluation.readings
        ],
    }


def prediction_path(evaluation: Evaluation, reading: Reading) -> Path:
    """Where a prediction is saved below the report's folder, in the name the set's own scorer wants."""
    parts = [_NOT_IN_A_NAME.sub("_", part) for part in reading.page.id.split("/")]
    kept = [part for part in parts if part.strip(". ")] or ["_"]
    ending = "_repeat1.md" if evaluation.dataset.layout == "olmocr" else ".md"
    return Path("predictions", *kept[:-1], kept[-1] + ending)


def worst_readings(evaluation: Evaluation, most: int) -> list[Reading]:
    """The worst pages first; pages without an error are left out."""
    ranked = sorted(evaluation.readings, key=lambda r: badness(r.scores), reverse=True)
    return [reading for reading in ranked[:most] if badness(reading.scores) > 0]


def _number(estimate: Estimate) -> dict[str, float | int | None]:
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in estimate._asdict().items()}


def _save_picture(reading: Reading, path: Path) -> str | None:
    """Saves the page's first picture as a person sees it, made small enough; None if it cannot be opened."""
    page = reading.page
    try:
        image = next(open_source(page.files[0], pages=str(page.number or 1))).image
    except GotOcr2Error:
        return None  # the reading failed for the same reason, and the report says so
    if image.width > _WIDEST:
        height = max(1, round(image.height * _WIDEST / image.width))
        image = image.resize((_WIDEST, height), Image.Resampling.LANCZOS)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, optimize=True)
    return f"{path.parent.name}/{path.name}"


def report_markdown(evaluation: Evaluation, shown: Sequence[tuple[Reading, str | None]]) -> str:
    """The report for people, as Markdown.

    Args:
        evaluation: what to report.
        shown: pages to show, each with the link to its picture, or None.
    """
    dataset, machine = evaluation.dataset, evaluation.machine
    read, known = len(evaluation.readings), len(dataset.pages)
    lines = [
        f"# {evaluation.model} on {dataset.name}",
        "",
        f"{read} pages{'' if read == known else f' of {known}'} in {evaluation.seconds:.1f} s, "
        f"{len(evaluation.failed)} failed. Intervals: 95 %, bootstrap over pages.",
        "",
        *(f"> {note}\n" for note in _notes(evaluation)),
    ]
    if (score := evaluation.olmocr_score()) is not None:
        lines += [f"**olmOCR-bench score: {_rate(score.value)}** ({_interval(score)})", ""]
    for group, found in evaluation.summary().items():
        lines += [
            f"## {group}",
            "",
            "| metric | value | interval | pages | meaning |",
            "|---|---|---|---|---|",
        ]
        for name, estimate in found.items():
            better = "less is better" if METRICS[name].lower else "more is better"
            lines.append(
                f"| {name} | {_rate(estimate.value)} | {_interval(estimate)} | {estimate.pages} "
                f"| {METRICS[name].meaning}; {better} |"
            )
        lines.append("")
    if shown:
        lines += ["## Worst pages", ""]
    for reading, picture in shown:
        lines += _worst(reading, picture)
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    lines += ["## Measured on", ""]
    lines += [f"- {name}: {value}" for name, value in machine.items() if name != "packages"]
    return "\n".join([*lines, f"- packages: {packages}", ""])


def _notes(evaluation: Evaluation) -> list[str]:
    notes = list(evaluation.dataset.notes)
    if evaluation.scoring.released:
        notes.append(
            "Scored as GOT's released script does: its precision is the recall and the reverse, BLEU and METEOR "
            "take the prediction for the reference, pages with an empty side are left out of these."
        )
    if evaluation.scoring.level == "character":
        notes.append("F1, precision, recall, BLEU and METEOR are over characters.")
    return notes


def _worst(reading: Reading, picture: str | None) -> list[str]:
    rates = ", ".join(f"{name} {_rate(ratio.rate)}" for name, ratio in list(reading.scores.items())[:6])
    lines = [f"### {reading.page.id}", "", f"{reading.status}; {rates}", ""]
    if reading.error is not None:
        lines += [f"> {reading.error}", ""]
    if picture is not None:
        lines += [f"![{reading.page.id}]({picture})", ""]
    if reading.page.text is not None:
        lines += ["Right:", "", *_block(reading.page.text)]
    if reading.page.elements is not None:
        lines += ["Right:", "", *_block("\n".join(reading.page.elements.blocks))]
    wrong = [fact for fact in reading.page.facts if not fact.holds(reading.text)]
    lines += [f"- not so: {fact.type} {json.dumps(fact.details, ensure_ascii=False)}" for fact in wrong[:10]]
    if wrong:
        lines.append("")
    return [*lines, "Read:", "", *_block(reading.text)]


def _block(text: str) -> list[str]:
    """The text in a code block whose fence it cannot end."""
    more = len(text) - _LONGEST
    shown = text if more <= 0 else f"{text[:_LONGEST]}\n[... {more} more characters]"
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", shown)), default=0))
    return [f"{fence}text", shown, fence, ""]


def _interval(estimate: Estimate) -> str:
    return f"{_rate(estimate.low)} to {_rate(estimate.high)}"


def _rate(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "-"
