"""The fonts that the data engines may draw with, and what each of their faces truly draws."""

from .catalog import FontFile, Split, all_faces, coverage, families, fonts, pick_font

__all__ = ["FontFile", "Split", "all_faces", "coverage", "families", "fonts", "pick_font"]
