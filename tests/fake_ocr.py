"""A stand-in for model and processor whose every answer is written down by the test.

Tokens are the bytes of UTF-8; 256 ends a text and 257 fills rows that ended before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from PIL import Image

from got_ocr2.generation import Step
from got_ocr2.ocr import OCR
from got_ocr2.processing import BatchFeature, DecodeStream

END, PADDING = 256, 257
PROMPT = 7  # tokens

Answer = Callable[[list[Image.Image]], str | Exception]


def size_of(pages: list[Image.Image]) -> str:
    """The default answer: the sizes of the pages, so that nothing can be mixed up."""
    return " ".join(f"{page.width}x{page.height}" for page in pages)


class FakeTokenizer:
    def decode_stream(self, skip_special_tokens: bool = True) -> DecodeStream:
        return DecodeStream(lambda token: bytes([token]) if token < END else b"")


class FakeProcessor:
    """Remembers how it was called and hands the pictures on to the model."""

    dialect = "hf"

    def __init__(self) -> None:
        self.tokenizer = FakeTokenizer()
        self.calls: list[dict[str, Any]] = []

    def __call__(self, images: Sequence[Any], **asked: Any) -> BatchFeature:
        self.calls.append(asked)
        documents = [image if isinstance(image, list) else [image] for image in images]
        self.documents = documents
        rows = len(documents)
        return BatchFeature(
            input_ids=torch.zeros(rows, PROMPT, dtype=torch.int64),
            attention_mask=torch.ones(rows, PROMPT, dtype=torch.int64),
            pixel_values=torch.zeros(rows, 3, 4, 4),
        )


class FakeModel:
    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self, processor: FakeProcessor, answer: Answer) -> None:
        self._processor = processor
        self._answer = answer
        self.steps = 0
        self.batches: list[int] = []

    def generate_steps(
        self, *, tokenizer: FakeTokenizer, max_new_tokens: int | None = None, **batch: torch.Tensor
    ) -> Iterator[Step]:
        assert tokenizer is self._processor.tokenizer
        assert batch["pixel_values"].dtype == self.dtype
        documents = self._processor.documents
        self.batches.append(len(documents))
        return self._steps([self._answer(pages) for pages in documents], max_new_tokens or 1000)

    def _steps(self, answers: list[str | Exception], limit: int) -> Iterator[Step]:
        texts = [b"x" if isinstance(answer, Exception) else answer.encode() for answer in answers]
        rows = [[*text, END][:limit] for text in texts]
        reasons: list[Any] = [None] * len(rows)
        for index in range(max(map(len, rows))):
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
            tokens, logprobs = [], []
            for i, row in enumerate(rows):
                going = index < len(row)
                tokens.append(row[index] if going else PADDING)
                logprobs.append(-0.5 if going else 0.0)
                if going and index == len(row) - 1:
                    reasons[i] = "stop" if row[index] == END else "length"
            self.steps += 1
            yield Step(index, tuple(tokens), tuple(reasons), torch.tensor(logprobs))


def fake_ocr(answer: Answer = size_of) -> OCR:
    """An `OCR` that answers `answer(pages)`, or raises it half-way if it is an exception."""
    processor = FakeProcessor()
    return OCR(FakeModel(processor, answer), processor)  # type: ignore[arg-type]
