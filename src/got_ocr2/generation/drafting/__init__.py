"""Lossless speculation: guesses at the next ids, which the engine verifies all at once.

A right guess saves a pass through the model, a wrong one costs little, and neither changes the text: the engine
keeps the drafted ids that are what the model would have written, and none after the first that is not. Drafters
are plain Python: they know ids and text, nothing of the model.
"""

from .draft_length import Pace
from .ngram_drafter import NgramDrafter
from .protocol import Drafter, FirstOf
from .text_drafter import TextDrafter

__all__ = ["Drafter", "FirstOf", "NgramDrafter", "Pace", "TextDrafter"]
