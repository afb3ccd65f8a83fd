"""Reading documents page by page; `ocr.OCR` and the command line look at its events."""

from .drafts import LINES, PDF_TEXT
from .events import DocumentOpened, DocumentRead, Event, PageRead, TextPiece
from .options import ReadOptions
from .progress import Finished
from .reader import Reader
from .text_tokens import TextToken
from .text_wishes import TextWishes

__all__ = [
    "LINES",
    "PDF_TEXT",
    "DocumentOpened",
    "DocumentRead",
    "Event",
    "Finished",
    "PageRead",
    "ReadOptions",
    "Reader",
    "TextPiece",
    "TextToken",
    "TextWishes",
]
