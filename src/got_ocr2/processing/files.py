"""Reading and writing the JSON files of a checkpoint folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, cast

from ..errors import ConfigError, FileAccessError
from ..hub import resolve
from ..pretrained import check_loading


def folder_of(name: str, repo_or_folder: str | PathLike[str], options: Mapping[str, Any]) -> Path:
    """The folder of a checkpoint whose processor is wanted, without its weights.

    Args:
        name: of the class, for messages.
        repo_or_folder: a local folder, or "owner/name" on the hub.
        options: `revision`, `token`, `cache_dir` and `local_files_only`, see `hub.resolve`; arguments of
            transformers' `from_pretrained` that change nothing here are accepted.

    Raises:
        CheckpointError: no such folder or repository, or it cannot be reached.
        InvalidOptionError: an option is unknown, or asks for what cannot be done here.
    """
    hub, _ = check_loading(name, options, own=())
    return resolve(repo_or_folder, weights=False, **hub)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        FileAccessError: the file is missing or may not be read.
        ConfigError: it does not hold a JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise FileAccessError(f"{path} cannot be read: {e.strerror}.") from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"{path} is not UTF-8 text.") from e
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise ConfigError(f"{path} is not JSON: {e}.") from e
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold a JSON object, got {type(data).__name__}.")
    return cast(dict[str, Any], data)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Writes a JSON object, keys sorted, as transformers does; makes the folder if need be.

    Raises:
        FileAccessError: the file cannot be written.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as e:
        raise FileAccessError(f"{path} cannot be written: {e.strerror}.") from e
