"""The learning curve of a run: the logs of all its stages as one picture.

    python benchmarks/learning_curve.py docs/training-log [--recipe small] [--out docs/images/training/small.png]

FOLDER has a folder a stage with its `log.jsonl`, as `got-ocr2 train` leaves them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from got_ocr2.errors import GotOcr2Error
from got_ocr2.training.recipes.catalog import recipe
from got_ocr2.training.records.plots import LoggedStage, plot_run

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Draws the picture; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", default="small", help="tells the order of stages and their batch sizes")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "training" / "small.png")
    options = parser.parse_args()
    try:
        stages = recipe(options.recipe).stages
        logged = [
            LoggedStage(name, options.folder / name, stage.batch_size, stage.steps) for name, stage in stages
        ]
        print(plot_run(logged, options.out))
    except GotOcr2Error as e:
        print(e, file=sys.stderr)
        return e.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
