"""Single lines of print, cut out of drawn and spoilt blocks as a line finder cuts them.

A block of a few lines is composed in the manner of one kind of print (`composer`), degraded as a whole, and its lines
are cut out with rests of their neighbours (`cutting`), scanned once more (`scanning`).
"""

from .engine import LineEngine, LineKind

__all__ = ["LineEngine", "LineKind"]
