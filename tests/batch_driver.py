"""A driver in a process of its own, to be killed: `python batch_driver.py LIST OUT SETTINGS` with settings as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake_page_reader import TARGET
from got_ocr2.cluster.driver import run
from got_ocr2.cluster.options import BatchOptions


def main() -> None:
    inputs, output, settings = sys.argv[1:]
    chosen = {"reader": TARGET, "shards": "jsonl", "retries": 2, "threads": 1, **json.loads(settings)}
    run([inputs], output, BatchOptions(**chosen), resume=True, picture=False)


if __name__ == "__main__":
    main()
