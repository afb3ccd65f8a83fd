"""Results with places, as other programs expect them: hOCR, ALTO, PAGE-XML, TSV, and PDFs that can be searched."""

from .slanted import Slanted
from .write import write

__all__ = ["Slanted", "write"]
