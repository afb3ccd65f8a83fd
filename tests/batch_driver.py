"""A driver in a process of its own, to be killed: `python batch_driver.py LIST OUT SETTINGS` with settings as JSON."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake_page_reader import TARGET
from got_ocr2.cluster.driver import OpenExecutor, run
from got_ocr2.cluster.executors.local import LocalExecutor
from got_ocr2.cluster.options import BatchOptions
from got_ocr2.cluster.places import lease


def main() -> None:
    inputs, output, given = sys.argv[1:]
    settings = json.loads(given)
    address = settings.pop("ray", None)  # of a cluster
    lease.STALE = 1.0  # the next driver need not wait long
    chosen = {"reader": TARGET, "shards": "jsonl", "retries": 2, "threads": 1, **settings}
    executor: OpenExecutor = LocalExecutor
    if address is not None:
        from got_ocr2.cluster.executors.ray_data import RayExecutor

        executor = partial(RayExecutor, address=address)
    run([inputs], output, BatchOptions(**chosen), resume=True, open_executor=executor, picture=False)


if __name__ == "__main__":
    main()
