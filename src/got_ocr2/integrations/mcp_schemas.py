"""What the tools of the Model Context Protocol server take and give, as JSON schemas (draft 2020-12)."""

from __future__ import annotations

from typing import Any, get_args

from ..rendering import FORMATS, KINDS
from ..results import Status


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _switch(description: str) -> dict[str, Any]:
    return {"type": "boolean", "default": False, "description": description}


_PATH = {**_text("The document: a picture or a PDF in an allowed folder."), "minLength": 1}
_PAGES = _text("Which pages, such as 1-4,7,9-; all by default.")
_PASSWORD = _text("For an encrypted PDF.")
_FORMAT = _switch(
    "Formatted text: Markdown with LaTeX, music, TikZ, SMILES, a chart's data. Not every model can."
)
_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
_COUNT = {"type": "integer", "minimum": 0}
_SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_NAME = {"type": ["string", "null"]}

_PAGE = _object(
    ("pages", "text", "status", "width", "height", "confidence", "error"),
    pages={"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
    text={"type": "string"},
    status={"enum": list(get_args(Status)), "description": "truncated and looped texts are cut."},
    width={**_COUNT, "description": "In pixels; boxes are too."},
    height=_COUNT,
    confidence={**_SHARE, "description": "Of the model in its own text; not calibrated."},
    lines={
        "type": "array",
        "items": _object(
            ("text", "box", "confidence"),
            text={"type": "string"},
            box={**_NUMBERS, "type": ["array", "null"], "description": "x1, y1, x2, y2"},
            confidence=_SHARE,
        ),
    },
    error=_NAME,
)

INPUTS: dict[str, dict[str, Any]] = {
    "read_document": _object(
        ("path",),
        path=_PATH,
        pages=_PAGES,
        format=_FORMAT,
        crop=_switch("Read in full-size tiles as well, for small print."),
        multi_page=_switch("Read all pages as one text."),
        paragraphs=_switch("Join lines of a block into running text, where pages are read line by line."),
        places=_switch("Give every line its box in pixels, to read regions or point at them."),
        password=_PASSWORD,
    ),
    "read_region": {
        **_object(
            ("path",),
            path=_PATH,
            page={"type": "integer", "minimum": 1, "default": 1},
            box={**_NUMBERS, "description": "x1, y1, x2, y2 in pixels of the page, as read_document tells them."},
            color={
                "enum": ["red", "green", "blue"],
                "description": "Instead of a box: what stands in the frame of this colour.",
            },
            format=_FORMAT,
            password=_PASSWORD,
        ),
        "oneOf": [{"required": ["box"]}, {"required": ["color"]}],
    },
    "render": {
        **_object(
            ("to",),
            text=_text("What was read, or any text of the model."),
            path={**_PATH, "description": "Instead of a text: a document, which is read first."},
            to={"enum": list(FORMATS), "description": "hocr, alto, page-xml, tsv and searchable-pdf need a path."},
            kind={"enum": ["auto", *KINDS], "default": "auto", "description": "What the text is."},
            plain=_switch("The text is a page without markup: no sign in it means anything."),
            format=_FORMAT,
            pages=_PAGES,
            password=_PASSWORD,
            file=_text("Write it here, in the folder for files, instead of giving it back; never over a file."),
        ),
        "oneOf": [{"required": ["text"]}, {"required": ["path"]}],
    },
}  # fmt: skip

OUTPUTS: dict[str, dict[str, Any]] = {
    "read_document": _object(
        ("source", "status", "pages"),
        source={"type": "string"},
        status={"enum": list(get_args(Status))},
        pages={"type": "array", "items": _PAGE, "minItems": 1},
    ),
    "read_region": _PAGE,
    "render": _object(
        ("format", "kind", "media_type", "bytes", "problems", "file"),
        format={"enum": list(FORMATS)},
        kind={"type": "string"},
        media_type={"type": "string"},
        bytes=_COUNT,
        problems={"type": "array", "items": {"type": "string"}},
        file=_NAME,
    ),
}
