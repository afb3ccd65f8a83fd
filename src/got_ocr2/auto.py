"""The names of code written for transformers, which runs here but for its import line."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from PIL import Image

from . import processing
from .config import GotOcr2Config
from .documents import open_document
from .errors import InvalidOptionError
from .processing import GotOcr2ImageProcessor, GotOcr2Tokenizer

if TYPE_CHECKING:
    from .modeling import GotOcr2ForConditionalGeneration, GotOcr2Model


class GotOcr2Processor(processing.GotOcr2Processor):
    """`processing.GotOcr2Processor` that also takes paths, and `http(s)` and `data:` addresses, of pictures."""

    def __init__(self, *parts: Any, opener: processing.ImageOpener | None = None, **settings: Any) -> None:
        super().__init__(*parts, opener=opener or open_picture, **settings)


class AutoProcessor:
    """Opens the processor of a GOT-OCR2 checkpoint, in any layout."""

    @staticmethod
    def from_pretrained(repo_or_folder: str | PathLike[str], **options: Any) -> GotOcr2Processor:
        """`GotOcr2Processor.from_pretrained`, whose arguments and errors these are."""
        return GotOcr2Processor.from_pretrained(repo_or_folder, **options)


class AutoTokenizer:
    """Opens the tokenizer of a GOT-OCR2 checkpoint."""

    @staticmethod
    def from_pretrained(repo_or_folder: str | PathLike[str], **options: Any) -> GotOcr2Tokenizer:
        """`GotOcr2Tokenizer.from_pretrained`, whose arguments and errors these are."""
        return GotOcr2Tokenizer.from_pretrained(repo_or_folder, **options)


class AutoImageProcessor:
    """Opens the image processor of a GOT-OCR2 checkpoint."""

    @staticmethod
    def from_pretrained(repo_or_folder: str | PathLike[str], **options: Any) -> GotOcr2ImageProcessor:
        """`GotOcr2ImageProcessor.from_pretrained`, whose arguments and errors these are."""
        return GotOcr2ImageProcessor.from_pretrained(repo_or_folder, **options)


class AutoConfig:
    """Reads the configuration of a GOT-OCR2 checkpoint, in any dialect."""

    @staticmethod
    def from_pretrained(repo_or_folder: str | PathLike[str], **options: Any) -> GotOcr2Config:
        """`GotOcr2Config.from_pretrained`, whose arguments and errors these are."""
        return GotOcr2Config.from_pretrained(repo_or_folder, **options)


class AutoModelForImageTextToText:
    """Opens the model of a GOT-OCR2 checkpoint, in any layout."""

    @staticmethod
    def from_pretrained(
        repo_or_folder: str | PathLike[str], **options: Any
    ) -> GotOcr2ForConditionalGeneration:
        """`GotOcr2ForConditionalGeneration.from_pretrained`, whose arguments and errors these are."""
        from .modeling import load_model

        return load_model(repo_or_folder, **options)

    @staticmethod
    def from_config(config: GotOcr2Config) -> GotOcr2ForConditionalGeneration:
        """A model with fresh weights."""
        from .modeling import GotOcr2ForConditionalGeneration

        return GotOcr2ForConditionalGeneration(config)


class AutoModel:
    """Opens a GOT-OCR2 checkpoint and leaves the head out."""

    @staticmethod
    def from_pretrained(repo_or_folder: str | PathLike[str], **options: Any) -> GotOcr2Model:
        """The part of the model below its head; arguments and errors are those of `AutoModelForImageTextToText`."""
        return AutoModelForImageTextToText.from_pretrained(repo_or_folder, **options).model


def open_picture(source: str | PathLike[str]) -> Image.Image:
    """The one picture behind a path or an `http(s)` or `data:` address, upright and in RGB.

    Raises:
        FileAccessError: it is missing, or cannot be fetched.
        InputError: it is no picture, damaged, or above a limit of `documents.Limits`.
        InvalidOptionError: it has several pages.
    """
    with open_document(source) as document:
        if document.page_count != 1:
            raise InvalidOptionError(
                f"{document.name} has {document.page_count} pages where one picture is meant; open it with "
                "OCR.read, or pass its pages one by one."
            )
        return document.load(1).image
