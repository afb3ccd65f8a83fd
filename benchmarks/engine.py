"""The engine beside transformers on a CPU, at the published size: one command, one table.

    python benchmarks/engine.py --json engine.json
    python benchmarks/report.py engine.json

Both sides load the same checkpoint of random weights, rounded to bf16. Every variant is a process of its own; they take
turns, and the figures are medians over the rounds. The baseline is transformers in fp32; its bf16 is shown beside it,
because which is faster depends on the processor. Vision is measured twice: with glibc's allocator as it comes, and with
one told to keep memory, which helps the baseline most. The last line of the output is JSON.

transformers is needed: pip install 'transformers>=5.23,<6'.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import GotOcr2Error
from got_ocr2.evaluation.bench import in_turn, prepared
from got_ocr2.evaluation.bench_processes import TUNED_MALLOC, Worker
from got_ocr2.evaluation.bench_subjects import variant
from got_ocr2.evaluation.bench_worker import Spec
from got_ocr2.evaluation.machine import describe, settings
from got_ocr2.evaluation.roofline import step_bytes
from got_ocr2.evaluation.workload import AFTER_IMAGE, BEFORE_IMAGE, same_prefix

BASELINE = "transformers-fp32"
THEIRS = (BASELINE, "transformers-bf16")
OURS = ("exact", "int8", "int4", "torch")
DRAFT_ERRORS = 0.05

# What the engine is meant to reach, as ratios to the baseline: (measure, variant, ratio).
GOALS = (
    ("decode, batch 1", "exact", 2.3),
    ("decode, batch 1", "int8", 4.5),
    ("decode, batch 4", "int8", 6.0),
    ("decode, batch 1", "int4", 6.0),
    ("decode, batch 4", "int4", 8.0),
    ("vision, default malloc", "exact", 2.2),
    ("vision, tuned malloc", "exact", 1.5),
    ("vision, default malloc", "int8", 4.0),
    ("peak memory of a page", "exact", 3.0),
    ("page", "exact", 2.3),
    ("page", "int8", 4.0),
)
# The same page with a draft, as ratios to the same variant without one.
DRAFT_GOAL = 2.0


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


@dataclass(frozen=True)
class Options:
    threads: int
    rounds: int
    page_rounds: int
    page_tokens: int
    decode_tokens: int
    batches: tuple[int, ...]
    variants: tuple[str, ...]
    parts: tuple[str, ...]


Answers = list[dict[str, Any]]


def rounds(
    workers: Mapping[str, Worker], count: int, say: Callable[[str], object], task: str, **arguments: Any
) -> dict[str, Answers]:
    """The answers of every worker to the same request, `count` times, in turns; by the workers' names."""
    names = {worker: name for name, worker in workers.items()}
    answers: dict[str, Answers] = {name: [] for name in workers}
    for index in range(count):
        for worker in in_turn([*workers.values()], index):
            say(f"{task} {arguments}, round {index + 1} of {count}: {names[worker]}")
            answers[names[worker]].append(worker.ask(task, **arguments))
    return answers


def rows_of(
    measure: str, unit: str, answers: Mapping[str, Answers], value: Callable[[dict[str, Any]], float]
) -> list[Row]:
    """A row for each variant, with its ratio to the baseline."""
    runs = {name: tuple(value(answer) for answer in given) for name, given in answers.items()}
    medians = {name: statistics.median(values) for name, values in runs.items()}
    return [
        Row(measure, name, medians[name], unit, runs[name], medians[BASELINE] / medians[name])
        for name in answers
    ]


def median_step(answer: Mapping[str, Any]) -> float:
    """Milliseconds of a step."""
    return 1000 * statistics.median(answer["steps"])


