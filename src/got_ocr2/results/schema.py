"""The JSON schema that results keep."""

from __future__ import annotations

from typing import Any, get_args

from .details import FinishReason, OnLoop, Status


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of `to_dict` of both results; `got-ocr2 read --json` writes it."""

    def obj(properties: dict[str, Any], **extra: Any) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
            **extra,
        }

    count = {"type": "integer", "minimum": 0}
    seconds = {"type": "number", "minimum": 0}
    status = {"enum": list(get_args(Status))}
    box = {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
    request = obj(
        {
            "format": {"type": "boolean"},
            "box": {**box, "description": "x1, y1, x2, y2 in pixels of the page"},
            "color": {"type": ["string", "null"]},
            "multi_page": {"type": "boolean"},
            "crop": {"type": "boolean"},
            "max_patches": {"type": ["integer", "null"], "minimum": 1},
        }
    )
    error = obj(
        {"type": {"type": "string"}, "message": {"type": "string"}, "exit_code": {"type": "integer"}},
        type=["object", "null"],
    )
    share = {"type": "number", "minimum": 0, "maximum": 1}
    part = obj(
        {
            "text": {"type": "string"},
            "start": count,
            "end": count,
            "confidence": share,
            "box": {**box, "description": "x1, y1, x2, y2 in pixels of the page"},
            "angle": {"type": ["number", "null"]},
            "block": {"type": ["integer", "null"], "minimum": 0},
            "unsupported": {"type": "boolean"},
        }
    )
    repetition = obj(
        {
            "on_loop": {"enum": list(get_args(OnLoop))},
            "period": {"type": ["integer", "null"], "minimum": 1},
            "dropped": count,
            "solved": {"type": "boolean"},
            "failure": {"type": ["string", "null"]},
        },
        type=["object", "null"],
    )
    speculation = obj(
        {"drafted": count, "kept": count, "agreement": {**share, "type": ["number", "null"]}},
        type=["object", "null"],
    )
    page = obj(
        {
            "kind": {"const": "page"},
            "text": {"type": "string"},
            "status": status,
            "finish_reason": {"enum": list(get_args(FinishReason))},
            "source": {"type": "string"},
            "page_numbers": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
            "width": count,
            "height": count,
            "prompt_tokens": count,
            "tokens": count,
            "seconds": seconds,
            "mean_logprob": {"type": ["number", "null"], "maximum": 0},
            "lines": {"type": ["array", "null"], "items": {"$ref": "#/$defs/part"}},
            "words": {"type": ["array", "null"], "items": {"$ref": "#/$defs/part"}},
            "characters": {"type": ["array", "null"], "items": share},
            "skipped": {"type": ["array", "null"], "items": {"$ref": "#/$defs/part"}},
            "agreement": {**share, "type": ["number", "null"]},
            "repetition": repetition,
            "speculation": speculation,
            "request": request,
            "error": error,
            "confidence": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        }
    )
    document = obj(
        {
            "kind": {"const": "document"},
            "source": {"type": "string"},
            "text": {"type": "string"},
            "status": status,
            "tokens": count,
            "seconds": seconds,
            "pages": {"type": "array", "items": {"$ref": "#/$defs/page"}, "minItems": 1},
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "got-ocr2 result",
        "oneOf": [{"$ref": "#/$defs/page"}, {"$ref": "#/$defs/document"}],
        "$defs": {"page": page, "document": document, "part": part},
    }
