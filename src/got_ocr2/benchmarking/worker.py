"""One model in a process of its own: `python -m got_ocr2.benchmarking.worker SPEC`.

SPEC is a JSON object; see `Spec`. The process says `{"ready": true}` once the model is loaded, then answers
requests, one JSON object a line on standard input, with one JSON object a line on standard output, until its input
ends. Whatever else prints goes to standard error.

A request names its `task`; the rest are the arguments of the function of that name in `TASKS`. An answer holds what the
function returned and `peak_bytes`, the most memory so far; or `error`, one sentence.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

import torch

from ..machine import peak_memory
from ..wording import reason
from .roofline import read_bandwidth
from .subjects import Subject, Variant, open_subject
from .workload import page_prompt, pictures, text_prompt


@dataclass(frozen=True)
class Spec:
    """What a worker loads.

    Attributes:
        folder: of the checkpoint, in Hugging Face's layout.
        variant: see `subjects.variant`.
        device: "cpu", "cuda" or "cuda:1".
        threads: for torch and for the kernels.
    """

    folder: str
    variant: Variant
    device: str
    threads: int

    @classmethod
    def from_json(cls, text: str) -> Spec:
        data = json.loads(text)
        return cls(**{**data, "variant": Variant(**data["variant"])})


def vision(subject: Subject, images: int) -> dict[str, Any]:
    """Encodes pictures; `seconds` for all of them."""
    pixels = pictures(subject.config, images)
    start = perf_counter()
    subject.encode(pixels)
    return {"seconds": perf_counter() - start}


def decode(
    subject: Subject, rows: int, prompt: int, tokens: int, draft: str | Sequence[int] | None = None
) -> dict[str, Any]:
    """Continues text prompts; gives the fields of `subjects.Written`."""
    return asdict(subject.write(text_prompt(subject.config, rows, prompt), None, tokens, draft))


def page(
    subject: Subject, rows: int, tokens: int, draft: str | Sequence[int] | None = None
) -> dict[str, Any]:
    """Reads one picture a row; gives the fields of `subjects.Written`."""
    ids, pixels = page_prompt(subject.config, rows), pictures(subject.config, rows)
    return asdict(subject.write(ids, pixels, tokens, draft))


def bandwidth(subject: Subject) -> dict[str, Any]:
    """See `roofline.read_bandwidth`."""
    return {"bytes_per_second": read_bandwidth(subject.device)}


Open = Callable[[Path, Variant, str, int], Subject]

TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "bandwidth": bandwidth,
    "decode": decode,
    "page": page,
    "vision": vision,
}


def serve(spec: Spec, requests: TextIO, answers: TextIO, open: Open = open_subject) -> None:
    """Loads the model and answers until the requests end; `open` takes folder, variant, device, threads."""

    def answer(data: dict[str, Any]) -> None:
        answers.write(json.dumps(data) + "\n")
        answers.flush()

    try:
        torch.set_num_threads(spec.threads)
        subject = open(Path(spec.folder), spec.variant, spec.device, spec.threads)
    except Exception as e:
        answer({"error": reason(e)})
        return
    answer({"ready": True, "peak_bytes": peak(spec.device)})
    for line in requests:
        request = json.loads(line)
        try:
            found = TASKS[request.pop("task")](subject, **request)
        except Exception as e:
            answer({"error": f"{type(e).__name__}: {reason(e)}"})
        else:
            answer({**found, "peak_bytes": peak(spec.device)})


def peak(device: str) -> int | None:
    """The most memory so far in bytes, of the graphics card where there is one."""
    return torch.cuda.max_memory_allocated(device) if device.startswith("cuda") else peak_memory()


def main(spec: str, open: Open = open_subject) -> None:
    """Serves on standard input and output.

    Args:
        spec: JSON of a `Spec`.
        open: see `serve`.
    """
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(Spec.from_json(spec), sys.stdin, answers, open)


if __name__ == "__main__":
    main(sys.argv[1])
