"""The back end for CUDA devices: its tests on a GPU, then its speed beside transformers, in one command.

    pip install '.[test]'
    python benchmarks/gpu.py --out docs/reports/gpu.json

It is meant for a GPU that is lent for minutes: random weights of the published size, no downloads, and work that
should fit into ten minutes on an H100. All figures come from one process, ours and transformers' in turns, medians of
rounds. In order:

- `pytest -m gpu tests/modeling`: numbers, recordings, that nothing waits (`--skip-tests` leaves them out);
- the share of greedy ids that agree with transformers, in fp32 and in bf16;
- encoding of pictures, 1 and 8 at a time;
- decoding in bf16 by batch size, and the share of the measured read bandwidth;
- pages a second: more pages than fit at a time, each of one picture and `--page-tokens` tokens.

`--rehearse` runs all of it but the tests with a tiny model, on the CPU if there is no GPU: figures mean nothing then,
but the next run on a lent GPU will not fail for a typing error.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from got_ocr2.benchmarking.roofline import read_bandwidth, step_bytes
from got_ocr2.benchmarking.subjects import open_subject, variant
from got_ocr2.benchmarking.workload import page_prompt, pictures, same_prefix, save_random_model, text_prompt
from got_ocr2.config import GotOcr2Config, GotOcr2TextConfig, GotOcr2VisionConfig
from got_ocr2.generation.engine.engine import Engine
from got_ocr2.generation.engine.requests import Handle, Request
from got_ocr2.machine import describe
from got_ocr2.modeling import load_model
from got_ocr2.modeling.backends.cuda.runner import CudaRunner

ROOT = Path(__file__).resolve().parent.parent
PROMPT = 286  # tokens of a plain question about one picture
TINY = GotOcr2Config(
    vision_config=GotOcr2VisionConfig(
        hidden_size=24, output_channels=10, num_hidden_layers=2, num_attention_heads=3, image_size=64, patch_size=8,
        window_size=5, global_attn_indexes=(1,), mlp_dim=40,
    ),
    text_config=GotOcr2TextConfig(
        vocab_size=97, hidden_size=32, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2,
    ),
    image_token_index=91,
)  # fmt: skip


class Ours:
    """The runner under test in an engine that stays: what is recorded once serves every measurement."""

    def __init__(self, folder: Path, device: str, dtype: str, rows: int, positions: int) -> None:
        model = load_model(folder, device=device, dtype=dtype)
        self.config, self.device = model.config, device
        self.runner = CudaRunner(model)
        self.engine = Engine(self.runner, positions=positions, rows=rows)

    def encode(self, pixel_values: Tensor) -> None:
        with torch.inference_mode():
            self.runner.encode(pixel_values)
        wait(self.device)

    def submit(self, ids: Sequence[int], pixels: Tensor | None, tokens: int) -> Handle:
        return self.engine.submit(Request(ids=ids, max_new_tokens=tokens, pixel_values=pixels))

    def write(self, input_ids: Tensor, tokens: int) -> tuple[float, list[list[int]]]:
        """Continues all prompts; seconds a step once all have begun, and the new ids."""
        handles = [self.submit(ids, None, tokens) for ids in input_ids.tolist()]
        times = [perf_counter() for _ in handles[-1]]
        found = [list(handle.result().tokens) for handle in handles]
        # The first and the last steps are not whole: prompts enter a few at a time.
        inner = times[len(times) // 4 : -len(times) // 4]
        return (inner[-1] - inner[0]) / (len(inner) - 1), found

    def close(self) -> None:
        self.engine.close()


def wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def seconds_of(work: Callable[[], object], device: str) -> float:
    wait(device)
    start = perf_counter()
    work()
    wait(device)
    return perf_counter() - start


def run_tests() -> str:
    """The last line of `pytest -m gpu`; its output is shown as it comes."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", str(ROOT / "tests" / "modeling")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    last = ""
    for line in process.stdout or ():
        print(line, end="", flush=True)
        last = line.strip() or last
    process.wait()
    return last


def agreement(folder: Path, args: argparse.Namespace) -> dict[str, float]:
    """Share of greedy ids before the first difference from transformers, by dtype."""
    found: dict[str, float] = {}
    for dtype, name in (("float32", "transformers-fp32"), ("bfloat16", "transformers-bf16")):
        theirs = open_subject(folder, variant(name, args.device), args.device, args.threads)
        ours = Ours(folder, args.device, dtype, rows=4, positions=4 * (PROMPT + args.tokens))
        prompts = text_prompt(ours.config, 4, args.prompt)
        expected = theirs.write(prompts, None, args.tokens).ids
        found[dtype] = same_prefix(expected, ours.write(prompts, args.tokens)[1])
        ours.close()
        del ours, theirs
        free_memory()
    return found


