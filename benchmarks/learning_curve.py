"""The learning curve of a run: the logs of all its stages as one picture; or what hours of training gave.

    python benchmarks/learning_curve.py docs/training-log [--recipe small] [--out docs/images/training/small.png]
    python benchmarks/learning_curve.py docs/training-log/accuracy.csv --out docs/images/training/lines.png

A folder has a folder a stage with its `log.jsonl`, as `got-ocr2 train` leaves them. A table has a column
`core_hours` and one of character error rates for each set of pictures; an empty cell was not measured.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from got_ocr2.errors import GotOcr2Error, InputError
from got_ocr2.extras import need
from got_ocr2.training.recipes.catalog import recipe
from got_ocr2.training.records.plots import LoggedStage, plot_run

ROOT = Path(__file__).resolve().parent.parent
HOURS = "core_hours"


def main(arguments: list[str] | None = None) -> int:
    """Draws the picture; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, help="a folder of logs, or a table")
    parser.add_argument("--recipe", default="small", help="tells the order of stages and their batch sizes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "training" / "small.png")
    options = parser.parse_args(arguments)
    try:
        if options.source.is_file():
            print(plot_accuracy(options.source, options.out))
            return 0
        stages = recipe(options.recipe).stages
        logged = [
            LoggedStage(name, options.source / name, stage.batch_size, stage.steps) for name, stage in stages
        ]
        print(plot_run(logged, options.out))
    except GotOcr2Error as e:
        print(e, file=sys.stderr)
        return e.exit_code
    return 0


def plot_accuracy(table: Path, path: Path) -> Path:
    """Draws character error rates against hours of training.

    Args:
        table: CSV, see above.
        path: of the PNG.

    Raises:
        InputError: the table has no column of hours, or a cell is no number.
        MissingDependencyError: matplotlib is not installed.
    """
    figures = need("matplotlib.figure", "Plotting a table", extra="train")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or HOURS not in rows[0]:
        raise InputError(f"{table} has no rows with a column {HOURS!r}.")
    figure = figures.Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name in rows[0]:
        if name == HOURS:
            continue
        try:
            points = [(float(row[HOURS]), float(row[name])) for row in rows if row[name]]
        except ValueError as e:
            raise InputError(f"{table}, column {name!r}: {e}.") from e
        axes.plot(*zip(*points, strict=True), "o-", label=name, markersize=3)
    axes.set(xlabel="hours of one core", ylabel="character error rate", yscale="log", xlim=(0, None))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.grid(alpha=0.3, which="both")
    figure.legend(fontsize=8, loc="outside right upper")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    return path


if __name__ == "__main__":
    sys.exit(main())
