"""What the scripts for the CPU and for CUDA share: workers that take turns, and rows of a table."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from peers import VARIANTS

from got_ocr2.benchmarking.benchmark import in_turn
from got_ocr2.benchmarking.processes import WORKER, Worker
from got_ocr2.benchmarking.subjects import Variant, variant
from got_ocr2.benchmarking.worker import Spec

_PEERS = Path(__file__).with_name("peers.py")


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        measure: what; rows of equal measure can be compared.
        variant: whose; see `bench_subjects.variant`.
        value: the median; the smaller the better.
        unit: "s" for a whole, "ms" for a step, "GB".
        runs: every measurement.
        ratio: how many times less than the baseline's; to the same variant without a draft for drafted pages.
        roofline: share of the read bandwidth that a step reaches, for decoding.
        same_ids: share of ids before the first that differs from the baseline's, for pages of full precision.
        note: what else should be known, such as how many drafted ids were kept.
    """

    measure: str
    variant: str
    value: float
    unit: str
    runs: tuple[float, ...]
    ratio: float | None = None
    roofline: float | None = None
    same_ids: float | None = None
    note: str = ""


@contextlib.contextmanager
def open_workers(
    folder: Path,
    names: Sequence[str],
    *,
    device: str,
    threads: int,
    say: Callable[[str], object],
    environment: Mapping[str, str] | None = None,
    exports: Path | None = None,
) -> Iterator[dict[str, Worker]]:
    """A loaded worker for each variant, by its name; `exports` is where those of `peers.VARIANTS` find theirs."""
    with contextlib.ExitStack() as stack:
        opened: dict[str, Worker] = {}
        for name in names:
            say(f"loading {name}")
            spec = Spec(str(folder), any_variant(name, device), device, threads)
            program = (str(_PEERS), str(exports)) if name in VARIANTS else ("-m", WORKER)
            opened[name] = stack.enter_context(Worker(spec, environment, program))
            opened[name].wait()
        yield opened


def any_variant(name: str, device: str) -> Variant:
    """Also of those of `peers`."""
    return VARIANTS[name] if name in VARIANTS else variant(name, device)


Answers = list[dict[str, Any]]


def rounds(
    workers: Mapping[str, Worker], count: int, say: Callable[[str], object], task: str, **arguments: Any
) -> dict[str, Answers]:
    """The answers of every worker to the same request, `count` times, in turns; by the workers' names."""
    names = {worker: name for name, worker in workers.items()}
    answers: dict[str, Answers] = {name: [] for name in workers}
    what = ", ".join(f"{name} {value}" for name, value in arguments.items() if isinstance(value, int))
    for index in range(count):
        for worker in in_turn([*workers.values()], index):
            say(f"{task} {what}, round {index + 1} of {count}: {names[worker]}".strip())
            answers[names[worker]].append(worker.ask(task, **arguments))
    return answers


def rows_of(
    measure: str,
    unit: str,
    answers: Mapping[str, Answers],
    value: Callable[[dict[str, Any]], float],
    baseline: str,
) -> list[Row]:
    """A row for each variant, with its ratio to the baseline."""
    runs = {name: tuple(value(answer) for answer in given) for name, given in answers.items()}
    medians = {name: statistics.median(values) for name, values in runs.items()}
    return [
        Row(measure, name, medians[name], unit, runs[name], medians[baseline] / medians[name])
        for name in answers
    ]


def median_step(answer: Mapping[str, Any]) -> float:
    """Milliseconds of a step."""
    return 1000 * statistics.median(answer["steps"])


def replace_row(row: Row, **changes: Any) -> Row:
    return Row(**{**asdict(row), **changes})


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """The table, for people."""
    print(f"{'measure':26}{'variant':20}{'value':>12}{'x':>9}{'bandwidth':>11}{'same ids':>10}")
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        share = "" if row["roofline"] is None else f"{100 * row['roofline']:.0f} %"
        same = "" if row["same_ids"] is None else f"{100 * row['same_ids']:.1f} %"
        value = f"{row['value']:.3f} {row['unit']}"
        print(
            f"{row['measure']:26}{row['variant']:20}{value:>12}{ratio:>9}{share:>11}{same:>10}  {row['note']}"
        )


def show_goals(goals: Sequence[Mapping[str, Any]]) -> None:
    """What was aimed at and what was found, where it was measured."""
    for goal in goals:
        if goal["found"] is not None:
            verdict = "reached" if goal["found"] >= goal["goal"] else "missed"
            print(f"{goal['measure']}, {goal['variant']}: {goal['found']:.2f} of {goal['goal']:g}: {verdict}")
