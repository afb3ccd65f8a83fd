"""Checkpoints: finding them, reading every known layout, writing Hugging Face's."""

from .convert import convert
from .hub import resolve
from .load import load_model
from .save import save_model

__all__ = ["convert", "load_model", "resolve", "save_model"]
