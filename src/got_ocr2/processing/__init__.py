"""Pictures and reading tasks -> ids and pixels, and ids -> text."""

from .batch import BatchFeature
from .image_processor import GotOcr2ImageProcessor
from .images import as_rgb, to_rgb
from .processor import GotOcr2Processor, ImageOpener
from .prompts import Dialect
from .streaming import DecodeStream
from .tiktoken_file import load_tiktoken
from .tokenizer import GotOcr2Tokenizer

__all__ = [
    "BatchFeature",
    "DecodeStream",
    "Dialect",
    "GotOcr2ImageProcessor",
    "GotOcr2Processor",
    "GotOcr2Tokenizer",
    "ImageOpener",
    "as_rgb",
    "load_tiktoken",
    "to_rgb",
]
