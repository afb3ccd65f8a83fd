"""The engine beside transformers on a CPU, at the published size: one command, one table.

    python benchmarks/engine.py --json engine.json
    python benchmarks/report.py engine.json

Both sides load the same checkpoint of random weights, rounded to bf16. Every variant is a process of its own; they take
turns, and the figures are medians over the rounds. The baseline is transformers in fp32; its bf16 is shown beside it,
because which is faster depends on the processor. `--peers` adds ONNX Runtime and OpenVINO on exports of the checkpoint,
see `peers.py`. Vision is measured twice: with glibc's allocator as it comes, and with
one told to keep memory, which helps the baseline most. The last line of the output is JSON.

transformers is needed: pip install 'transformers>=5.23,<6'; for peers: pip install 'got-ocr2[bench]'.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import peers
import torch
from measuring import (
    Row,
    any_variant,
    median_step,
    open_workers,
    replace_row,
    rounds,
    rows_of,
    show,
    show_goals,
)
from PIL import Image, ImageDraw, ImageFont

from got_ocr2 import OCR
from got_ocr2.benchmarking.benchmark import prepared
from got_ocr2.benchmarking.processes import TUNED_MALLOC, Worker
from got_ocr2.benchmarking.roofline import step_bytes
from got_ocr2.benchmarking.subjects import LETTERS, spelt
from got_ocr2.benchmarking.workload import AFTER_IMAGE, BEFORE_IMAGE, same_prefix
from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import GotOcr2Error
from got_ocr2.kernels import set_threads
from got_ocr2.machine import describe, settings

BASELINE = "transformers-fp32"
THEIRS = (BASELINE, "transformers-bf16")
OURS = ("exact", "int8", "int4", "torch")
DRAFT_ERRORS = 0.05
MISREAD = (0.02, 0.05, 0.1)  # letters that a reader of lines gets wrong before the page is read
LINE = 60  # letters of a line of print

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
class Options:
    threads: int
    rounds: int
    page_rounds: int
    page_tokens: int
    decode_tokens: int
    batches: tuple[int, ...]
    variants: tuple[str, ...]
    parts: tuple[str, ...]
    peers: tuple[str, ...] = ()


def measure_pages(
    workers: Mapping[str, Worker], config: GotOcr2Config, options: Options, say: Callable[[str], object]
) -> list[Row]:
    """Whole pages, then the same pages with drafts. Comes first, so that peak memory is that of a page."""
    tokens = options.page_tokens
    answers = rounds(workers, options.page_rounds, say, "page", rows=1, tokens=tokens)
    reference = answers[BASELINE][0]["ids"]
    found: list[Row] = []
    for row in rows_of("page", "s", answers, lambda a: a["seconds"], BASELINE):
        exact = row.variant in ("exact", "torch") or row.variant.endswith("-fp32")
        same = same_prefix(answers[row.variant][0]["ids"], reference) if exact else None
        distinct = len(set(answers[row.variant][0]["ids"][0]))
        found.append(replace_row(row, same_ids=same, note=f"{distinct} different ids"))
    first = {name: given[:1] for name, given in answers.items()}
    if all(given[0]["peak_bytes"] for given in first.values()):
        found += rows_of("peak memory of a page", "GB", first, lambda a: a["peak_bytes"] / 1e9, BASELINE)
    plain = {row.variant: row.value for row in found if row.measure == "page"}
    drafting = [name for name in ("exact", "int8") if name in workers]
    letters = LETTERS * tokens
    reading = seconds_of_lines(letters, options.threads) if drafting else 0.0
    for name in drafting:
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
        found += measure_after_lines(
            workers[name], name, answers[name][0]["ids"], plain[name], reading, options, say
        )
    return found


def measure_after_lines(
    worker: Worker, name: str, ids: list[list[int]], plain: float, reading: float, options: Options,
    say: Callable[[str], object],
) -> list[Row]:  # fmt: skip
    """The same page after its lines were read in `reading` seconds, which are counted."""
    letters = spelt(ids[0])
    found: list[Row] = []
    for share in MISREAD:
        given = rounds(
            {name: worker}, options.page_rounds, say, "page", rows=1, tokens=options.page_tokens,
            draft=misread(letters, share),
        )[name]  # fmt: skip
        if given[-1]["ids"] != ids:
            raise GotOcr2Error(f"{name} wrote another text after its lines were read than without.")
        runs = tuple(answer["seconds"] + reading for answer in given)
        value = statistics.median(runs)
        note = f"{given[-1]['kept']} of {given[-1]['drafted']} drafted ids kept; lines took {reading:.2f} s"
        measure = f"page with its lines, {100 * share:.0f} % misread"
        found.append(Row(measure, name, value, "s", runs, plain / value, note=note))
    return found


def seconds_of_lines(letters: int, threads: int) -> float:
    """How long the embedded model takes for a page with about so many letters; the second time counts."""
    size = 24
    image = Image.new("RGB", (LINE * size, (letters // LINE + 3) * 2 * size), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    words = random.Random(0)
    for row in range(max(1, letters // LINE)):
        line = ""
        while len(line) < LINE - 4:
            line += "".join(words.choices("etaoinshrdlucmfwygpb", k=words.randint(2, 9))) + " "
        draw.text((size, (row + 1) * 2 * size), line.rstrip(), fill="black", font=font)
    torch.set_num_threads(threads)
    with contextlib.closing(OCR.from_pretrained(device="cpu")) as ocr:
        if ocr.why_not_native is None:
            set_threads(threads)
        ocr.read(image)
        start = perf_counter()
        ocr.read(image)
        return perf_counter() - start


def misread(letters: str, share: float, seed: int = 0) -> str:
    """Letters of which a share was left out, replaced, or followed by a wrong one, each a third of the time."""
    draw = random.Random(seed)
    wrong = sorted(set(letters))
    found: list[str] = []
    for letter in letters:
        if draw.random() >= share:
            found.append(letter)
        elif kind := draw.randrange(3):
            found += [letter, draw.choice(wrong)][kind == 1 :]
    return "".join(found)


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
            found += rows_of(f"prompt of {prompt} tokens", "s", answers, lambda a: a["first"], BASELINE)
        for row in rows_of(f"decode, batch {batch}", "ms", answers, median_step, BASELINE):
            one = any_variant(row.variant, "cpu")
            read = step_bytes(config, one.weights, one.cache, batch, prompt + options.decode_tokens / 2)
            found.append(replace_row(row, roofline=read / (row.value / 1000) / bandwidth))
    return found


def measure_vision(
    opening: Callable[..., Any],
    options: Options,
    say: Callable[[str], object],
) -> list[Row]:
    """One picture, under both settings of the allocator, in processes that have done nothing else."""
    # int4 has vision in int8
    names = (*THEIRS, *(name for name in (*options.variants, *options.peers) if not name.endswith("int4")))
    found: list[Row] = []
    for malloc, environment in (("default", None), ("tuned", TUNED_MALLOC)):
        with opening(names, environment=environment) as workers:
            rounds(workers, 1, say, "vision", images=1)
            answers = rounds(workers, options.rounds, say, "vision", images=1)
        found += rows_of(f"vision, {malloc} malloc", "s", answers, lambda a: a["seconds"], BASELINE)
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


def goals(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Every goal with what was found for it, None if it was not measured."""
    found = {(row.measure, row.variant): row.ratio for row in rows}
    listed = [*GOALS, *(("page with a draft", name, DRAFT_GOAL) for name in ("exact", "int8"))]
    return [{"measure": m, "variant": v, "goal": g, "found": found.get((m, v))} for m, v, g in listed]


