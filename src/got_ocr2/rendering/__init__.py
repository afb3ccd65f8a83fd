"""Outputs of the model as files that programs open: `render`, and what it is made of."""

from .of_results import render_result
from .pages import parse_page
from .problems import Problem
from .registry import FORMATS, KINDS
from .render import render
from .rendered import Rendered

__all__ = ["FORMATS", "KINDS", "Problem", "Rendered", "parse_page", "render", "render_result"]
