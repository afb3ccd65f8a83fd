"""What reading gives back: frozen results that turn into JSON and back, and the JSON schema they keep.

Times are in seconds, sizes and boxes in pixels of the page as a person sees it, page numbers start at 1.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, Protocol, get_args

from .errors import GotOcr2Error, InputError

Status = Literal["complete", "truncated", "looped", "empty", "failed"]
FinishReason = Literal["stop", "length", "deadline", "looped", "blank", "error"]
OnLoop = Literal["stop", "penalise", "retry_cropped", "ignore"]

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
class TextPart:
    """A line or word of a page's text.

    Attributes:
        text: what it says, without the white space around it.
        start, end: where it stands: `page.text[start:end]`.
        confidence: 0..1; see `PageResult`.
        box: `(x1, y1, x2, y2)` around it in pixels of the page; None where its place is not known.
        angle: degrees by which its letters run down to the right, 0 for level ones; None with `box`.
        block: number of the block of lines that it belongs to, from 0; None where lines were not looked for.
    """

    text: str
    start: int
    end: int
    confidence: float
    box: tuple[float, float, float, float] | None = None
    angle: float | None = None
    block: int | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TextPart:
        """The inverse of `dataclasses.asdict`, also after a passage through JSON."""
        values: dict[str, Any] = dict(data)
        if values.get("box") is not None:
            values["box"] = tuple(values["box"])
        return cls(**values)


@dataclass(frozen=True)
class Repetition:
    """What was done about a page on which the model began to repeat itself.

    Attributes:
        on_loop: the rule that was followed; see `reading.ReadOptions`.
        period: tokens of the repeated unit, or None if its copies differ a little.
        dropped: tokens that were left out of the text, because they repeat the unit's first copy.
        solved: a second try did not end in repetition, and the text is that of the second try.
        failure: why a second try that `on_loop` asks for failed; None if it did not, or none was asked for.
    """

    on_loop: OnLoop
    period: int | None
    dropped: int
    solved: bool = False
    failure: str | None = None


@dataclass(frozen=True)
class Speculation:
    """How far drafts were right. They make reading faster and never change the text.

    Attributes:
        drafted: tokens that were proposed and verified.
        kept: how many of them the model wrote too.
        agreement: how much of the given draft and of the text is the same, in the same order: twice the
            characters in common by the characters of both, 0..1, white space left out; None without a text.
    """

    drafted: int
    kept: int
    agreement: float | None = None


@dataclass(frozen=True)
class PageResult:
    """The text of one page, or of several pages that were read as one text.

    Confidences are made of the probability p that the model itself gave to each token that it wrote. They are
    uncalibrated: 0.9 is better than 0.8, but need not be right nine times in ten.

    | of | is |
    |---|---|
    | a character | the least p of the tokens that hold its bytes |
    | a word | the product of p over its tokens: the chance that all of it is right |
    | a line | the geometric mean of p over its tokens |
    | the page | the geometric mean of p over all tokens, the end token included |

    A word is what stands between white space; ideographs and kana are words by themselves. A token that reaches
    into two words or lines counts in both.

    Attributes:
        text: what stands on the page; empty when `status` is "empty" or "failed".
        status: "complete"; "truncated" (the token limit or the deadline cut the text); "looped" (the text was cut
            where the model began to repeat itself, see `repetition`); "empty" (the model found nothing to read);
            "failed" (see `error`).
        finish_reason: "stop" (the model ended the text), "length" (the token limit did), "deadline", "looped", "blank"
            (the picture shows nothing, and the model was not asked) or "error".
        source: name of the document: a path, an address, `<bytes>`, `<image>`, `<array>` or `<stdin>`.
        page_numbers: the pages this text covers; one unless they were read together.
        width, height: size of the first page in pixels; 0 when it could not be opened.
        prompt_tokens, tokens: tokens given to the model and tokens it wrote, the end token included.
        seconds: from the opened page to the finished text.
        mean_logprob: mean natural logarithm of the probability of each written token, when it was recorded.
        lines, words: in the order of the text, when they were asked for; lines without text are left out.
        characters: confidence of every character of the text, when they were asked for.
        repetition: what was done about a loop; None if there was none.
        speculation: how far drafts were right; None if nothing was drafted.
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
    lines: tuple[TextPart, ...] | None = None
    words: tuple[TextPart, ...] | None = None
    characters: tuple[float, ...] | None = None
    repetition: Repetition | None = None
    speculation: Speculation | None = None
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
        if self.status == "looped" and self.repetition is None:
            raise InputError("A page that looped says what was repeated, got no repetition.")
        if (self.status == "failed") != (self.error is not None):
            raise InputError(
                f"A page has an error exactly when it failed, got {self.status!r}, {self.error!r}."
            )

    def render(self, to: str, kind: str = "auto", *, strict: bool = False, **options: Any) -> RenderedFile:
        """The page as a file that other programs open: "html", "docx", "svg", ...; see `rendering.render_result`."""
        return _rendering().render_result(self, to, kind, strict=strict, **options)

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
        for name in ("lines", "words", "characters"):
            if data[name] is not None:
                data[name] = list(data[name])
        for part in (*(data["lines"] or ()), *(data["words"] or ())):
            part["box"] = None if part["box"] is None else list(part["box"])
        if self.request.box is not None:
            data["request"]["box"] = list(self.request.box)
        return {"kind": "page", **data, "confidence": self.confidence}

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON text; characters outside ASCII stand as they are."""
        return _json(self.to_dict(), indent)

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
            for name, kind in (
                ("error", PageError),
                ("repetition", Repetition),
                ("speculation", Speculation),
            ):
                if values.get(name) is not None:
                    values[name] = kind(**values[name])
            for name in ("lines", "words"):
                if values.get(name) is not None:
                    values[name] = tuple(TextPart.from_dict(part) for part in values[name])
            if values.get("characters") is not None:
                values["characters"] = tuple(values["characters"])
            values["page_numbers"] = tuple(values.get("page_numbers", (1,)))
            return cls(**values, request=Request(**request))
        except TypeError as e:
            raise InputError(f"This is not a got-ocr2 page result: {e}.") from e


def _json(data: Mapping[str, Any], indent: int | None) -> str:
    text = json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)
    # Bytes of a path that are no text stand in it as half surrogate pairs, which only JSON's escapes can carry.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


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

    def render(self, to: str, kind: str = "auto", *, strict: bool = False, **options: Any) -> RenderedFile:
        """The document as one file that other programs open; see `rendering.render_result`."""
        return _rendering().render_result(self, to, kind, strict=strict, **options)

    @property
    def text(self) -> str:
        """The texts of the pages that have one, a blank line between two pages."""
        return PAGE_SEPARATOR.join(page.text for page in self.pages if page.text)

    @property
    def status(self) -> Status:
        """The worst of the pages: "failed", "looped", then "truncated"; "empty" only when every page is."""
        found = {page.status for page in self.pages}
        for status in ("failed", "looped", "truncated", "complete"):
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
        return _json(self.to_dict(), indent)

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


class RenderedFile(Protocol):
    """What `render` gives back: a `rendering.Rendered`, which documents the fields."""

    @property
    def data(self) -> bytes: ...
    @property
    def text(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    @property
    def problems(self) -> tuple[Any, ...]: ...


def _rendering() -> Any:
    """The room above that draws results, for the two methods that users call; it is opened by name, when asked."""
    return import_module(f"{__package__}.rendering")


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
