"""Formatted pages: papers, reports and notes in Mathpix markdown."""

from .engine import PageEngine

__all__ = ["PageEngine"]
