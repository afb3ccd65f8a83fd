"""Reading documents page by page; `ocr.OCR` and the command line look at its events."""

from .events import DocumentOpened, DocumentRead, Event, PageRead, TextPiece
from .options import ReadOptions
from .reader import Reader

__all__ = [
    "DocumentOpened",
    "DocumentRead",
    "Event",
    "PageRead",
    "ReadOptions",
    "Reader",
    "TextPiece",
]
