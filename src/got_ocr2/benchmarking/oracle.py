"""transformers as the other side of a comparison that a user asks for: `bench --against` and `verify`.

The package never imports transformers. Here alone it is loaded by name, only when such a comparison runs, and what it
gives is only ever measured and compared: no result of this package depends on it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from ..config import GotOcr2Config
from ..errors import MissingDependencyError
from ..machine import version_of
from ..modeling import GotOcr2ForConditionalGeneration

NAME = "transformers"


def installed() -> str | None:
    """The version of transformers, or None."""
    return version_of(NAME)


def why_not(config: GotOcr2Config) -> str | None:
    """Why transformers cannot hold such a model, as part of a sentence; None if it can."""
    vision = config.vision_config
    if vision.image_hw[0] != vision.image_hw[1] or vision.patch_hw[0] != vision.patch_hw[1]:
        height, width = vision.image_hw
        return f"its pictures and patches are square, this model reads {width}x{height} pixels"
    return None


def require() -> None:
    """Raises:
    MissingDependencyError: transformers is not installed, or has no GOT-OCR2.
    """
    _library()


def load(folder: Path, device: str, dtype: torch.dtype) -> Any:
    """transformers' model of a checkpoint in Hugging Face's layout, in eval mode.

    Raises:
        MissingDependencyError: transformers is not installed, or has no GOT-OCR2.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with _quietly():
        library = _library()
        model = library.GotOcr2ForConditionalGeneration.from_pretrained(
            folder, dtype=dtype, local_files_only=True
        )
    # Texts end by length here, never by what random weights happen to write.
    model.generation_config.eos_token_id = None
    return model.to(device).eval()


def load_decoder(model: GotOcr2ForConditionalGeneration) -> Any:
    """transformers' Qwen2 with the decoder of our model, on the CPU in fp32: for models whose pictures it cannot hold.

    Its layers are `model.layers.0`, ... instead of `model.language_model.layers.0`.
    """
    library = _library()
    theirs = library.Qwen2ForCausalLM(library.Qwen2Config(**model.config.text_config.to_dict()))
    prefix = "model.language_model."
    weights = {
        "lm_head.weight": model.lm_head.weight,
        **model.state_dict(),
    }  # a tied head is left out of the latter
    state = {
        name.replace(prefix, "model."): tensor.float()
        for name, tensor in weights.items()
        if name.startswith((prefix, "lm_head."))
    }
    theirs.load_state_dict(state, strict=True)
    theirs.generation_config.eos_token_id = None
    return theirs.eval()


def _library() -> Any:
    try:
        library = import_module(NAME)
    except ImportError as e:
        raise MissingDependencyError(
            f"A comparison with {NAME} needs the package {NAME}; install it with: pip install '{NAME}>=5.23,<6'."
        ) from e
    if not hasattr(library, "GotOcr2ForConditionalGeneration"):
        raise MissingDependencyError(
            f"{NAME} {version_of(NAME)} has no GOT-OCR2; install it with: pip install '{NAME}>=5.23,<6'."
        )
    return library


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """No progress bars and no advice while weights are read."""
    try:
        logs = import_module(f"{NAME}.utils.logging")
    except ImportError:
        yield
        return
    logs.disable_progress_bar()
    logs.set_verbosity_error()
    yield
