"""Pictures of a run: loss and held-out error against the step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .extras import need
from .log import read_log

PLOT_NAME = "log.png"
_LOSSES = (("text", "text loss"), ("glyph", "glyph loss"), ("guidance", "guidance loss"))


def plot_log(folder: Path) -> Path:
    """Draws `log.png` beside a stage's `log.jsonl`.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    figures = need("matplotlib.figure", "Plotting a log")
    rows = read_log(folder)
    figure: Any = figures.Figure(figsize=(9, 3.6), layout="constrained")
    losses, errors = figure.subplots(1, 2)
    for name, label in _LOSSES:
        points = [(row["step"], row[name]) for row in rows if row.get(name)]
        if points:
            losses.plot(*zip(*points, strict=True), "." if len(points) == 1 else "-", label=label)
    held = [row for row in rows if "held_out_loss" in row]
    steps = [row["step"] for row in held]
    if held:
        losses.plot(steps, [row["held_out_loss"] for row in held], "o-", label="text loss, held out")
        errors.plot(
            steps, [row["held_out_cer"] for row in held], "o-", color="tab:red", label="CER, held out"
        )
        errors.legend()
    else:
        errors.text(0.5, 0.5, "no held-out pages", ha="center", transform=errors.transAxes)
    losses.legend()
    losses.set(xlabel="step", ylabel="mean cross-entropy", ylim=(0, None), title=folder.name)
    errors.set(xlabel="step", ylabel="character error rate", ylim=(0, None))
    for axes in (losses, errors):
        axes.grid(alpha=0.3)
    path = folder / PLOT_NAME
    figure.savefig(path, dpi=110)
    return path
