"""Figures of geometry, answered by TikZ."""

from .engine import GeometryEngine

__all__ = ["GeometryEngine"]
