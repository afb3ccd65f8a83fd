"""The sizes of a model, in every dialect of `config.json`."""

from .dialects import CONFIG_NAME, is_original, read_json, stored_dtype
from .model import GotOcr2Config, GotOcr2TextConfig, GotOcr2VisionConfig, parse_config

__all__ = [
    "CONFIG_NAME",
    "GotOcr2Config",
    "GotOcr2TextConfig",
    "GotOcr2VisionConfig",
    "is_original",
    "parse_config",
    "read_json",
    "stored_dtype",
]
