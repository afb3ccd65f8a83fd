"""Reading documents page by page; `ocr.OCR` and the command line look at its events."""

from .drafts import LINES, PDF_TEXT
from .events import DocumentOpened, DocumentRead, Event, PageRead, TextPiece
from .options import ReadOptions
from .reader import Reader

__all__ = [
    "LINES",
    "PDF_TEXT",
    "DocumentOpened",
    "DocumentRead",
    "Event",
    "PageRead",
    "ReadOptions",
    "Reader",
    "TextPiece",
]
