"""JSON that several routes take or give, and what they say of it in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...rendering.registry import FORMATS
from ...results import json_schema


class Error(BaseModel):
    """What went wrong, in one sentence."""

    type: str
    message: str
    param: str | None = None
    code: str | None = None


class ErrorAnswer(BaseModel):
    error: Error


# `json_schema_extra` is for those who read the OpenAPI document; whoever refuses a value has a better sentence for it.
Box = Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=4, max_length=4)]
Color = Annotated[str, Field(json_schema_extra={"pattern": r"^\w+$"})]
_Page = Annotated[int, Field(ge=1)]
_Ranges = Annotated[
    str, Field(json_schema_extra={"pattern": r"^ *[0-9]+(-[0-9]*)? *(, *[0-9]+(-[0-9]*)? *)*$"})
]
Pages = _Ranges | _Page | Annotated[list[_Page], Field(min_length=1)]
Address = Annotated[str, Field(json_schema_extra={"format": "uri"})]
Base64 = Annotated[str, Field(json_schema_extra={"format": "byte", "contentEncoding": "base64"})]
FormatName = Annotated[str, Field(json_schema_extra={"enum": list(FORMATS)})]


def exactly_one(*names: str) -> dict[str, Any]:
    """For `json_schema_extra`: one of these fields is a string, the others are not there or null."""
    return {
        "anyOf": [
            {
                "required": [one],
                "properties": {name: {"type": "string" if name == one else "null"} for name in names},
            }
            for one in names
        ]
    }


class Body(BaseModel):
    """Of a request: nothing is converted, but 5.0 is a whole number, as it is in JSON."""

    model_config = ConfigDict(strict=True)

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, data: Any) -> Any:
        return {name: _as_whole(value) for name, value in data.items()} if isinstance(data, dict) else data


def _as_whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_as_whole(one) for one in value] if isinstance(value, list) else value


class Options(Body):
    """What to read and how: the options of `OCR.read`; docs/reading.md explains each."""

    model_config = ConfigDict(extra="forbid")

    format: bool = Field(
        default=False, description="Formatted text: Mathpix markdown, music, TikZ, SMILES, a chart's data."
    )
    box: Box | None = Field(default=None, description="x1, y1, x2, y2 in pixels of the page.")
    color: Color | None = Field(default=None, description="Read what stands in the frame of this colour.")
    multi_page: bool = Field(default=False, description="All pages as one text.")
    crop: bool = Field(default=False, description="Read pages in full-size tiles as well, for small print.")
    max_patches: int | None = Field(default=None, ge=1, description="The most tiles; switches crop on.")
    lines: bool | None = Field(
        default=None, description="Find the lines of each page and read them one by one."
    )
    paragraphs: bool = Field(default=False, description="Join lines of a block into running text.")
    dehyphenate: bool = Field(default=False, description="Put words together that a line's end divides.")
    max_new_tokens: int | None = Field(
        default=None, ge=1, description="The longest text of a page, in tokens."
    )
    deadline: float | None = Field(
        default=None, gt=0, description="Seconds that the model may work on a page."
    )
    on_loop: Literal["stop", "penalise", "retry_cropped", "ignore"] = Field(
        default="stop", description="What to do when the model repeats itself."
    )
    no_repeat_ngram_size: Annotated[int, Field(ge=0)] | Literal["original"] | None = Field(
        default=None, description="No run of so many tokens comes twice."
    )
    temperature: float = Field(default=0.0, ge=0, description="0 writes the most probable text.")
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="Draw among tokens that reach this probability."
    )
    # The document tells bounds as floats: beyond 2^53 it would tell another one, and clients' numbers are not exact.
    seed: int | None = Field(default=None, ge=0, lt=2**53, description="Equal seeds draw equal texts.")
    draft: str | list[str] | None = Field(
        default=None,
        description='What the document is thought to say: "pdf-text", "lines", or a text for each page.',
    )
    boxes: bool = Field(default=False, description="Places for the lines and words of the text.")
    speculate: bool | Literal["ngram"] | None = Field(
        default=None, description="Guess tokens, verify several at once."
    )
    confidence: Literal["page", "line", "word", "character"] = Field(
        default="page", description="How finely the result says how sure the model was."
    )
    pages: Pages | None = Field(default=None, description='Which pages, such as "1-4,7,9-", from 1.')
    dpi: float = Field(default=200.0, gt=0, description="Pixels per inch for the pages of a PDF.")
    password: str | None = Field(default=None, description="For an encrypted PDF.")
    skip_blank: bool = Field(
        default=True, description="Pages with nothing on them are empty without asking the model."
    )


OPTIONS_FIELD = {
    "type": "string",
    "description": "JSON, as `options` of the JSON body.",
    "contentMediaType": "application/json",
    "contentSchema": {"$ref": "#/components/schemas/Options"},
    "format": "json",
}
"""Of a form."""
TREE = {
    "type": "object",
    "not": {"required": ["pages"]},
    "description": "With `to` json: what stands in a text, as a tree.",
}
"""The file that JSON is written to."""

PROBLEMS = {
    400: "The request is not what this address takes.",
    401: "An API key is needed, or is not known.",
    403: "This client may not use the server.",
    404: "There is no such thing.",
    409: "It is not done yet.",
    413: "The request is too large.",
    422: "The document cannot be read, or not written in this format.",
    429: "The API key, or the address, has had its requests of a minute.",
    500: "The server failed.",
    501: "A package is missing on the server.",
    503: "The server is full or about to end.",
    504: "Reading took too long.",
}
_READING = (400, 401, 403, 404, 413, 422, 429, 500, 501, 503, 504)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses` of a route: these errors."""
    return {status: {"model": ErrorAnswer, "description": PROBLEMS[status]} for status in statuses}


def reading_errors() -> dict[int | str, dict[str, Any]]:
    """For `responses` of a route that reads documents."""
    return errors(*_READING)


def result_schema(kind: Literal["page", "document"]) -> dict[str, Any]:
    """The JSON schema of a result, by reference to the components that `components` gives."""
    return {"$ref": f"#/components/schemas/{_RESULTS[kind]}"}


_RESULTS = {"page": "PageResult", "document": "DocumentResult", "part": "TextPart"}


def components() -> dict[str, Any]:
    """The schemas of results for `components.schemas` of the OpenAPI document."""
    return {_RESULTS[name]: _moved(schema) for name, schema in json_schema()["$defs"].items()}


def _moved(schema: Any) -> Any:
    """With references to where OpenAPI keeps schemas."""
    if isinstance(schema, dict):
        return {
            key: f"#/components/schemas/{_RESULTS[value.rpartition('/')[2]]}"
            if key == "$ref"
            else _moved(value)
            for key, value in schema.items()
        }
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return [_moved(part) for part in schema]
    return schema
