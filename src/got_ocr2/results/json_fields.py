"""Results as JSON text, and back from its fields."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from ..errors import InputError


def as_json(data: Mapping[str, Any], indent: int | None) -> str:
    text = json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)
    # Bytes of a path that are no text stand in it as half surrogate pairs, which only JSON's escapes can carry.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def known_fields(cls: type, data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The fields of `cls` in `data`; what `to_dict` only derives is left out, anything else is refused."""
    if data.get("kind") != kind:
        raise InputError(f'A {kind} result has "kind": "{kind}", got {data.get("kind")!r}.')
    derived = {"kind", "confidence", "text", "status", "tokens", "seconds"}
    names = {f.name for f in dataclasses.fields(cls)}
    if unknown := sorted(set(data) - names - derived):
        raise InputError(f"A {kind} result has no field {unknown[0]!r}.")
    return {name: data[name] for name in names if name in data}
