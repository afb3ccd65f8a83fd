"""What quantised weights cost in quality: int8 and int4 beside the exact weights, on pages with their right text.

    python benchmarks/quantisation.py --json quantisation.json
    python benchmarks/report.py quantisation.json

By default the embedded model reads the frozen test sets of plain print and the real scans in `examples/`. For every
page, or every piece of a line for a model that reads lines:

- the exact text is given to the quantised model token by token: at how many places does it keep the best token;
- it reads by itself: how far does its text agree with the exact one.

Pages are then read whole, as users read them: what is the character error rate against what exact weights read, and
what against the right text. "kv-bf16" and "kv-int8" are exact weights with keys and values in fewer bits.

Random weights cannot answer this, so no published size appears here. The last line of the output is JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from got_ocr2 import OCR
from got_ocr2.benchmarking.backends import BACKENDS, make_runner
from got_ocr2.benchmarking.workload import same_prefix
from got_ocr2.documents import open_source
from got_ocr2.errors import GotOcr2Error
from got_ocr2.evaluation import Dataset, Page, load_dataset
from got_ocr2.evaluation.metrics.text import character_errors
from got_ocr2.generation import GenerationOptions
from got_ocr2.layout import find_lines, line_pieces
from got_ocr2.machine import describe
from got_ocr2.modeling.backends.native.runner import NativeRunner
from got_ocr2.verification.verify import PageInput, Reading, read

ROOT = Path(__file__).resolve().parent.parent
SETS = ("examples", "testsets/text-lines", "testsets/text-degraded-lines", "testsets/text-paragraphs")
CACHES = ("kv-bf16", "kv-int8")


@dataclass(frozen=True)
class Quality:
    """One back end on one set.

    Attributes:
        dataset, variant, pages: what was read with what.
        best_kept: share of tokens that stay the best when those before them are given, 0..1.
        text_kept: share of tokens before the first that differs, over all pages, 0..1.
        cer: character error rate against the right text; `cer_to_exact` against the exact model's text.
    """

    dataset: str
    variant: str
    pages: int
    best_kept: float
    text_kept: float
    cer: float
    cer_to_exact: float


def measure(
    model: str | None, ocr: OCR, dataset: Dataset, limit: int | None, threads: int, variants: Sequence[str]
) -> list[Quality]:
    """All back ends on the plain pages of a set; pages that are asked for by region, format or tiles are left out."""
    pages = [page for page in dataset.pages if page.text is not None and page.task == type(page.task)()][
        :limit
    ]
    if not pages:
        raise GotOcr2Error(f"{dataset.name} has no page that is read as plain text.")
    inputs = [one for page in pages for one in inputs_of(ocr, page)]
    truths = [page.text or "" for page in pages]
    tokens = 16 + 5 * max(len(truth.encode()) for truth in truths) // 4
    ends = GenerationOptions(eos_token_id=ocr.model.generation_defaults.eos_token_id)
    exact: list[Reading] = []
    texts: dict[str, list[str]] = {}
    found: list[Quality] = []
    for name in ("exact", *variants):
        if name in CACHES:
            cache: Any = name.removeprefix("kv-")
            runner = NativeRunner(ocr.model, threads=threads, cache=cache)
        else:
            runner = make_runner(ocr.model, name, threads=threads)
        given = [one.ids for one in exact] or [None] * len(inputs)
        readings = [read(runner, page, tokens, ends, ids) for page, ids in zip(inputs, given, strict=True)]
        exact = exact or readings
        texts[name] = read_whole(model, name, pages, tokens)
        kept = torch.cat(
            [a.logits.argmax(-1) == b.logits.argmax(-1) for a, b in zip(readings, exact, strict=True)]
        )
        found.append(
            Quality(
                dataset.name,
                name,
                len(pages),
                float(kept.float().mean()),
                same_prefix([a.ids for a in readings], [b.ids for b in exact]),
                error_rate(texts[name], truths),
                error_rate(texts[name], texts["exact"]),
            )
        )
    return found


def inputs_of(ocr: OCR, page: Page) -> list[PageInput]:
    """What the model gets of a page: the page, or pieces of its lines."""
    image = next(open_source(page.files[0])).image
    images = [image]
    if ocr.processor.reads == "lines":
        images = [piece.image for line in find_lines(image).lines for piece in line_pieces(image, line)]
    batches = [ocr.processor(one) for one in images]
    return [PageInput(batch["input_ids"], batch["pixel_values"]) for batch in batches]


def read_whole(model: str | None, name: str, pages: Sequence[Page], tokens: int) -> list[str]:
    """The texts of pages as users get them."""
    options: Any = {"kv_cache": name.removeprefix("kv-")} if name in CACHES else {"quantization": name}
    options = {} if name == "exact" else options
    with contextlib.closing(OCR.from_pretrained(model, device="cpu", **options)) as ocr:
        lines = ocr.processor.reads == "lines"
        return [ocr.read(page.files[0], max_new_tokens=None if lines else tokens).text for page in pages]


def error_rate(texts: Sequence[str], truths: Sequence[str]) -> float:
    """Character errors of all pages over the characters of all truths."""
    errors = [character_errors(text, truth) for text, truth in zip(texts, truths, strict=True)]
    return sum(one[0] for one in errors) / max(1, sum(one[1] for one in errors))


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", nargs="*", default=[str(ROOT / name) for name in SETS])
    parser.add_argument("--model", help="a checkpoint; the embedded model by default")
    known = (*BACKENDS[1:], *CACHES)
    parser.add_argument("--variants", nargs="+", default=list(known), choices=known)
    parser.add_argument("--limit", type=int, help="only the first pages of each set")
    parser.add_argument("--threads", type=int, default=describe()["cores"])
    parser.add_argument("--json", type=Path, help="write the figures here")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    rows: list[Quality] = []
    try:
        ocr = OCR.from_pretrained(given.model, device="cpu", dtype="float32")
        for path in given.sets:
            print(f"reading {path}", file=sys.stderr, flush=True)
            rows += measure(given.model, ocr, load_dataset(path), given.limit, given.threads, given.variants)
    except GotOcr2Error as e:
        print(e, file=sys.stderr)
        return e.exit_code
    print(
        f"{'set':20}{'weights':>8}{'pages':>7}{'best token kept':>17}{'text kept':>11}{'CER':>8}{'CER to exact':>14}"
    )
    for row in rows:
        print(
            f"{row.dataset:20}{row.variant:>8}{row.pages:>7}{row.best_kept:>17.4f}{row.text_kept:>11.3f}"
            f"{row.cer:>8.4f}{row.cer_to_exact:>14.4f}"
        )
    line = json.dumps(
        {
            "benchmark": "quantisation",
            "model": given.model or "default",
            "machine": describe("cpu"),
            "rows": [asdict(row) for row in rows],
        }
    )
    if given.json is not None:
        given.json.write_text(line + "\n", encoding="utf-8")
    print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
