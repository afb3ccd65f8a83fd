"""kill -9 at random moments of a job of many pages, with a reader that has no model: is every page there exactly once?

    python benchmarks/faults.py [--pages 1000] [--kills 50] [--workers 2] [--seed 0] [--full-disk FOLDER]
    python benchmarks/faults.py --ray [--pages 1000] [--kills 65] [--minutes 60]

The driver or one of its workers, turn about, is killed at a random moment and the run gone on with, until it has been
killed so often and then ended by itself. Its shards must be, byte for byte, those of a run that nobody disturbed. With
--ray it is done on a cluster of three machines on this one, and 8 times of 10 a whole machine is killed, by its raylet,
and another comes. With --full-disk, a small file system of yours, the run is also written there until it is full.

Moments are drawn by tasks done and not by the clock, so a slow machine is killed as often as a fast one. Ends with a
JSON line, and with exit code 1 if anything is missing, double or half-written, or not done within --minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from faults_on_ray import Machines

from got_ocr2.machine import describe

TESTS = Path(__file__).parents[1] / "tests"
DRIVER = TESTS / "batch_driver.py"
ROWS_PER_SHARD, PAGES_PER_TASK = 50, 5
_ON_RAY = ["raylet"] * 8 + ["worker", "driver"]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument(
        "--kills", type=int, help="50, or 65 with --ray, of which 50 and more are of machines"
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="for the run that is disturbed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ray", action="store_true", help="on a cluster of three machines on this one")
    parser.add_argument("--full-disk", type=Path, help="a folder on a small file system")
    chosen = parser.parse_args()
    chosen.kills = chosen.kills or (65 if chosen.ray else 50)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        inputs = job(place, chosen.pages, 0.2 if chosen.ray else 0.005)
        undisturbed = time.monotonic()
        # Pages wait, so many workers are no more work.
        subprocess.run(
            command(inputs, place / "whole", 4 if chosen.ray else chosen.workers), check=True, cwd=place
        )
        undisturbed = time.monotonic() - undisturbed
        with Machines(2) if chosen.ray else nullcontext() as machines:
            found = killed_again_and_again(place, inputs, chosen, machines)
        found = {**found, **compared(place, chosen.pages), "undisturbed_seconds": round(undisturbed, 1)}
        if chosen.full_disk is not None:
            found["full_disk"] = full_disk(place, chosen.full_disk)
    print(json.dumps({**found, "machine": describe()}))
    return 0 if found["exact"] else 1


def job(folder: Path, pages: int, seconds: float) -> Path:
    """Documents of 1 to 40 pages of so many seconds, some with a page that fails or ends its process."""
    draw = random.Random(1)
    (folder / "in").mkdir()
    names: list[str] = []
    left = pages
    while left:
        count = min(left, draw.choice([1, 1, 2, 7, 40]))
        words = f"pages={count} slow={seconds} text=t{left}"
        if draw.random() < 0.1:
            words += f" {draw.choice(['bad', 'once'])}={draw.randint(1, count)}"
        (folder / "in" / f"d{len(names)}.txt").write_text(words)
        names.append(f"in/d{len(names)}.txt")
        left -= count
    path = folder / "list.csv"
    path.write_text("path\n" + "\n".join(names) + "\n")
    return path


def command(inputs: Path, output: Path, workers: int, ray: str | None = None) -> list[str]:
    settings = {
        "rows_per_shard": ROWS_PER_SHARD,
        "pages_per_task": PAGES_PER_TASK,
        "workers": workers if ray is None else None,
        "retries": 5,
        "ray": ray,
    }
    return [sys.executable, str(DRIVER), str(inputs), str(output), json.dumps(settings)]


def killed_again_and_again(
    folder: Path, inputs: Path, chosen: argparse.Namespace, machines: Machines | None
) -> dict[str, Any]:
    """Runs until one run ends by itself; who was killed how often."""
    out = folder / "out"
    draw = random.Random(chosen.seed)
    kills: Counter[str] = Counter()
    runs, gave_up, start = 0, 0, time.monotonic()
    end = start + 60 * chosen.minutes
    while time.monotonic() < end:
        runs += 1
        words = command(inputs, out, chosen.workers, None if machines is None else machines.address)
        log = folder / "stderr"
        with open(log, "w") as stderr, subprocess.Popen(words, cwd=folder, stderr=stderr) as driver:
            disturb(driver, out, draw, kills, chosen, machines, end)
        said = log.read_text(errors="replace").strip().splitlines()[-1:]
        if driver.returncode == 0:
            break
        if driver.returncode != -signal.SIGKILL:
            if machines is None or not any("what is done is kept" in line for line in said):
                raise SystemExit(f"The driver ended with {driver.returncode}: {said}")
            gave_up += 1  # Ray did; the driver has said so, and how to go on
            print(said[0])
        print(f"run {runs} ended: {dict(kills)}, {rows_in(out)} rows in shards", flush=True)
    seconds = round(time.monotonic() - start, 1)
    found = {"kills": dict(kills), "runs": runs, "ray_gave_up": gave_up, "seconds": seconds}
    return {**found, "in_time": time.monotonic() < end}


def compared(folder: Path, pages: int) -> dict[str, Any]:
    """The output beside that of the run that nobody disturbed."""
    out = folder / "out"
    shards, expected = contents(out / "shards"), contents(folder / "whole" / "shards")
    rows = [json.loads(line) for data in shards.values() for line in data.split(b"\n") if line]
    found = Counter((row["document"], row["page"]) for row in rows)
    halves = [path.name for path in out.rglob(".part-*")]
    return {
        "pages": len(rows),
        "double": sum(count > 1 for count in found.values()),
        "missing": pages - len(found),
        "half_written": len(halves),
        "statuses": dict(Counter(row["status"] for row in rows)),
        "exact": shards == expected and len(rows) == pages and not halves,
    }


def disturb(
    driver: subprocess.Popen[bytes],
    out: Path,
    draw: random.Random,
    kills: Counter[str],
    chosen: argparse.Namespace,
    machines: Machines | None,
    end: float,
) -> None:
    """Kills machines and workers, and at last the driver, each when the run has got a little further."""
    start = end - 60 * chosen.minutes
    step = max(1, chosen.pages // PAGES_PER_TASK // chosen.kills)
    workers: Callable[[], list[int]] = machines.workers if machines else lambda: children(driver.pid)

    while True:
        enough = written(out) + draw.randint(1, step)
        while driver.poll() is None and time.monotonic() < end:
            if kills.total() < chosen.kills and written(out) >= enough:
                break
            time.sleep(draw.uniform(0.005, 0.1))
        else:
            driver.kill()
            return
        # Eight of ten kills on Ray are of machines, in an order that the seed draws.
        place = kills.total() % 10
        kinds = random.Random(f"{chosen.seed}:{kills.total() // 10}").sample(_ON_RAY, 10)
        if machines is not None and kinds[place] == "raylet":
            machines.kill_one(draw)
            kills["raylet"] += 1
            print(f"{time.monotonic() - start:.0f} s: {dict(kills)}, {written(out)} tasks", flush=True)
            continue
        found = workers()
        if found and (draw.random() < 0.5 if machines is None else kinds[place] == "worker"):
            with suppress(ProcessLookupError):
                os.kill(draw.choice(found), signal.SIGKILL)
                kills["worker"] += 1
            continue
        driver.kill()
        kills["driver"] += 1
        return


def full_disk(folder: Path, place: Path) -> dict[str, Any]:
    """Writes into a small file system until it is full; the driver has to say so and leave nothing half."""
    out = place / "out"
    done = subprocess.run(command(folder / "list.csv", out, 1), cwd=folder, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1:] or [""]
    return {
        "exit_code": done.returncode,
        "said": last[0],
        "half_written": len([*out.rglob(".part-*")]),
        "rows": rows_in(out),
    }


def children(pid: int) -> list[int]:
    """Worker processes of a driver."""
    try:
        listed = Path(f"/proc/{pid}/task").iterdir()
        return [int(one) for task in listed for one in (task / "children").read_text().split()]
    except OSError:
        return []


def written(out: Path) -> int:
    """Tasks that are done; those of a whole shard are gone, and its folder may vanish while it is looked at."""
    whole = len([*out.glob("manifest/part-*")]) * ROWS_PER_SHARD // PAGES_PER_TASK
    return whole + sum(len(names) for _, _, names in os.walk(out / "tasks"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def rows_in(out: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in out.glob("shards/part-*"))


if __name__ == "__main__":
    sys.exit(main())