def vision(ours: Ours, theirs: Any, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Milliseconds a picture, theirs and ours."""
    rows: list[dict[str, Any]] = []
    for count in (1, 8):
        pixels = pictures(ours.config, count)
        sides: tuple[Any, ...] = (theirs, ours)
        for side in sides:
            side.encode(pixels)
        seconds: list[list[float]] = [[], []]
        for _ in range(args.rounds):
            for own, side in zip(seconds, sides, strict=True):
                own.append(seconds_of(partial(side.encode, pixels), args.device))
        their_ms, our_ms = (1000 * statistics.median(own) / count for own in seconds)
        rows.append(
            {"pictures": count, "transformers_ms": their_ms, "ours_ms": our_ms, "x": their_ms / our_ms}
        )
    return rows


def decoding(ours: Ours, theirs: Any, bandwidth: float, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Milliseconds a step by batch size, theirs and ours."""
    table: list[dict[str, Any]] = []
    for rows in args.rows:
        prompts = text_prompt(ours.config, rows, args.prompt)
        ours.write(prompts, args.tokens)  # records
        theirs.write(prompts, None, 4)
        their_steps: list[float] = []
        our_steps: list[float] = []
        for _ in range(args.rounds):
            their_steps += theirs.write(prompts, None, min(args.tokens, 48)).steps
            our_steps.append(ours.write(prompts, args.tokens)[0])
        step, their_step = statistics.median(our_steps), statistics.median(their_steps)
        needed = step_bytes(ours.config, "bf16", "bf16", rows, args.prompt + args.tokens / 2)
        table.append({
            "rows": rows,
            "transformers_ms": 1000 * their_step,
            "ours_ms": 1000 * step,
            "x": their_step / step,
            "tokens_per_second": rows / step,
            "of_bandwidth": needed / step / bandwidth,
        })  # fmt: skip
    return table


def reading(ours: Ours, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Pages a second, pictures and prompts included, by how many pages run at a time."""
    table: list[dict[str, Any]] = []
    pixels = pictures(ours.config, 1)
    if torch.cuda.is_available():
        pixels = pixels.pin_memory()
    ids = page_prompt(ours.config, 1)[0].tolist()
    for rows in args.page_rows:
        with Engine(ours.runner, positions=rows * (len(ids) + args.page_tokens), rows=rows) as engine:

            def read(pages: int, tokens: int, engine: Engine = engine) -> None:
                requests = [
                    Request(ids=ids, max_new_tokens=tokens, pixel_values=pixels) for _ in range(pages)
                ]
                for handle in [engine.submit(one) for one in requests]:
                    handle.result()

            read(rows, 8)  # records the buckets
            pages = args.page_lots * rows
            seconds = seconds_of(partial(read, pages, args.page_tokens), args.device)
        table.append({"rows": rows, "pages": pages, "pages_per_second": pages / seconds})
    return table


def show(title: str, table: Sequence[dict[str, Any]]) -> None:
    """A Markdown table."""
    print(f"\n{title}\n")
    print("| " + " | ".join(table[0]) + " |")
    print("|" + "---|" * len(table[0]))
    for row in table:
        cells = (f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values())
        print("| " + " | ".join(cells) + " |", flush=True)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="JSON file for all figures")
    parser.add_argument("--rows", type=numbers, default=[1, 4, 16, 64], help="batch sizes of decoding")
    parser.add_argument("--tokens", type=int, default=256, help="tokens that decoding writes")
    parser.add_argument("--page-rows", type=numbers, default=[32, 64, 128], help="pages at a time")
    parser.add_argument("--page-tokens", type=int, default=1000, help="tokens of a page")
    parser.add_argument(
        "--page-lots", type=int, default=3, help="pages to read, as a multiple of pages at a time"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=4, help="of torch on the host")
    parser.add_argument("--skip-tests", action="store_true")
    parser.add_argument(
        "--rehearse", action="store_true", help="a tiny model and few tokens, without a GPU if need be"
    )
    args = parser.parse_args(argv)
    args.device, args.prompt = "cuda", PROMPT
    if args.rehearse:
        args.rows, args.tokens, args.page_rows, args.page_tokens, args.prompt = [1, 3], 12, [2], 10, 9
        args.device = "cuda" if torch.cuda.is_available() else "cpu"
        args.skip_tests = True
    elif not torch.cuda.is_available():
        parser.error("there is no CUDA device; --rehearse does without")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    report: dict[str, Any] = {
        "benchmark": "gpu",
        "rehearsal": args.rehearse,
        "machine": describe(args.device),
    }
    report["arguments"] = {name: value for name, value in vars(args).items() if name != "out"}
    if not args.skip_tests:
        report["tests"] = run_tests()
    with tempfile.TemporaryDirectory(prefix="got-ocr2-gpu-") as temporary:
        folder = save_random_model(Path(temporary) / "model", TINY if args.rehearse else None)
        # Convolutions too: in TF32, torch's default for them, fp32 would not be fp32.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            report["same_ids"] = agreement(folder, args)
        show("Greedy ids before the first difference from transformers", [report["same_ids"]])

        report["bandwidth"] = bandwidth = read_bandwidth(args.device)
        theirs = open_subject(folder, variant("transformers-bf16", args.device), args.device, args.threads)
        most = max(args.rows)
        positions = most * (args.prompt + args.tokens)
        ours = Ours(folder, args.device, "bfloat16", rows=most, positions=positions)
        report["vision"] = vision(ours, theirs, args)
        show("Encoding pictures, bf16", report["vision"])
        report["decoding"] = decoding(ours, theirs, bandwidth, args)
        show(f"Decoding, bf16, after prompts of {args.prompt} tokens", report["decoding"])
        del theirs
        ours.close()
        free_memory()
        report["reading"] = reading(ours, args)
        show(f"Reading pages of one picture and {args.page_tokens} tokens, bf16", report["reading"])
    print("\n" + json.dumps(report))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
