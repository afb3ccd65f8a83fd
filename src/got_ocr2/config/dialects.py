"""The dialects of `config.json`: Hugging Face's nested one, and the flat one of the original checkpoints.

The original says `"model_type": "GOT"` and lists the decoder's sizes at the top; its encoder is fixed in
code. MLX conversions keep that dialect. Hugging Face nests `vision_config` and `text_config`, where a missing
or empty one means the published sizes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

from ..errors import CheckpointError, ConfigError

CONFIG_NAME = "config.json"

# Facts about other software or about the file itself, which would be untrue in a file that we write.
_FOREIGN = {
    "dtype",
    "torch_dtype",
    "_name_or_path",
    "architectures",
    "auto_map",
    "transformers_version",
    "image_seq_length",
    "quantization",
}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a checkpoint.

    Raises:
        CheckpointError: the file is missing, is not JSON, or holds something else than an object.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as e:
        raise CheckpointError(
            f"{path.parent} holds no {path.name}, so it is not a complete checkpoint."
        ) from e
    except (OSError, ValueError, RecursionError) as e:
        raise CheckpointError(f"{path} cannot be read as JSON: {e}.") from e
    if not isinstance(data, dict):
        raise CheckpointError(f"{path} must hold a JSON object, got {type(data).__name__}.")
    return cast("dict[str, Any]", data)


def is_original(data: Mapping[str, Any]) -> bool:
    """Whether a parsed `config.json` is in the original checkpoints' dialect."""
    return data.get("model_type") == "GOT"


def stored_dtype(data: Mapping[str, Any]) -> str | None:
    """The dtype that a `config.json` says its weights have, such as "bfloat16"; None if it does not say."""
    for key in ("dtype", "torch_dtype"):
        value = data.get(key)
        if value is not None:
            return str(value).removeprefix("torch.")
    return None


def as_hugging_face(data: Mapping[str, Any], text_fields: Collection[str]) -> dict[str, Any]:
    """Any dialect of `config.json`, already parsed, in Hugging Face's nested one.

    Args:
        data: the JSON object.
        text_fields: names of the decoder's fields, which a flat dialect has at the top.

    Raises:
        ConfigError: it describes another architecture, or a checkpoint that cannot be loaded.
    """
    kind = data.get("model_type")
    if kind not in ("GOT", "got_ocr2"):
        raise ConfigError(f'model_type must be "got_ocr2" or "GOT" for a GOT-OCR2 checkpoint, got {kind!r}.')
    if data.get("quantization") or data.get("quantization_config"):
        raise ConfigError(
            "The checkpoint is quantised, its config.json says; only float weights can be loaded."
        )
    data = data if "text_config" in data else _nested(data, text_fields)
    top = {k: v for k, v in data.items() if k not in _FOREIGN}
    top["vision_config"] = _vision(_part(data, "vision_config"))
    top["text_config"] = _text(_part(data, "text_config"))
    return {**top, "model_type": "got_ocr2"}


def _nested(data: Mapping[str, Any], text_fields: Collection[str]) -> dict[str, Any]:
    """A flat `config.json` in Hugging Face's shape."""
    text = {k: v for k, v in data.items() if k in text_fields}
    top = {k: v for k, v in data.items() if k not in text_fields or k == "tie_word_embeddings"}
    if is_original(data):
        # The rest are settings of the original code and ids that the tokenizer knows.
        top = {k: v for k, v in top.items() if k in ("tie_word_embeddings", "vision_config")}
        if "im_patch_token" in data:
            top["image_token_index"] = data["im_patch_token"]
    return {**top, "text_config": text}


def _part(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    part: Any = data.get(name) or {}
    if not isinstance(part, Mapping):
        raise ConfigError(f"{name} must be a JSON object, got {type(part).__name__}.")
    return {k: v for k, v in cast("Mapping[str, Any]", part).items() if k not in _FOREIGN}


def _vision(data: dict[str, Any]) -> dict[str, Any]:
    # The published Hugging Face file says `{"model_type": ""}`, which stands for the defaults.
    if not data.get("model_type"):
        data.pop("model_type", None)
    return data


def _text(data: dict[str, Any]) -> dict[str, Any]:
    # transformers 5 derives these from fields that we keep; said twice, the two could come apart.
    other = sorted(set(data.pop("layer_types", None) or []) - {"full_attention"})
    if other:
        raise ConfigError(f'text_config.layer_types may only hold "full_attention", got {other[0]!r}.')
    return data
