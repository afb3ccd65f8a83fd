"""What reading gives back: frozen results that turn into JSON and back, and the JSON schema they keep.

Times are in seconds, sizes and boxes in pixels of the page as a person sees it, page numbers start at 1.
"""

from .details import FinishReason, OnLoop, PageError, Repetition, Request, Speculation, Status, TextPart
from .document import PAGE_SEPARATOR, DocumentResult
from .page import PageResult
from .rendered_file import RenderedFile
from .schema import json_schema

__all__ = [
    "PAGE_SEPARATOR",
    "DocumentResult",
    "FinishReason",
    "OnLoop",
    "PageError",
    "PageResult",
    "RenderedFile",
    "Repetition",
    "Request",
    "Speculation",
    "Status",
    "TextPart",
    "json_schema",
]
