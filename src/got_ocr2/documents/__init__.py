"""Documents: opened safely, page by page.

for page in open_source("scan.pdf", pages="1-4"):
    page.image  # PIL, RGB, as a person sees it
"""

from __future__ import annotations

from .document import Document, Page
from .limits import Limits
from .page_ranges import PageRanges
from .pdf import DEFAULT_DPI
from .sources import expand, open_document, open_source, source_name

__all__ = [
    "DEFAULT_DPI",
    "Document",
    "Limits",
    "Page",
    "PageRanges",
    "expand",
    "open_document",
    "open_source",
    "source_name",
]
