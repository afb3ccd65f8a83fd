"""The JSON schema that results keep."""

from __future__ import annotations

from typing import Any, get_args

from .details import FinishReason, OnLoop, Status

Schema = dict[str, Any]

_COUNT: Schema = {"type": "integer", "minimum": 0}
_SECONDS: Schema = {"type": "number", "minimum": 0}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_STATUS: Schema = {"enum": list(get_args(Status))}
_BOX: Schema = {
    "type": ["array", "null"],
    "items": {"type": "number"},
    "minItems": 4,
    "maxItems": 4,
    "description": "x1, y1, x2, y2 in pixels of the page",
}


def json_schema() -> Schema:
    """The JSON schema (draft 2020-12) of `to_dict` of both results; `got-ocr2 read --json` writes it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "got-ocr2 result",
        "oneOf": [{"$ref": "#/$defs/page"}, {"$ref": "#/$defs/document"}],
        "$defs": {"page": _page(), "document": _document(), "part": _part()},
    }


def _object(properties: Schema, type: str | list[str] = "object") -> Schema:
    """An object with exactly these properties."""
    return {
        "type": type,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(schema: Schema) -> Schema:
    """The same, or nothing; of a simple type."""
    return {**schema, "type": [schema["type"], "null"]}


def _document() -> Schema:
    return _object(
        {
            "kind": {"const": "document"},
            "source": {"type": "string"},
            "text": {"type": "string"},
            "status": _STATUS,
            "tokens": _COUNT,
            "seconds": _SECONDS,
            "pages": {"type": "array", "items": {"$ref": "#/$defs/page"}, "minItems": 1},
        }
    )


def _page() -> Schema:
    parts: Schema = {"type": ["array", "null"], "items": {"$ref": "#/$defs/part"}}
    return _object(
        {
            "kind": {"const": "page"},
            "text": {"type": "string"},
            "status": _STATUS,
            "finish_reason": {"enum": list(get_args(FinishReason))},
            "source": {"type": "string"},
            "page_numbers": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
            "width": _COUNT,
            "height": _COUNT,
            "prompt_tokens": _COUNT,
            "tokens": _COUNT,
            "seconds": _SECONDS,
            "mean_logprob": {"type": ["number", "null"], "maximum": 0},
            "lines": parts,
            "words": parts,
            "characters": {"type": ["array", "null"], "items": _SHARE},
            "skipped": parts,
            "agreement": _or_null(_SHARE),
            "repetition": _repetition(),
            "speculation": _speculation(),
            "request": _request(),
            "error": _error(),
            "confidence": _or_null(_SHARE),
        }
    )


def _part() -> Schema:
    """A line, a word or what was skipped."""
    return _object(
        {
            "text": {"type": "string"},
            "start": _COUNT,
            "end": _COUNT,
            "confidence": _SHARE,
            "box": _BOX,
            "angle": {"type": ["number", "null"]},
            "block": _or_null(_COUNT),
            "unsupported": {"type": "boolean"},
        }
    )


def _repetition() -> Schema:
    return _object(
        {
            "on_loop": {"enum": list(get_args(OnLoop))},
            "period": {"type": ["integer", "null"], "minimum": 1},
            "dropped": _COUNT,
            "solved": {"type": "boolean"},
            "failure": {"type": ["string", "null"]},
        },
        ["object", "null"],
    )


def _speculation() -> Schema:
    return _object({"drafted": _COUNT, "kept": _COUNT, "agreement": _or_null(_SHARE)}, ["object", "null"])


def _request() -> Schema:
    """What was asked of the page."""
    return _object(
        {
            "format": {"type": "boolean"},
            "box": _BOX,
            "color": {"type": ["string", "null"]},
            "multi_page": {"type": "boolean"},
            "crop": {"type": "boolean"},
            "max_patches": {"type": ["integer", "null"], "minimum": 1},
        }
    )


def _error() -> Schema:
    return _object(
        {"type": {"type": "string"}, "message": {"type": "string"}, "exit_code": {"type": "integer"}},
        ["object", "null"],
    )
