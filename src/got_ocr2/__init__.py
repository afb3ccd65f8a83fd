"""got-ocr2: the complete GOT-OCR2 system in Python.

Names are imported on first use, so `import got_ocr2` touches no device, reads no file and loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

_EXPORTS = {
    "AutoConfig": "auto",
    "AutoImageProcessor": "auto",
    "AutoModel": "auto",
    "AutoModelForImageTextToText": "auto",
    "AutoProcessor": "auto",
    "AutoTokenizer": "auto",
    "DocumentResult": "results",
    "GotOcr2Config": "config",
    "GotOcr2Error": "errors",
    "GotOcr2ForConditionalGeneration": "modeling",
    "GotOcr2Model": "modeling",
    "GotOcr2ImageProcessor": "processing",
    "GotOcr2Processor": "auto",
    "GotOcr2TextConfig": "config",
    "GotOcr2Tokenizer": "processing",
    "GotOcr2VisionConfig": "config",
    "OCR": "ocr",
    "PageResult": "results",
    "TextIteratorStreamer": "generation",
    "TextStreamer": "generation",
}

__all__ = ["__version__", *_EXPORTS]

if TYPE_CHECKING:
    from .auto import (
        AutoConfig,
        AutoImageProcessor,
        AutoModel,
        AutoModelForImageTextToText,
        AutoProcessor,
        AutoTokenizer,
        GotOcr2Processor,
    )
    from .config import GotOcr2Config, GotOcr2TextConfig, GotOcr2VisionConfig
    from .errors import GotOcr2Error
    from .generation import TextIteratorStreamer, TextStreamer
    from .modeling import GotOcr2ForConditionalGeneration, GotOcr2Model
    from .ocr import OCR
    from .processing import GotOcr2ImageProcessor, GotOcr2Tokenizer
    from .results import DocumentResult, PageResult


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(f".{_EXPORTS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
