"""Tables: LaTeX `tabular` with merged cells, rules and alignment."""

from .engine import TableEngine

__all__ = ["TableEngine"]
