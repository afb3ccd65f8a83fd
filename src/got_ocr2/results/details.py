"""What stands in a page's result beside its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import GotOcr2Error

Status = Literal["complete", "truncated", "looped", "empty", "failed"]
FinishReason = Literal["stop", "length", "deadline", "lines", "looped", "blank", "error"]
OnLoop = Literal["stop", "penalise", "retry_cropped", "ignore"]


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
        unsupported: a line of the text that no line of the page says, where lines were looked for beside it: the model
            may have made it up.
    """

    text: str
    start: int
    end: int
    confidence: float
    box: tuple[float, float, float, float] | None = None
    angle: float | None = None
    block: int | None = None
    unsupported: bool = False

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
        on_loop: the rule that was followed; see `OCR.read`.
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