def measure_pages(
    workers: Mapping[str, Worker], config: GotOcr2Config, options: Options, say: Callable[[str], object]
) -> list[Row]:
    """Whole pages, then the same pages with drafts. Comes first, so that peak memory is that of a page."""
    tokens = options.page_tokens
    answers = rounds(workers, options.page_rounds, say, "page", rows=1, tokens=tokens)
    reference = answers[BASELINE][0]["ids"]
    found: list[Row] = []
    for row in rows_of("page", "s", answers, lambda a: a["seconds"]):
        exact = not row.variant.startswith("int") and row.variant != "transformers-bf16"
        same = same_prefix(answers[row.variant][0]["ids"], reference) if exact else None
        distinct = len(set(answers[row.variant][0]["ids"][0]))
        found.append(replace_row(row, same_ids=same, note=f"{distinct} different ids"))
    first = {name: given[:1] for name, given in answers.items()}
    if all(given[0]["peak_bytes"] for given in first.values()):
        found += rows_of("peak memory of a page", "GB", first, lambda a: a["peak_bytes"] / 1e9)
    plain = {row.variant: row.value for row in found if row.measure == "page"}
    for name in ("exact", "int8"):
        if name not in workers:
            continue
        draft = with_errors(answers[name][0]["ids"][0], DRAFT_ERRORS, config.text_config.vocab_size)
        drafted = rounds(
            {name: workers[name]}, options.page_rounds, say, "page", rows=1, tokens=tokens, draft=draft
        )
        runs = tuple(answer["seconds"] for answer in drafted[name])
        value = statistics.median(runs)
        last = drafted[name][-1]
        if last["ids"] != answers[name][0]["ids"]:
            raise GotOcr2Error(f"{name} wrote another text with a draft than without one.")
        note = f"{last['kept']} of {last['drafted']} drafted ids kept"
        found.append(Row("page with a draft", name, value, "s", runs, plain[name] / value, note=note))
    return found


def measure_decoding(
    workers: Mapping[str, Worker], config: GotOcr2Config, options: Options, say: Callable[[str], object]
) -> list[Row]:
    """Prompts without pictures: the prompt, then single steps."""
    prompt = BEFORE_IMAGE + config.vision_config.num_image_tokens + AFTER_IMAGE
    bandwidth = next(iter(workers.values())).ask("bandwidth")["bytes_per_second"]
    found: list[Row] = []
    for batch in options.batches:
        asked = {"rows": batch, "prompt": prompt, "tokens": options.decode_tokens}
        rounds(workers, 1, say, "decode", rows=batch, prompt=prompt, tokens=2)  # pays for what is made once
        answers = rounds(workers, options.rounds, say, "decode", **asked)
        if batch == 1:
            found += rows_of(f"prompt of {prompt} tokens", "s", answers, lambda a: a["first"])
        for row in rows_of(f"decode, batch {batch}", "ms", answers, median_step):
            one = variant(row.variant, "cpu")
            read = step_bytes(config, one.weights, one.cache, batch, prompt + options.decode_tokens / 2)
            found.append(replace_row(row, roofline=read / (row.value / 1000) / bandwidth))
    return found


def measure_vision(
    open_workers: Callable[[Sequence[str], Mapping[str, str] | None], Any],
    options: Options,
    say: Callable[[str], object],
) -> list[Row]:
    """One picture, under both settings of the allocator, in processes that have done nothing else."""
    names = (*THEIRS, *(name for name in options.variants if name != "int4"))  # int4 has vision in int8
    found: list[Row] = []
    with open_workers(names, None) as plain, open_workers(names, TUNED_MALLOC) as tuned:
        both = {
            **{f"{n} default": w for n, w in plain.items()},
            **{f"{n} tuned": w for n, w in tuned.items()},
        }
        rounds(both, 1, say, "vision", images=1)
        answers = rounds(both, options.rounds, say, "vision", images=1)
    for malloc in ("default", "tuned"):
        own = {name: answers[f"{name} {malloc}"] for name in names}
        found += rows_of(f"vision, {malloc} malloc", "s", own, lambda a: a["seconds"])
    return found


def with_errors(ids: Sequence[int], share: float, vocabulary: int, seed: int = 0) -> list[int]:
    """Ids of which a share was replaced, left out or followed by a wrong one, each a third of the time."""
    draw = random.Random(seed)
    spoilt: list[int] = []
    for token in ids:
        if draw.random() >= share:
            spoilt.append(token)
            continue
        kind = draw.randrange(3)
        if kind != 0:
            spoilt.append(draw.randrange(vocabulary))
        if kind == 2:
            spoilt.insert(-1, token)
    return spoilt


def replace_row(row: Row, **changes: Any) -> Row:
    return Row(**{**asdict(row), **changes})