def run(
    options: Options, model: str | None, say: Callable[[str], object], exports: Path | None = None
) -> dict[str, Any]:
    """Measures everything that `options.parts` names; peers' exports are kept in `exports`, if that is given."""
    rows: list[Row] = []
    peers.require(options.peers)
    with (
        prepared(model, against="transformers", report=say) as (folder, config),
        tempfile.TemporaryDirectory(prefix="got-ocr2-peers-") as temporary,
    ):
        exports = exports or Path(temporary)
        if options.peers:
            peers.export(folder, exports, say)
        opening = partial(
            open_workers, folder, device="cpu", threads=options.threads, say=say, exports=exports
        )
        if {"page", "decode"} & set(options.parts):
            with opening((*THEIRS, *options.variants, *options.peers)) as workers:
                if "page" in options.parts:
                    rows += measure_pages(workers, config, options, say)
                if "decode" in options.parts:
                    rows += measure_decoding(workers, config, options, say)
        if "vision" in options.parts:
            rows += measure_vision(opening, options, say)
        with opening(options.variants[:1]) as workers:
            bandwidth = workers[options.variants[0]].ask("bandwidth")["bytes_per_second"]
    return {
        "benchmark": "engine",
        "model": "random weights of the published size" if model is None else model,
        "machine": {**describe("cpu"), **settings(), "tuned_malloc": TUNED_MALLOC},
        "bandwidth": bandwidth,
        "peers": peers.versions(options.peers),
        "options": asdict(options),
        "rows": [asdict(row) for row in rows],
        "goals": goals(rows),
    }


def show_all(found: Mapping[str, Any]) -> None:
    """What it ran on, the table, the goals."""
    machine = found["machine"]
    print(f"{machine['processor']}, {machine['cores']} cores, {found['options']['threads']} threads")
    print(f"reads {found['bandwidth'] / 1e9:.1f} GB/s; malloc of {machine['libc']}; {machine['environment']}")
    show(found["rows"])
    print()
    show_goals(found["goals"])


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
    parser.add_argument("--peers", nargs="+", default=[], choices=["all", *peers.VARIANTS])
    parser.add_argument(
        "--exports", type=Path, help="keep the peers' exports here, and use those that are there"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    given = parser.parse_args(arguments)
    chosen = tuple(peers.VARIANTS) if "all" in given.peers else tuple(given.peers)
    options = Options(
        given.threads,
        given.rounds,
        given.page_rounds,
        given.page_tokens,
        given.decode_tokens,
        tuple(given.batches),
        tuple(given.variants),
        tuple(given.parts),
        chosen,
    )
    try:
        found = run(
            options, given.model, lambda line: print(line, file=sys.stderr, flush=True), given.exports
        )
    except GotOcr2Error as e:
        print(e, file=sys.stderr)
        return e.exit_code
    show_all(found)
    line = json.dumps(found)
    if given.json is not None:
        given.json.write_text(line + "\n", encoding="utf-8")
    print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
