"""Pictures of a run: losses and held-out error against the samples seen, all stages after one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import FileAccessError
from ...extras import need
from .log import LOG_NAME, read_log

PLOT_NAME = "log.png"
_LOSSES = (
    ("text", "text", "tab:blue"),
    ("glyph", "glyph", "tab:green"),
    ("guidance", "guidance", "tab:orange"),
)


class LoggedStage(NamedTuple):
    """A stage and its log.

    Attributes:
        name: for people.
        folder: with `log.jsonl`.
        batch_size: samples a step.
        steps: that it has where it left no log; 0 if it never ran.
    """

    name: str
    folder: Path
    batch_size: int
    steps: int = 0


def plot_run(stages: Sequence[LoggedStage], path: Path) -> Path:
    """Draws the logs of several stages as one picture; a stage without a log leaves a gap as long as it was.

    Args:
        stages: in the order in which they were trained.
        path: of the PNG.

    Raises:
        FileAccessError: none of them has a log.
        MissingDependencyError: matplotlib is not installed.
    """
    figures = need("matplotlib.figure", "Plotting a log", extra="train")
    if not any((stage.folder / LOG_NAME).is_file() for stage in stages):
        raise FileAccessError(
            f"There is no {LOG_NAME} to plot in {', '.join(str(s.folder) for s in stages)}."
        )
    figure: Any = figures.Figure(figsize=(8, 5), layout="constrained")
    losses, errors = figure.subplots(2, 1, sharex=True)
    seen = 0.0  # thousands of samples before the stage
    for stage in stages:
        scale = stage.batch_size / 1000
        found = (stage.folder / LOG_NAME).is_file()
        end = (
            _draw(losses, errors, read_log(stage.folder), seen, scale)
            if found
            else seen + scale * stage.steps
        )
        if end > seen:
            label = stage.name if found else f"{stage.name}: no log"
            errors.text((seen + end) / 2, 1.01, label, ha="center", va="bottom", fontsize=8,
                        transform=errors.get_xaxis_transform())  # fmt: skip
        for axes in (losses, errors):
            axes.axvline(end, color="0.7", linewidth=0.8)
        seen = end
    losses.set(ylabel="mean cross-entropy", xlim=(0, seen or None), ylim=(0, None))
    errors.set(xlabel="thousands of samples", ylabel="held-out CER", ylim=(0, None))
    lines = dict(zip(*reversed(losses.get_legend_handles_labels()), strict=True))  # one of each label
    losses.legend(lines.values(), lines.keys(), fontsize=8)
    for axes in (losses, errors):
        axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    return path


def _draw(losses: Any, errors: Any, rows: list[dict[str, Any]], start: float, scale: float) -> float:
    """One stage from `start` on, in thousands of samples; gives where it ends."""
    for name, label, colour in _LOSSES:
        points = [(start + scale * row["step"], row[name]) for row in rows if row.get(name)]
        if points:
            losses.plot(
                *zip(*points, strict=True), "-" if len(points) > 1 else ".", color=colour, label=label
            )
    held = [row for row in rows if "held_out_loss" in row]
    at = [start + scale * row["step"] for row in held]
    if held:
        losses.plot(at, [row["held_out_loss"] for row in held], "o", color="tab:red", label="text, held out")
        errors.plot(at, [row["held_out_cer"] for row in held], "o-", color="tab:red")
    return start + scale * max((row["step"] for row in rows), default=0)
