"""Formulas: a grammar of LaTeX and two renderers."""

from .engine import FormulaEngine

__all__ = ["FormulaEngine"]
