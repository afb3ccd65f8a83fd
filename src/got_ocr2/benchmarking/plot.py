"""A picture of a benchmark: pages a second, time of a step, memory, by batch size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import FileAccessError
from ..extras import need
from ..wording import reason
from .benchmark import Bench, Figures

_PANELS = (
    ("pages a second", lambda one: one.pages_per_second),
    ("milliseconds a step", lambda one: 1000 * one.token_seconds),
    ("share of the read bandwidth", lambda one: one.roofline),
    ("peak memory, GB", lambda one: (one.peak_bytes or 0) / 1e9),
)


def plot_bench(bench: Bench, path: str | Path) -> None:
    """Draws the figures; the ending of `path` (.png, .svg, .pdf) decides the format.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        FileAccessError: the file cannot be written.
    """
    figure: Any = need("matplotlib.figure", "A plot", extra="train").Figure(
        figsize=(13, 3.4), layout="constrained"
    )
    labels = list(dict.fromkeys(one.label for one in bench.figures))
    sizes = list(bench.options.batch_sizes)
    width = 0.8 / len(labels)
    panels = figure.subplots(1, len(_PANELS))
    for axes, (title, value) in zip(panels, _PANELS, strict=True):
        for index, label in enumerate(labels):
            chosen: list[Figures] = [one for one in bench.figures if one.label == label]
            places = [i + width * (index - (len(labels) - 1) / 2) for i in range(len(sizes))]
            axes.bar(places, [value(one) for one in chosen], width, label=label)
        axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
        axes.set(title=title, xlabel="pages at a time")
        axes.grid(axis="y", alpha=0.3)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(labels), frameon=False)
    try:
        figure.savefig(path, dpi=110)
    except OSError as e:
        raise FileAccessError(f"The plot cannot be written to {path}: {reason(e)}.") from e
    except ValueError as e:
        raise FileAccessError(
            f"The plot cannot be written to {path}: {reason(e)}; .png, .svg and .pdf can."
        ) from e
