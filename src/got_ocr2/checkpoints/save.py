"""A model -> a checkpoint folder in Hugging Face's layout, which transformers loads without a missing key."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor

from ..config import CONFIG_NAME
from ..errors import CheckpointError, FileAccessError, InvalidOptionError
from .generation_config import GENERATION_CONFIG_NAME
from .layouts import HEAD, HF
from .stored_model import StoredModel
from .weights import INDEX_NAME, SINGLE_NAME

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")


def save_model(
    model: StoredModel,
    folder: str | PathLike[str],
    *,
    max_shard_size: int | str = "5GB",
    state_dict: Mapping[str, Tensor] | None = None,
) -> None:
    """Writes `config.json`, `generation_config.json` and the weights, in the dtype that they have.

    Every file is written aside and then put in place whole, so a model that was loaded from the same folder,
    whose weights may still be backed by the old file, stays intact. A tied head is not stored.

    Args:
        folder: made if it does not exist. Weights that an earlier call left there are replaced.
        max_shard_size: most bytes per weight file, as a number or like "500MB" or "2GiB"; no tensor is split.
        state_dict: weights to write instead of the model's own, by the same names.

    Raises:
        InvalidOptionError: `max_shard_size` cannot be understood.
        FileAccessError: the folder cannot be written.
        CheckpointError: the model holds a parameter that HF's layout has no name for, such as an adapter.
    """
    limit = parse_size(max_shard_size)
    folder = Path(folder).expanduser()
    tensors = _named_for_disk(model, model.state_dict() if state_dict is None else state_dict)
    shards = _split(tensors, limit)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = _write_weights(folder, tensors, shards)
        _remove_stale(folder, keep=names)
    except OSError as e:
        raise FileAccessError(f"The checkpoint cannot be written to {folder}: {e}.") from e
    save_configs(model, folder)


def save_configs(model: StoredModel, folder: str | PathLike[str]) -> None:
    """Writes what belongs beside weights: `config.json` and `generation_config.json`.

    Raises:
        FileAccessError: the folder does not exist, or cannot be written.
    """
    try:
        _write_json(Path(folder) / CONFIG_NAME, _config(model))
        _write_json(Path(folder) / GENERATION_CONFIG_NAME, model.generation_defaults.to_generation_config())
    except OSError as e:
        raise FileAccessError(f"The checkpoint cannot be written to {folder}: {e}.") from e


def parse_size(value: int | str) -> int:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(value))
    unit = _UNITS.get(match[2].upper()) if match else None
    size = int(float(match[1]) * unit) if match and unit else 0
    if size < 1:
        raise InvalidOptionError(
            f'max_shard_size must be a number of bytes or like "500MB" or "2GiB", got {value!r}.'
        )
    return size


def _named_for_disk(model: StoredModel, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    named: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name == HEAD and model.config.tie_word_embeddings:
            continue
        there = HF.to_file(name)
        if there is None:
            raise CheckpointError(f"Hugging Face's layout has no name for the tensor {name}.")
        named[there] = tensor
    return named


def _split(tensors: Mapping[str, Tensor], limit: int) -> list[list[str]]:
    """Names in order, cut where a file would grow over `limit` bytes."""
    shards: list[list[str]] = [[]]
    size = 0
    for name, tensor in tensors.items():
        if shards[-1] and size + tensor.nbytes > limit:
            shards.append([])
            size = 0
        shards[-1].append(name)
        size += tensor.nbytes
    return shards


def _write_weights(folder: Path, tensors: Mapping[str, Tensor], shards: list[list[str]]) -> list[str]:
    """Writes the shards, and the index if there are several; returns the names of these files."""
    total = len(shards)
    where: dict[str, str] = {}
    for number, names in enumerate(shards, start=1):
        file = SINGLE_NAME if total == 1 else f"model-{number:05}-of-{total:05}.safetensors"
        part = {name: tensors[name].detach().cpu().contiguous() for name in names}
        with _replacing(folder / file) as temporary:
            # transformers refuses a file that does not say which framework's tensors it holds.
            save_file(part, temporary, metadata={"format": "pt"})
        where.update(dict.fromkeys(names, file))
    if total == 1:
        return [SINGLE_NAME]
    size = sum(t.nbytes for t in tensors.values())
    _write_json(folder / INDEX_NAME, {"metadata": {"total_size": size}, "weight_map": where})
    return [INDEX_NAME, *dict.fromkeys(where.values())]


def _remove_stale(folder: Path, keep: list[str]) -> None:
    """Takes away weight files of an earlier save, which a loader could read instead of the new ones."""
    for path in folder.iterdir():
        ours = path.name in (SINGLE_NAME, INDEX_NAME) or _SHARD.fullmatch(path.name)
        if ours and path.name not in keep:
            path.unlink()


def _config(model: StoredModel) -> dict[str, Any]:
    return {
        "architectures": [type(model).__name__],
        **model.config.to_dict(),
        "dtype": str(model.dtype).removeprefix("torch."),
    }


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    with _replacing(path) as temporary:
        temporary.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def _replacing(path: Path) -> Generator[Path]:
    """A file beside `path` to write into; it takes the place of `path` at once if the block succeeds."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
