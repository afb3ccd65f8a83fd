"""Checkpoints: finding them, reading every known layout, writing Hugging Face's."""

from ..hub import resolve
from .load import load_model_as
from .mixin import PretrainedMixin
from .save import save_configs, save_model

__all__ = ["PretrainedMixin", "load_model_as", "resolve", "save_configs", "save_model"]
