"""What reading gives back: frozen results that turn into JSON and back, and the JSON schema they keep.

Times are in seconds, sizes and boxes in pixels of the page as a person sees it, page numbers start at 1.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .errors import GotOcr2Error, InputError

Status = Literal["complete", "truncated", "empty", "failed"]
FinishReason = Literal["stop", "length", "error"]

# What stands between the texts of two pages in `DocumentResult.text`.
PAGE_SEPARATOR = "\n\n"


@dataclass(frozen=True)
class Request:
    """What the model was asked to read on a page; the fields are the keyword arguments of `OCR.read`.

    Attributes:
        format: formatted text was asked for.
        box: region `(x1, y1, x2, y2)` in pixels of the page.
        color: colour of the frame around the region to read.
        multi_page: the pages were read as one text.
        crop: the page was read with its high-resolution patches.
        max_patches: the most patches allowed; None is the processor's own limit.
    """

    format: bool = False
    box: tuple[float, float, float, float] | None = None
    color: str | None = None
    multi_page: bool = False
    crop: bool = False
    max_patches: int | None = None


@dataclass(frozen=True)
class PageError:
    """Why a page could not be read.

    Attributes:
        type: name of the exception class.
        message: its one sentence.
        exit_code: what the command line exits with for it.
    """

    type: str
    message: str
    exit_code: int

    @classmethod
    def from_exception(cls, error: Exception) -> PageError:
        """Keeps the sentence of our own errors and puts the class before the message of foreign ones."""
        name = type(error).__name__
        if isinstance(error, GotOcr2Error):
            return cls(name, str(error), error.exit_code)
        return cls(name, f"{name}: {error}" if str(error) else f"{name}.", GotOcr2Error.exit_code)


@dataclass(frozen=True)
class PageResult:
    """The text of one page, or of several pages that were read as one text.

    Attributes:
        text: what stands on the page; empty when `status` is "empty" or "failed".
        status: "complete"; "truncated" (the token limit cut the text); "empty" (the model found nothing to
            read); "failed" (see `error`).
        finish_reason: "stop" (the model ended the text), "length" (the token limit did) or "error".
        source: name of the document: a path, an address, `<bytes>`, `<image>`, `<array>` or `<stdin>`.
        page_numbers: the pages this text covers; one unless they were read together.
        width, height: size of the first page in pixels; 0 when it could not be opened.
        prompt_tokens, tokens: tokens given to the model and tokens it wrote, the end token included.
        seconds: from the opened page to the finished text.
        mean_logprob: mean natural logarithm of the probability of each written token, when it was recorded.
        request: what was asked.
        error: why the page failed; None otherwise.
    """

    text: str
    status: Status
    finish_reason: FinishReason
    source: str = "<image>"
    page_numbers: tuple[int, ...] = (1,)
    width: int = 0
    height: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    mean_logprob: float | None = None
    request: Request = field(default_factory=Request)
    error: PageError | None = None

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise InputError(f"A page's status is one of {get_args(Status)}, got {self.status!r}.")
        if self.finish_reason not in get_args(FinishReason):
            raise InputError(
                f"A finish reason is one of {get_args(FinishReason)}, got {self.finish_reason!r}."
            )
        if not self.page_numbers:
            raise InputError("A page result covers at least one page, got none.")
        if (self.status == "failed") != (self.error is not None):
            raise InputError(
                f"A page has an error exactly when it failed, got {self.status!r}, {self.error!r}."
            )

    @property
    def page(self) -> int:
        """Number of the first page covered."""
        return self.page_numbers[0]

    @property
    def confidence(self) -> float | None:
        """Geometric mean of the probabilities of the written tokens, 0..1; uncalibrated."""
        return None if self.mean_logprob is None else math.exp(self.mean_logprob)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-serialisable dict that keeps `json_schema()`."""
        data = dataclasses.asdict(self)
        data["page_numbers"] = list(self.page_numbers)
        if self.request.box is not None:
            data["request"]["box"] = list(self.request.box)
        return {"kind": "page", **data, "confidence": self.confidence}

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON text; characters outside ASCII stand as they are."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PageResult:
        """The inverse of `to_dict`.

        Raises:
            InputError: `data` is not a page result.
        """
        values = _fields(cls, data, "page")
        try:
            request = dict(values.pop("request", {}))
            if request.get("box") is not None:
                request["box"] = tuple(request["box"])
            error = values.pop("error", None)
            values["page_numbers"] = tuple(values.get("page_numbers", (1,)))
            return cls(
                **values, request=Request(**request), error=None if error is None else PageError(**error)
            )
        except TypeError as e:
            raise InputError(f"This is not a got-ocr2 page result: {e}.") from e


@dataclass(frozen=True)
class DocumentResult:
    """The pages of one document, in the order they were asked for, one result each.

    Attributes:
        source: name of the document.
        pages: a result for every page, failed ones included.
    """

    source: str
    pages: tuple[PageResult, ...]

    def __post_init__(self) -> None:
        if not self.pages:
            raise InputError(f"The document {self.source} has no page results.")

    @property
    def text(self) -> str:
        """The texts of the pages that have one, a blank line between two pages."""
        return PAGE_SEPARATOR.join(page.text for page in self.pages if page.text)

    @property
    def status(self) -> Status:
        """The worst of the pages: "failed", then "truncated"; "empty" only when every page is."""
        found = {page.status for page in self.pages}
        for status in ("failed", "truncated", "complete"):
            if status in found:
                return status
        return "empty"

    @property
    def tokens(self) -> int:
        """Tokens written for all pages."""
        return sum(page.tokens for page in self.pages)

    @property
    def seconds(self) -> float:
        """Seconds spent on all pages."""
        return sum(page.seconds for page in self.pages)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-serialisable dict that keeps `json_schema()`."""
        return {
            "kind": "document",
            "source": self.source,
            "text": self.text,
            "status": self.status,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "pages": [page.to_dict() for page in self.pages],
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON text; characters outside ASCII stand as they are."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DocumentResult:
        """The inverse of `to_dict`.

        Raises:
            InputError: `data` is not a document result.
        """
        values = _fields(cls, data, "document")
        try:
            return cls(values["source"], tuple(PageResult.from_dict(page) for page in values["pages"]))
        except (KeyError, TypeError) as e:
            raise InputError(f"This is not a got-ocr2 document result: {e}.") from e


def _fields(cls: type, data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The fields of `cls` in `data`; what `to_dict` only derives is left out, anything else is refused."""
    if data.get("kind") != kind:
        raise InputError(f'A {kind} result has "kind": "{kind}", got {data.get("kind")!r}.')
    derived = {"kind", "confidence", "text", "status", "tokens", "seconds"}
    names = {f.name for f in dataclasses.fields(cls)}
    if unknown := sorted(set(data) - names - derived):
        raise InputError(f"A {kind} result has no field {unknown[0]!r}.")
    return {name: data[name] for name in names if name in data}


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
        "$defs": {"page": page, "document": document},
    }
