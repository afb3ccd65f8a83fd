"""Checkpoints: finding them, reading every known layout, writing Hugging Face's."""

from ..hub import resolve
from .load import dtype_named, load_model_as, stored_dtypes
from .mixin import PretrainedMixin
from .save import save_configs, save_model

__all__ = [
    "PretrainedMixin",
    "dtype_named",
    "load_model_as",
    "resolve",
    "save_configs",
    "save_model",
    "stored_dtypes",
]
