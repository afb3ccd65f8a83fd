"""What quantised weights cost in quality: int8 and int4 beside the exact weights, on pages with their right text.

    python benchmarks/quantisation.py --json quantisation.json
    python benchmarks/report.py quantisation.json

By default the embedded model reads the frozen test sets of plain print and the real scans in `examples/`. For every
page:

- the exact text is given to the quantised model token by token: at how many places does it keep the best token;
- it reads the page by itself: how far does its text agree with the exact one, what is its character error rate against
  the exact text, and what against the right text.

Random weights cannot answer this, so no published size appears here. The last line of the output is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from got_ocr2 import OCR
from got_ocr2.benchmarking.backends import BACKENDS, make_runner
from got_ocr2.benchmarking.workload import same_prefix
from got_ocr2.documents import open_source
from got_ocr2.errors import GotOcr2Error
from got_ocr2.evaluation import Dataset, Page, load_dataset
from got_ocr2.evaluation.metrics.text import character_errors
from got_ocr2.generation import GenerationOptions
from got_ocr2.machine import describe
from got_ocr2.verification.verify import PageInput, Reading, read

ROOT = Path(__file__).resolve().parent.parent
SETS = ("examples", "testsets/text-words", "testsets/text-lines", "testsets/text-paragraphs")


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
    ocr: OCR, dataset: Dataset, limit: int | None, threads: int, variants: Sequence[str]
) -> list[Quality]:
    """All back ends on the plain pages of a set; pages that are asked for by region, format or tiles are left out."""
    pages = [page for page in dataset.pages if page.text is not None and page.task == type(page.task)()][
        :limit
    ]
    if not pages:
        raise GotOcr2Error(f"{dataset.name} has no page that is read as plain text.")
    inputs = [input_of(ocr, page) for page in pages]
    tokens = 16 + 5 * max(len((page.text or "").encode()) for page in pages) // 4
    ends = GenerationOptions(eos_token_id=ocr.model.generation_defaults.eos_token_id)
    exact: list[Reading] = []
    texts: dict[str, list[str]] = {}
    found: list[Quality] = []
    for name in ("exact", *variants):
        runner = make_runner(ocr.model, name, threads=threads)
        given = [one.ids for one in exact] or [None] * len(pages)
        readings = [read(runner, page, tokens, ends, ids) for page, ids in zip(inputs, given, strict=True)]
        exact = exact or readings
        texts[name] = [ocr.processor.decode(one.ids, skip_special_tokens=True) for one in readings]
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
                error_rate(texts[name], [page.text or "" for page in pages]),
                error_rate(texts[name], texts["exact"]),
            )
        )
    return found


def input_of(ocr: OCR, page: Page) -> PageInput:
    """The page as the model gets it."""
    batch = ocr.processor(next(open_source(page.files[0])).image)
    return PageInput(batch["input_ids"], batch["pixel_values"])


def error_rate(texts: Sequence[str], truths: Sequence[str]) -> float:
    """Character errors of all pages over the characters of all truths."""
    errors = [character_errors(text, truth) for text, truth in zip(texts, truths, strict=True)]
    return sum(one[0] for one in errors) / max(1, sum(one[1] for one in errors))


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", nargs="*", default=[str(ROOT / name) for name in SETS])
    parser.add_argument("--model", help="a checkpoint; the embedded model by default")
    parser.add_argument("--variants", nargs="+", default=list(BACKENDS[1:]), choices=BACKENDS[1:])
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
            rows += measure(ocr, load_dataset(path), given.limit, given.threads, given.variants)
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
