"""Sheet music, answered by `**kern`."""

from .engine import MusicEngine

__all__ = ["MusicEngine"]
