"""Checkpoints: finding them, reading every known layout, writing Hugging Face's."""

from ..hub import resolve
from .convert import convert
from .load import load_model
from .save import save_model

__all__ = ["convert", "load_model", "resolve", "save_model"]
