"""Where the lines of a page stand, in reading order, and each of them cut out straight."""

from .cutting import Piece, joined, line_pieces
from .finder import find_lines
from .frames import framed_box
from .known_lines import line_at, pieces_with_text
from .lines import LayoutOptions, PageLayout, TextLine
from .words import word_boxes

__all__ = [
    "LayoutOptions",
    "PageLayout",
    "Piece",
    "TextLine",
    "find_lines",
    "framed_box",
    "joined",
    "line_at",
    "line_pieces",
    "pieces_with_text",
    "word_boxes",
]
