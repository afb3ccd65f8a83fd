"""Charts, answered by their numbers."""

from .engine import ChartEngine

__all__ = ["ChartEngine"]
