"""The result of a page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from ..errors import InputError
from .details import FinishReason, PageError, Repetition, Request, Speculation, Status, TextPart
from .json_fields import as_json, known_fields
from .rendered_file import RenderedFile, rendering_room


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
        status: "complete"; "truncated" (a limit of tokens, lines or time cut the text); "looped" (the text was cut
            where the model began to repeat itself, see `repetition`); "empty" (the model found nothing to read);
            "failed" (see `error`).
        finish_reason: "stop" (the model ended the text), "length" (the token limit did), "deadline", "lines" (more were
            found than `layout.MOST_LINES`; those of the fewest letters were not read), "looped", "blank" (the picture
            shows nothing, and the model was not asked) or "error".
        source: name of the document: a path, an address, `<bytes>`, `<image>`, `<array>` or `<stdin>`.
        page_numbers: the pages this text covers; one unless they were read together.
        width, height: size of the first page in pixels; 0 when it could not be opened.
        prompt_tokens, tokens: tokens given to the model and tokens it wrote, the end token included.
        seconds: from the opened page to the finished text.
        mean_logprob: mean natural logarithm of the probability of each written token, when it was recorded.
        lines, words: in the order of the text, when they were asked for; lines without text are left out. With `boxes`
            a line of the text that runs over several lines of the page is as many parts.
        characters: confidence of every character of the text, when they were asked for.
        skipped: with `boxes`, lines that were found on the page and that the text leaves out; `text` and `confidence`
            are those of the reader of lines, and both `start` and `end` say where it would stand. None otherwise.
        agreement: with `boxes`, how much the text and the lines that were read on the page agree: twice the letters and
            digits that both have in common, wherever they stand, by those of both, 0..1. None otherwise.
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
    skipped: tuple[TextPart, ...] | None = None
    agreement: float | None = None
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
        return rendering_room().render_result(self, to, kind, strict=strict, **options)

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
        for name in ("lines", "words", "characters", "skipped"):
            if data[name] is not None:
                data[name] = list(data[name])
        for part in (*(data["lines"] or ()), *(data["words"] or ()), *(data["skipped"] or ())):
            part["box"] = None if part["box"] is None else list(part["box"])
        if self.request.box is not None:
            data["request"]["box"] = list(self.request.box)
        return {"kind": "page", **data, "confidence": self.confidence}

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON text; characters outside ASCII stand as they are."""
        return as_json(self.to_dict(), indent)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PageResult:
        """The inverse of `to_dict`.

        Raises:
            InputError: `data` is not a page result.
        """
        values = known_fields(cls, data, "page")
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
            for name in ("lines", "words", "skipped"):
                if values.get(name) is not None:
                    values[name] = tuple(TextPart.from_dict(part) for part in values[name])
            if values.get("characters") is not None:
                values["characters"] = tuple(values["characters"])
            values["page_numbers"] = tuple(values.get("page_numbers", (1,)))
            return cls(**values, request=Request(**request))
        except TypeError as e:
            raise InputError(f"This is not a got-ocr2 page result: {e}.") from e
