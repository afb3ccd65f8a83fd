"""What `got-ocr2 batch` costs: efficiency of more workers, overhead a page, start-up, and a run of very many rows.

    python benchmarks/cluster.py efficiency [--pages 200] [--milliseconds 50] [--waiting | --model] [--workers 1 2 4]
    python benchmarks/cluster.py overhead [--copies 12] [--rounds 3]
    python benchmarks/cluster.py rows [--rows 1000000] [--made-here]

`efficiency` and `rows` have a reader without a model: a page of the first takes so many milliseconds of a core (or a
picture is read with the embedded model), one of the second none; with --made-here rows come from no process at all, so
that planning, tasks, shards, manifests and going on, which are the real ones, have all of the time. `overhead` reads a
picture with the embedded model, in one process by `batch` and by `OCR.read_many`, in turns, each alone on one core.
Each prints a table and ends with a JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fake_page_reader import TARGET
from got_ocr2.cluster.driver import OpenExecutor, Told, run
from got_ocr2.cluster.executors.local import LocalExecutor
from got_ocr2.cluster.options import BatchOptions
from got_ocr2.cluster.progress import Progress
from got_ocr2.cluster.rows import Row
from got_ocr2.cluster.workers.protocol import Request
from got_ocr2.cluster.workers.supervisor import Failed, Supervisor
from got_ocr2.machine import describe

DOCUMENT = 10_000  # pages of a document of `rows`
_ROW = (
    b'{"document":"in.txt","page":PAGE,"status":"complete","text":"A page of no words.","lines":null,'
    b'"seconds":0.25,"model":"fake@1","version":"0","error":null}'
)
PICTURE = Path(__file__).parents[1] / "examples" / "brochure_paragraph.png"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("efficiency")
    one.add_argument("--pages", type=int, default=200)
    one.add_argument("--milliseconds", type=float, default=50.0, help="of a core, a page")
    one.add_argument(
        "--waiting", action="store_true", help="pages wait so long instead, as for a core or GPU elsewhere"
    )
    one.add_argument("--model", action="store_true", help="the embedded model reads a picture instead")
    one.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    two = kinds.add_parser("overhead")
    two.add_argument("--copies", type=int, default=12, help="pages of a run")
    two.add_argument("--rounds", type=int, default=3)
    three = kinds.add_parser("rows")
    three.add_argument("--rows", type=int, default=1_000_000)
    three.add_argument("--made-here", action="store_true", help="rows without a process that reads")
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        measure = {"efficiency": efficiency, "overhead": overhead, "rows": many_rows}[chosen.kind]
        found = measure(Path(folder), chosen)
    load = [round(one, 1) for one in os.getloadavg()]
    print(json.dumps({"measure": chosen.kind, **found, "load": load, "machine": describe()}))


def documents(folder: Path, *contents: str) -> str:
    """A list of fake documents."""
    for number, content in enumerate(contents):
        (folder / f"d{number}.txt").write_text(content)
    path = folder / "list.csv"
    path.write_text("path\n" + "".join(f"d{number}.txt\n" for number in range(len(contents))))
    return str(path)


class MadeHere(Supervisor):
    """A supervisor without a process, which answers at once; all else is as in earnest."""

    def run(self, request: Request, failed: Failed) -> list[Row]:
        if request.kind == "look":
            return [Row(b'{"digest":"%s","pages":%d}' % (b"0" * 32, DOCUMENT), "looked", 0.0, 0)] * len(
                request.items
            )
        head, tail = _ROW.split(b"PAGE")
        return [Row(b"%s%d%s" % (head, page, tail), "complete", 0.25, 0) for _, page in request.names]


class MadeHereExecutor(LocalExecutor):
    """One worker of that kind."""

    def __init__(self, root: str, options: BatchOptions, model: str) -> None:
        super().__init__(root, options, model)
        self.what = "rows without a process"
        for worker in self.workers:
            worker.supervisor.__class__ = MadeHere


def copies_of_picture(folder: Path, count: int) -> str:
    """So many files of one paragraph; a pattern that names them."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"{number}.png").write_bytes(PICTURE.read_bytes())
    return str(folder / "*.png")


