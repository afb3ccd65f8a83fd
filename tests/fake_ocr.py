"""A stand-in for model and processor whose every answer is written down by the test.

Tokens are the bytes of UTF-8; 256 ends a text.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from PIL import Image

from got_ocr2.generation import GenerationOptions
from got_ocr2.generation.engine.engine import Engine
from got_ocr2.generation.engine.requests import Request
from got_ocr2.generation.engine.runner import RowInput, Scores, Span
from got_ocr2.ocr import OCR
from got_ocr2.processing import BatchFeature, DecodeStream
from got_ocr2.reading.engine_options import EngineOptions
from make_pdf import make_pdf

END = 256
PROMPT = 7  # tokens

Answer = Callable[[list[Image.Image]], str | Exception]


def size_of(pages: list[Image.Image]) -> str:
    """The default answer: the sizes of the pages, so that nothing can be mixed up."""
    return " ".join(f"{page.width}x{page.height}" for page in pages)


class FakeTokenizer:
    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def token_bytes(self, token: int) -> bytes:
        return bytes([token]) if token < END else b""

    def convert_ids_to_tokens(self, id: int) -> str:
        return "<end>" if id == END else chr(id)

    def decode_stream(self, skip_special_tokens: bool = True) -> DecodeStream:
        return DecodeStream(self.token_bytes)


class FakeProcessor:
    """Remembers how it was called; a prompt begins with the number of its document."""

    dialect = "hf"
    reads = "pages"

    def __init__(self) -> None:
        self.tokenizer = FakeTokenizer()
        self.calls: list[dict[str, Any]] = []
        self.documents: list[list[Image.Image]] = []
        self._lock = Lock()  # pages may be prepared by several threads

    def __call__(self, images: Sequence[Any], **asked: Any) -> BatchFeature:
        with self._lock:
            return self._prepared(images, **asked)

    def _prepared(self, images: Sequence[Any], **asked: Any) -> BatchFeature:
        self.calls.append(asked)
        documents = [image if isinstance(image, list) else [image] for image in images]
        ids = torch.zeros(len(documents), PROMPT, dtype=torch.int64)
        ids[:, 0] = torch.arange(len(documents)) + len(self.documents)
        self.documents += documents
        return BatchFeature(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            pixel_values=torch.zeros(len(documents), 3, 4, 4),
        )


class FakeModel:
    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self, processor: FakeProcessor) -> None:
        self._processor = processor

    def requests(
        self,
        *,
        tokenizer: FakeTokenizer,
        max_new_tokens: int | None = None,
        no_repeat_ngram_size: int | None = None,
        stop_strings: tuple[str, ...] | None = None,
        **batch: torch.Tensor,
    ) -> list[Request]:
        assert tokenizer is self._processor.tokenizer
        assert batch["pixel_values"].dtype == self.dtype
        options = GenerationOptions(
            eos_token_id=(END,),
            no_repeat_ngram_size=no_repeat_ngram_size or 0,
            stop_strings=stop_strings or (),
        )
        return [
            Request(row.tolist(), max_new_tokens or 1000, options, tokenizer=tokenizer)
            for row in batch["input_ids"]
        ]


class FakeRunner:
    """Writes the answer to each document, every token with the same log-probability.

    Attributes:
        steps: steps that went well.
        batches: rows of every step that was tried.
    """

    device = torch.device("cpu")
    bytes_per_position = 1
    capacity = 0

    def __init__(self, processor: FakeProcessor, answer: Answer, logprob: float) -> None:
        self._processor = processor
        self._answer = answer
        self._logprob = logprob
        self._answers: dict[Span, str | Exception] = {}
        self.steps = 0
        self.batches: list[int] = []

    def allocate(self, positions: int) -> None:
        self.capacity = positions

    def release(self) -> None:
        self.capacity = 0

    def encode(self, pixel_values: torch.Tensor) -> torch.Tensor:
        raise AssertionError("the prompts hold no pictures")

    def forward(self, ids: torch.Tensor, rows: Sequence[RowInput]) -> Scores:
        self.batches.append(len(rows))
        best: list[int] = []
        for row, own in zip(rows, ids.split([row.tokens for row in rows]), strict=True):
            if row.past == 0:
                self._answers[row.span] = self._answer(self._processor.documents[int(own[0])])
            answer = self._answers[row.span]
            if isinstance(answer, Exception):
                raise answer
            text = [*answer.encode(), END]
            end = row.past + row.tokens - PROMPT + 1
            best += (text[min(place, len(text) - 1)] for place in range(end - row.wanted, end))
        self.steps += 1
        logits = torch.nn.functional.one_hot(torch.tensor(best), END + 1).float()
        return Scores(logits, torch.tensor(best), torch.full((len(best),), self._logprob))


def fake_ocr(
    answer: Answer = size_of,
    *,
    threaded: bool = False,
    reads: str = "pages",
    max_batch: int = 64,
    logprob: float | None = None,
) -> OCR:
    """An `OCR` that answers `answer(pages)`, or raises it if it is an exception; `runner` is what it runs on.

    Every token has the log-probability -0.5, but -0.015625 where it reads lines: unsure ones are read in three widths.
    """
    if logprob is None:
        logprob = -0.015625 if reads == "lines" else -0.5
    processor = FakeProcessor()
    processor.reads = reads
    ocr = OCR(FakeModel(processor), processor, EngineOptions(kernels="torch"))  # type: ignore[arg-type]
    ocr.runner = FakeRunner(processor, answer, logprob)  # type: ignore[attr-defined]
    ocr._runner = ocr.runner  # type: ignore[attr-defined]
    ocr._engine = Engine(ocr.runner, positions=100_000, rows=max_batch, threaded=threaded)  # type: ignore[attr-defined]
    return ocr


def picture(width: int = 30, height: int = 20) -> Image.Image:
    """A white one."""
    return Image.new("RGB", (width, height), "white")


def tiff(*sizes: tuple[int, int]) -> bytes:
    """A page of each size."""
    out = io.BytesIO()
    first, *rest = (picture(*size) for size in sizes)
    first.save(out, "TIFF", save_all=True, append_images=rest)
    return out.getvalue()


def mixed_sources(folder: Path) -> list[Any]:
    """Two good documents, a broken one, a missing one, an encrypted one, one with a broken page."""
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "locked.pdf").write_bytes(make_pdf(["x"], password="p"))
    return [
        picture(5, 4),
        folder / "broken.png",
        tiff((6, 3), (2000, 1000), (7, 2)),
        folder / "missing.png",
        folder / "locked.pdf",
        picture(8, 1),
    ]