def goals(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Every goal with what was found for it, None if it was not measured."""
    found = {(row.measure, row.variant): row.ratio for row in rows}
    listed = [*GOALS, *(("page with a draft", name, DRAFT_GOAL) for name in ("exact", "int8"))]
    return [{"measure": m, "variant": v, "goal": g, "found": found.get((m, v))} for m, v, g in listed]


def run(options: Options, model: str | None, say: Callable[[str], object]) -> dict[str, Any]:
    """Measures everything that `options.parts` names."""
    rows: list[Row] = []
    with prepared(model, against="transformers", report=say) as (folder, config):

        @contextlib.contextmanager
        def open_workers(names: Sequence[str], environment: Mapping[str, str] | None = None):
            with contextlib.ExitStack() as stack:
                opened: dict[str, Worker] = {}
                for name in names:
                    say(f"loading {name}")
                    spec = Spec(str(folder), variant(name, "cpu"), "cpu", options.threads)
                    opened[name] = stack.enter_context(Worker(spec, environment))
                    opened[name].wait()
                yield opened

        if {"page", "decode"} & set(options.parts):
            with open_workers((*THEIRS, *options.variants)) as workers:
                if "page" in options.parts:
                    rows += measure_pages(workers, config, options, say)
                if "decode" in options.parts:
                    rows += measure_decoding(workers, config, options, say)
        if "vision" in options.parts:
            rows += measure_vision(open_workers, options, say)
        with open_workers(options.variants[:1]) as workers:
            bandwidth = workers[options.variants[0]].ask("bandwidth")["bytes_per_second"]
    return {
        "benchmark": "engine",
        "model": "random weights of the published size" if model is None else model,
        "machine": {**describe("cpu"), **settings(), "tuned_malloc": TUNED_MALLOC},
        "bandwidth": bandwidth,
        "options": asdict(options),
        "rows": [asdict(row) for row in rows],
        "goals": goals(rows),
    }


def show(found: Mapping[str, Any]) -> None:
    """The table, for people."""
    machine = found["machine"]
    print(f"{machine['processor']}, {machine['cores']} cores, {found['options']['threads']} threads")
    print(f"reads {found['bandwidth'] / 1e9:.1f} GB/s; malloc of {machine['libc']}; {machine['environment']}")
    print(f"{'measure':26}{'variant':20}{'value':>12}{'x fp32':>9}{'bandwidth':>11}{'same ids':>10}")
    for row in found["rows"]:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        share = "" if row["roofline"] is None else f"{100 * row['roofline']:.0f} %"
        same = "" if row["same_ids"] is None else f"{100 * row['same_ids']:.1f} %"
        value = f"{row['value']:.2f} {row['unit']}"
        print(
            f"{row['measure']:26}{row['variant']:20}{value:>12}{ratio:>9}{share:>11}{same:>10}  {row['note']}"
        )
    print()
    for goal in found["goals"]:
        if goal["found"] is not None:
            verdict = "reached" if goal["found"] >= goal["goal"] else "missed"
            print(
                f"{goal['measure']}, {goal['variant']}: {goal['found']:.2f}x of {goal['goal']:g}x: {verdict}"
            )


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", help="a checkpoint instead of random weights of the published size")
    parser.add_argument("--threads", type=int, default=describe()["cores"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page-rounds", type=int, default=2)
    parser.add_argument("--page-tokens", type=int, default=600)
    parser.add_argument("--decode-tokens", type=int, default=25)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--variants", nargs="+", default=list(OURS), choices=OURS)
    parser.add_argument(
        "--parts", nargs="+", default=["page", "decode", "vision"], choices=["page", "decode", "vision"]
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    given = parser.parse_args(arguments)
    options = Options(
        given.threads,
        given.rounds,
        given.page_rounds,
        given.page_tokens,
        given.decode_tokens,
        tuple(given.batches),
        tuple(given.variants),
        tuple(given.parts),
    )
    try:
        found = run(options, given.model, lambda line: print(line, file=sys.stderr, flush=True))
    except GotOcr2Error as e:
        print(e, file=sys.stderr)
        return e.exit_code
    show(found)
    line = json.dumps(found)
    if given.json is not None:
        given.json.write_text(line + "\n", encoding="utf-8")
    print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