def timed_run(
    inputs: str,
    output: Path,
    options: BatchOptions,
    *,
    resume: bool = False,
    open_executor: OpenExecutor = LocalExecutor,
    moments: list[tuple[float, int]] | None = None,
) -> tuple[Progress, float]:
    """A run, and the seconds from the first page to the last, without the start of processes.

    `moments` gets the time of every report and the pages that were done by then.
    """
    first: list[float] = []

    def note(progress: Progress) -> None:
        if progress.counts.rows and not first:
            first.append(time.monotonic())
        if moments is not None:
            moments.append((time.monotonic(), progress.counts.rows))

    told = Told(lambda line: None, note)
    done = run(
        [inputs], output, options, resume=resume, open_executor=open_executor, told=told, picture=False
    )
    return done, time.monotonic() - first[0] if first else 0.0


def speed_of(moments: list[tuple[float, int]]) -> float:
    """Pages a second of the middle half of a run, while no worker begins and none has run dry."""
    count = moments[-1][1]
    first = next(moment for moment in moments if moment[1] >= count / 4)
    last = next(moment for moment in moments if moment[1] >= 3 * count / 4)
    return (last[1] - first[1]) / (last[0] - first[0])


def efficiency(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    work = "slow" if chosen.waiting else "burn"
    if chosen.model:
        inputs = copies_of_picture(folder, chosen.pages)
    else:
        inputs = documents(folder, *[f"pages={chosen.pages // 4} {work}={chosen.milliseconds / 1000}"] * 4)
    rows: list[dict[str, Any]] = []
    for workers in chosen.workers:
        options = BatchOptions(workers=workers, threads=1, pages_per_task=1, rows_per_shard=100)
        if not chosen.model:
            options = replace(options, reader=TARGET)
        moments: list[tuple[float, int]] = []
        done, seconds = timed_run(inputs, folder / f"out{workers}", options, moments=moments)
        start = done.elapsed - seconds
        rows.append({"workers": workers, "pages_per_second": speed_of(moments), "start_seconds": start})
    base = rows[0]["pages_per_second"] / rows[0]["workers"]
    cores = len(os.sched_getaffinity(0))
    at_once = 1 << 20 if chosen.waiting else cores
    print(f"{'workers':>8}{'pages/s':>10}{'efficiency':>12}{'start':>8}   ({cores} cores)")
    for row in rows:
        row["efficiency"] = row["pages_per_second"] / (base * min(row["workers"], at_once))
        print(
            f"{row['workers']:>8}{row['pages_per_second']:>10.1f}{100 * row['efficiency']:>11.0f}%"
            f"{row['start_seconds']:>7.1f}s"
        )
    return {
        "milliseconds": None if chosen.model else chosen.milliseconds,
        "waiting": chosen.waiting,
        "cores": cores,
        "rows": rows,
    }


def overhead(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Seconds of the clock and of processors a page, by `OCR.read_many` and by `batch` with one worker, in turns."""
    from got_ocr2 import OCR

    inputs = copies_of_picture(folder, chosen.copies)
    one = copies_of_picture(folder / "one", 1)
    ocr = OCR.from_pretrained()
    ocr.read(PICTURE)
    rounds: list[dict[str, float]] = []
    for number in range(chosen.rounds):
        start, cpu = time.monotonic(), time.process_time()
        texts = [result.text for result in ocr.read_many([str(p) for p in sorted(folder.glob("*.png"))])]
        found = {
            "read_many": (time.monotonic() - start) / chosen.copies,
            "read_many_cpu": (time.process_time() - cpu) / chosen.copies,
        }
        # One page a task, so that the first report comes after one page and the time is of the others; what a run costs
        # that reads one page is the start of processes and the opening of the model.
        options = BatchOptions(workers=1, threads=1, pages_per_task=1, shards="jsonl")
        out = folder / f"out{number}"
        cpu_one, _ = _cpu_of(one, folder / f"one{number}", options)
        cpu_all, seconds = _cpu_of(inputs, out, options)
        rest = chosen.copies - 1
        found["batch"] = seconds / rest
        found["batch_cpu"] = (sum(cpu_all) - sum(cpu_one)) / rest
        found["driver_cpu"] = (cpu_all[0] - cpu_one[0]) / rest
        rounds.append(found)
        lines = (out / "shards" / "part-00000000.jsonl").read_text("utf-8").splitlines()
        assert sorted(json.loads(line)["text"] for line in lines) == sorted(texts)
    middle = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    ratios = {
        "clock": statistics.median(one["batch"] / one["read_many"] - 1 for one in rounds),
        "processors": statistics.median(one["batch_cpu"] / one["read_many_cpu"] - 1 for one in rounds),
        "driver": middle["driver_cpu"] / middle["read_many_cpu"],
    }
    print(f"{'a page, ms':14}{'clock':>8}{'processors':>12}")
    print(f"{'read_many':14}{1000 * middle['read_many']:>8.0f}{1000 * middle['read_many_cpu']:>12.0f}")
    print(f"{'batch':14}{1000 * middle['batch']:>8.0f}{1000 * middle['batch_cpu']:>12.0f}")
    print(f"{'  its driver':14}{'':>8}{1000 * middle['driver_cpu']:>12.1f}")
    print("overhead " + ", ".join(f"{name} {100 * value:+.1f} %" for name, value in ratios.items()))
    return {"rounds": rounds, "median": middle, "overhead": ratios}


def _cpu_of(inputs: str, out: Path, options: BatchOptions) -> tuple[tuple[float, float], float]:
    """A run: seconds of processors of the driver and of its workers, and of the clock after the first page."""
    own, others = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    _, seconds = timed_run(inputs, out, options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    workers = after.ru_utime + after.ru_stime - others.ru_utime - others.ru_stime
    return (time.process_time() - own, workers), seconds


def many_rows(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Very many pages that take no time: the driver's memory, rows a second, and how long going on takes."""
    pages = min(chosen.rows, DOCUMENT)
    executor = MadeHereExecutor if chosen.made_here else LocalExecutor
    inputs = documents(folder, *[f"pages={pages} text=t{n}" for n in range(chosen.rows // pages)])
    options = BatchOptions(reader=TARGET, workers=1, threads=1, pages_per_task=500, rows_per_shard=10_000)
    memory: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(2.0):
            memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.monotonic()
    done, _ = timed_run(inputs, folder / "out", options, open_executor=executor)
    seconds, cpu = time.monotonic() - start, time.process_time()
    over.set()
    watcher.join()
    start = time.monotonic()
    again, _ = timed_run(inputs, folder / "out", options, resume=True, open_executor=executor)
    resume = time.monotonic() - start
    assert again.counts.rows == 0
    assert again.earlier.rows == done.counts.rows == chosen.rows
    half = len(memory) // 2
    sizes = {
        name: sum(p.stat().st_size for p in (folder / "out" / name).iterdir())
        for name in ("shards", "manifest", "plan")
    }
    found = {
        "rows": chosen.rows,
        "made_here": chosen.made_here,
        "seconds": round(seconds, 1),
        "rows_per_second": round(chosen.rows / seconds),
        "driver_microseconds_per_row": round(1e6 * cpu / chosen.rows, 1),
        "memory_mib_first_half": max(memory[:half] or [0]),
        "memory_mib_second_half": max(memory[half:] or [0]),
        "resume_seconds": round(resume, 1),
        "bytes_per_row": {name: round(size / chosen.rows, 2) for name, size in sizes.items()},
    }
    for name, value in found.items():
        print(f"{name:32}{value}")
    return found


if __name__ == "__main__":
    main()
