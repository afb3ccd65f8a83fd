"""The two names of the model's published examples, which run here but for the import line."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from PIL import Image

from .documents import open_document
from .errors import InvalidOptionError
from .processing import GotOcr2Processor

if TYPE_CHECKING:
    import torch

    from .modeling import GotOcr2ForConditionalGeneration


class AutoProcessor:
    """Opens the processor of a GOT-OCR2 checkpoint, in any layout."""

    @staticmethod
    def from_pretrained(
        repo_or_folder: str | PathLike[str],
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | PathLike[str] | None = None,
        local_files_only: bool = False,
        use_fast: bool | None = None,
        **unknown: Any,
    ) -> GotOcr2Processor:
        """A processor that takes pictures, and paths and addresses of pictures.

        Args:
            repo_or_folder, revision, token, cache_dir, local_files_only: see `checkpoints.resolve`.
            use_fast: accepted because published examples pass it; there is one processor, equal to
                transformers' on Pillow, whatever is asked.

        Raises:
            CheckpointError, ConfigError, FileAccessError: the checkpoint cannot be found or read.
            InvalidOptionError: an unknown keyword.
        """
        _refuse(unknown, "AutoProcessor", "revision, token, cache_dir, local_files_only and use_fast")
        from .checkpoints import resolve

        folder = resolve(
            repo_or_folder,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
            weights=False,
        )
        return GotOcr2Processor.from_pretrained(folder, opener=open_picture)


class AutoModelForImageTextToText:
    """Opens the model of a GOT-OCR2 checkpoint, in any layout."""

    @staticmethod
    def from_pretrained(
        repo_or_folder: str | PathLike[str],
        *,
        device: str | int | torch.device | None = None,
        device_map: str | int | torch.device | Mapping[str, Any] | None = None,
        dtype: str | torch.dtype | None = None,
        torch_dtype: str | torch.dtype | None = None,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | PathLike[str] | None = None,
        local_files_only: bool = False,
        **unknown: Any,
    ) -> GotOcr2ForConditionalGeneration:
        """`checkpoints.load_model_as`, whose arguments and errors these are.

        Raises:
            InvalidOptionError: also for an unknown keyword; none of transformers' is dropped silently.
        """
        _refuse(
            unknown,
            "AutoModelForImageTextToText",
            "device, device_map, dtype, torch_dtype, revision, token, cache_dir and local_files_only",
        )
        from .modeling import load_model

        return load_model(
            repo_or_folder,
            device=device,
            device_map=device_map,
            dtype=dtype,
            torch_dtype=torch_dtype,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
        )


def open_picture(source: str | PathLike[str]) -> Image.Image:
    """The one picture behind a path or an `http(s)` or `data:` address, upright and in RGB.

    Raises:
        FileAccessError: it is missing, or cannot be fetched.
        InputError: it is no picture, damaged, or above a limit of `documents.Limits`.
        InvalidOptionError: it has several pages.
    """
    with open_document(source) as document:
        if document.page_count != 1:
            raise InvalidOptionError(
                f"{document.name} has {document.page_count} pages where one picture is meant; open it with "
                "OCR.read, or pass its pages one by one."
            )
        return document.load(1).image


def _refuse(unknown: Mapping[str, Any], name: str, known: str) -> None:
    if unknown:
        words = ", ".join(sorted(unknown))
        raise InvalidOptionError(f"{name}.from_pretrained does not know {words}; it knows {known}.")
