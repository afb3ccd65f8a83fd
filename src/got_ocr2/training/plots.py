"""Pictures of a run: losses and held-out error against the samples seen, all stages after one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import FileAccessError
from .extras import need
from .log import LOG_NAME, read_log

PLOT_NAME = "log.png"
_LOSSES = (
    ("text", "text", "tab:blue"),
    ("glyph", "glyph", "tab:green"),
    ("guidance", "guidance", "tab:orange"),
)


class LoggedStage(NamedTuple):
    """A stage that left a log.

    Attributes:
        name: for people.
        folder: with `log.jsonl`.
        batch_size: samples a step.
    """

    name: str
    folder: Path
    batch_size: int


def plot_run(stages: Sequence[LoggedStage], path: Path) -> Path:
    """Draws the logs of several stages as one picture; a stage without a log is left out.

    Args:
        stages: in the order in which they were trained.
        path: of the PNG.

    Raises:
        FileAccessError: none of them has a log.
        MissingDependencyError: matplotlib is not installed.
    """
    figures = need("matplotlib.figure", "Plotting a log")
    logged = [stage for stage in stages if (stage.folder / LOG_NAME).is_file()]
    if not logged:
        raise FileAccessError(
            f"There is no {LOG_NAME} to plot in {', '.join(str(s.folder) for s in stages)}."
        )
    figure: Any = figures.Figure(figsize=(8, 5), layout="constrained")
    losses, errors = figure.subplots(2, 1, sharex=True)
    seen = 0.0  # thousands of samples before the stage
    for stage in logged:
        rows = read_log(stage.folder)
        end = _draw(losses, errors, rows, seen, stage.batch_size / 1000, labelled=stage is logged[0])
        for axes in (losses, errors):
            axes.axvline(end, color="0.7", linewidth=0.8)
        errors.text((seen + end) / 2, 1.01, stage.name, ha="center", va="bottom", fontsize=8,
                    transform=errors.get_xaxis_transform())  # fmt: skip
        seen = end
    losses.set(ylabel="mean cross-entropy", ylim=(0, None))
    errors.set(xlabel="thousands of samples", ylabel="held-out CER", ylim=(0, None))
    losses.legend(fontsize=8)
    for axes in (losses, errors):
        axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    return path


def _draw(
    losses: Any, errors: Any, rows: list[dict[str, Any]], start: float, scale: float, *, labelled: bool
) -> float:
    """One stage from `start` on, in thousands of samples; gives where it ends."""

    def label(text: str) -> str | None:
        return text if labelled else None

    for name, text, colour in _LOSSES:
        points = [(start + scale * row["step"], row[name]) for row in rows if row.get(name)]
        if points:
            losses.plot(
                *zip(*points, strict=True), "-" if len(points) > 1 else ".", color=colour, label=label(text)
            )
    held = [row for row in rows if "held_out_loss" in row]
    at = [start + scale * row["step"] for row in held]
    if held:
        losses.plot(
            at, [row["held_out_loss"] for row in held], "o", color="tab:red", label=label("text, held out")
        )
        errors.plot(at, [row["held_out_cer"] for row in held], "o-", color="tab:red")
    return start + scale * max((row["step"] for row in rows), default=0)
