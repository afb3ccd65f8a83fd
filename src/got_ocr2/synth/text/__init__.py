"""Plain print, from a word to a page, and scene-like signs."""

from .engine import TextEngine

__all__ = ["TextEngine"]
