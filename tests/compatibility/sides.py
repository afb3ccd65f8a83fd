"""The two libraries, opened on one tiny checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image


@dataclass
class Side:
    """One library: what a pattern may use of it.

    Attributes:
        library: `got_ocr2` or `transformers`.
        folder: the checkpoint.
        model, processor: opened from it.
        picture: a page.
    """

    library: ModuleType
    folder: Path
    model: Any
    processor: Any
    picture: Image.Image

    @property
    def tokenizer(self) -> Any:
        return self.processor.tokenizer

    def inputs(self, **options: Any) -> Any:
        """The batch of one page."""
        return self.processor(self.picture, return_tensors="pt", **options)

    def two(self) -> Any:
        """A batch of two prompts of unequal length, padded on the left."""
        self.tokenizer.padding_side = "left"
        texts = ["<img><imgpad></img>read", "<img><imgpad></img>read this page"]
        return self.processor([self.picture] * 2, text=texts, return_tensors="pt", padding=True)


def ours(folder: Path, picture: Image.Image) -> Side:
    import got_ocr2

    model = got_ocr2.AutoModelForImageTextToText.from_pretrained(folder)
    return Side(got_ocr2, folder, model, got_ocr2.AutoProcessor.from_pretrained(folder), picture)


def theirs(folder: Path, picture: Image.Image) -> Side:
    import transformers
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    model = transformers.GotOcr2ForConditionalGeneration.from_pretrained(folder, attn_implementation="eager")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    images = GotOcr2ImageProcessorPil.from_pretrained(folder)
    processor = transformers.GotOcr2Processor(images, tokenizer)
    processor.num_image_tokens = 9  # it does not read this from the files
    return Side(transformers, folder, model.eval(), processor, picture)
