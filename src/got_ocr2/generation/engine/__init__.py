"""The one decode loop: pages enter and leave it at any step."""

from .engine import Engine

__all__ = ["Engine"]
