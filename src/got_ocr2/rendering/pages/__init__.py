"""Page markup: parsed into a frozen tree (`parse_page`), and written from it, one file a format."""

from .parsing.parse import parse_page
from .tree import Page

__all__ = ["Page", "parse_page"]
