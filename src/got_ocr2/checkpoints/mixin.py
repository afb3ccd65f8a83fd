"""`from_pretrained` and `save_pretrained` for a model class."""

from __future__ import annotations

from os import PathLike
from typing import Any

from .load import load_model_as
from .save import save_model
from .stored_model import Stored, StoredModel


class PretrainedMixin:
    """Adds loading and saving to a model that is a `StoredModel`."""

    @classmethod
    def from_pretrained(cls: type[Stored], pretrained: str | PathLike[str], **options: Any) -> Stored:
        """Loads a checkpoint in any known layout; options and errors are those of `checkpoints.load_model_as`."""
        return load_model_as(cls, pretrained, **options)

    def save_pretrained(self: StoredModel, folder: str | PathLike[str], **options: Any) -> None:
        """Writes the checkpoint in HF's layout; options and errors are those of `checkpoints.save_model`."""
        save_model(self, folder, **options)
