"""`from_pretrained`, `save_pretrained` and `push_to_hub` for a model class."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import InvalidOptionError
from .load import load_model_as
from .save import save_model
from .stored_model import Stored, StoredModel


class PretrainedMixin:
    """Adds loading and saving to a model that is a `StoredModel`."""

    @classmethod
    def from_pretrained(cls: type[Stored], pretrained: str | PathLike[str], **options: Any) -> Stored:
        """Loads a checkpoint in any known layout; options and errors are those of `checkpoints.load_model_as`."""
        return load_model_as(cls, pretrained, **options)

    def save_pretrained(
        self: StoredModel,
        folder: str | PathLike[str],
        *,
        is_main_process: bool = True,
        state_dict: Mapping[str, Tensor] | None = None,
        safe_serialization: bool = True,
        push_to_hub: bool = False,
        save_function: Any = None,
        variant: str | None = None,
        token: str | bool | None = None,
        **options: Any,
    ) -> None:
        """Writes the checkpoint in HF's layout; further options and errors are those of `checkpoints.save_model`.

        Args:
            folder: made if it does not exist.
            is_main_process: False writes nothing: of several processes, one writes.
            state_dict: weights to write instead of the model's own, by the same names.
            safe_serialization: only True: what is written is safetensors.
            push_to_hub, save_function, variant, token: as transformers passes them where nothing is asked.
        """
        if not safe_serialization:
            raise InvalidOptionError(
                "safe_serialization=False would write a pickle, which can run code when it is loaded; leave it out."
            )
        if push_to_hub or variant is not None:
            raise InvalidOptionError(
                "To publish a model call push_to_hub(repo_id); weights have no variants here."
            )
        if is_main_process:
            save_model(self, folder, state_dict=state_dict, **options)

    def push_to_hub(
        self: StoredModel,
        repo_id: str,
        *,
        commit_message: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        revision: str | None = None,
        create_pr: bool = False,
        **options: Any,
    ) -> str:
        """Saves the model to a repository of the Hugging Face hub, which is made if it does not exist.

        Args:
            repo_id: "owner/name".
            commit_message, private, token, revision, create_pr: see `huggingface_hub.HfApi`.
            **options: see `checkpoints.save_model`.

        Returns:
            The address of the commit.
        """
        import huggingface_hub

        api = huggingface_hub.HfApi(token=token)
        name = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        with tempfile.TemporaryDirectory() as folder:
            save_model(self, Path(folder), **options)
            return api.upload_folder(
                repo_id=name, folder_path=folder, commit_message=commit_message or "Upload GOT-OCR2 model",
                revision=revision, create_pr=create_pr,
            ).commit_url  # fmt: skip
