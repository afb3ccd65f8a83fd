"""Any known checkpoint -> a folder in Hugging Face's layout, processor included."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from .checkpoints.save import save_model
from .config import CONFIG_NAME, GotOcr2Config, is_original, read_json
from .errors import CheckpointError, FileAccessError
from .hub import resolve
from .modeling import load_model
from .processing import Dialect, GotOcr2Processor

if TYPE_CHECKING:
    from .documents.sources import Source


def convert(
    src: str | PathLike[str],
    dst: str | PathLike[str],
    *,
    dtype: str | torch.dtype | None = None,
    dialect: Dialect | None = None,
    max_shard_size: int | str = "5GB",
    int4_pages: Sequence[Source] = (),
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | PathLike[str] | None = None,
    local_files_only: bool = False,
) -> Path:
    """Writes a checkpoint of any layout as transformers and `from_pretrained` read it.

    `dst` appears whole or not at all.

    Args:
        src: a local folder, or "owner/name" on the hub.
        dst: the folder to make; it must be missing or empty.
        dtype: as in `load_model`; default keeps the dtype.
        dialect: wording of the prompts. Default: what the checkpoint says, else "original" for original
            checkpoints, whose prompts those are, and "hf" for the others.
        max_shard_size: as in `save_model`.
        int4_pages: pages to fit the decoder's weights to int4 with, see `calibrate_int4`: the copy is then meant to be
            read with `quantization="int4"`. None leaves the weights as they are.
        revision, token, cache_dir, local_files_only: see `resolve`.

    Returns:
        The folder.

    Raises:
        CheckpointError, ConfigError, InvalidOptionError: as `load_model` and `save_model`; also if the
            processor's pictures are not of the model's size, and as `calibrate_int4`.
        FileAccessError: `dst` is not empty, or cannot be written.
    """
    dst = Path(dst).expanduser()
    _check_free(dst)
    folder = resolve(
        src, revision=revision, token=token, cache_dir=cache_dir, local_files_only=local_files_only
    )
    model = load_model(folder, dtype=dtype)
    processor = _processor(folder, model.config, dialect)
    if int4_pages:
        from .calibration import calibrate_int4

        calibrate_int4(model, processor, int4_pages)
    try:
        dst.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{dst.name}.", dir=dst.parent))
        try:
            save_model(model, aside, max_shard_size=max_shard_size)
            processor.save_pretrained(aside)
            aside.chmod(0o755)  # mkdtemp makes it private
            if dst.exists():
                dst.rmdir()
            os.replace(aside, dst)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except FileAccessError:
        raise
    except OSError as e:
        raise FileAccessError(f"{dst} cannot be written: {e}.") from e
    return dst


def _check_free(dst: Path) -> None:
    if dst.exists() and (not dst.is_dir() or any(dst.iterdir())):
        raise FileAccessError(f"{dst} is already there and not an empty folder.")


def _processor(folder: Path, config: GotOcr2Config, dialect: Dialect | None) -> GotOcr2Processor:
    """The folder's processor, fitted to the model: an original checkpoint says nothing of its pictures."""
    found = GotOcr2Processor.from_pretrained(folder)
    vision = config.vision_config
    images = found.image_processor
    if is_original(read_json(folder / CONFIG_NAME)):
        images = replace(images, size=vision.image_hw)
    if images.size != vision.image_hw:
        raise CheckpointError(
            f"{folder}: the processor makes pictures of {images.size[0]}x{images.size[1]}, the model takes "
            f"{vision.image_hw[0]}x{vision.image_hw[1]}."
        )
    return GotOcr2Processor(
        images, found.tokenizer, vision.num_image_tokens, dialect or found.dialect, reads=found.reads
    )
