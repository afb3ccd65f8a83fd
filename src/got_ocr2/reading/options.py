"""What to read and how: checked once, before anything is opened."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from ..documents import DEFAULT_DPI, Limits, PageRanges
from ..errors import InvalidOptionError
from ..results import OnLoop, Request
from .confidence import ConfidenceLevel
from .drafts import LINES, Speculate

# The n-gram that the original demo forbids to come twice, for one picture that is not cut into tiles.
ORIGINAL_NO_REPEAT_NGRAM_SIZE = 20


@dataclass(frozen=True)
class ReadOptions:
    """What to read and how, checked once; the fields are the keyword arguments of `OCR.read`, which explains them."""

    format: bool = False
    box: Sequence[float] | None = None
    color: str | None = None
    multi_page: bool = False
    crop: bool = False
    max_patches: int | None = None
    lines: bool | None = None
    paragraphs: bool = False
    dehyphenate: bool = False
    max_new_tokens: int | None = None
    deadline: float | None = None
    on_loop: OnLoop = "stop"
    no_repeat_ngram_size: int | Literal["original"] | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    draft: str | Sequence[str] | None = field(default=None, repr=False)
    boxes: bool = False
    speculate: Speculate = None
    confidence: ConfidenceLevel = "page"
    pages: str | int | Iterable[int] | PageRanges | None = None
    dpi: float = DEFAULT_DPI
    password: str | None = field(default=None, repr=False)
    recursive: bool = False
    skip_blank: bool = True
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for name in (
            "format",
            "multi_page",
            "crop",
            "recursive",
            "paragraphs",
            "dehyphenate",
            "skip_blank",
            "boxes",
        ):
            if not isinstance(getattr(self, name), bool):
                raise InvalidOptionError(f"{name} must be True or False, got {getattr(self, name)!r}.")
        if self.lines not in (None, True, False):
            raise InvalidOptionError(f"lines must be True, False or None, got {self.lines!r}.")
        for name in ("max_patches", "max_new_tokens"):
            value = getattr(self, name)
            if value is not None:
                check_count(name, value)
        if self.box is not None:
            object.__setattr__(self, "box", _box(self.box))
        if self.box is not None and self.multi_page:
            raise InvalidOptionError(
                f"The box {list(self.box)} marks a region of one page, so it cannot go with multi_page, "
                "which reads all pages as one text."
            )
        if self.boxes and self.multi_page:
            raise InvalidOptionError(
                "boxes are places on one page, so they cannot go with multi_page, which reads all pages as one text."
            )
        if self.max_patches is not None:
            object.__setattr__(self, "crop", True)
        if self.pages is not None and not isinstance(self.pages, PageRanges):
            object.__setattr__(self, "pages", PageRanges.parse(self.pages))
        if not (self.dpi > 0 and math.isfinite(self.dpi)):
            raise InvalidOptionError(f"dpi must be above 0, got {self.dpi!r}.")
        self._check_writing()

    def _check_writing(self) -> None:
        """What concerns the writing of a page's text."""
        if self.deadline is not None and not (_is_number(self.deadline) and 0 < self.deadline < math.inf):
            raise InvalidOptionError(f"deadline must be a number of seconds above 0, got {self.deadline!r}.")
        _check_choice("on_loop", self.on_loop, get_args(OnLoop))
        if self.on_loop == "retry_cropped" and self.crop:
            raise InvalidOptionError(
                "on_loop='retry_cropped' reads a page again in tiles, but crop=True does so from the start."
            )
        size = self.no_repeat_ngram_size
        if size is not None and size != "original":
            check_count("no_repeat_ngram_size", size, least=0)
        self._check_sampling()
        _check_choice("speculate", self.speculate, (None, True, False, "ngram"))
        _check_choice("confidence", self.confidence, get_args(ConfidenceLevel))
        if self.draft is None:
            return
        if not isinstance(self.draft, str):
            object.__setattr__(self, "draft", _texts(self.draft))
        if self.speculate in (False, "ngram"):
            raise InvalidOptionError(f"A draft is of no use with speculate={self.speculate!r}.")

    def _check_sampling(self) -> None:
        """What is drawn by lot."""
        if not (_is_number(self.temperature) and 0 <= self.temperature < math.inf):
            raise InvalidOptionError(f"temperature must be a number >= 0, got {self.temperature!r}.")
        if not (_is_number(self.top_p) and 0 < self.top_p <= 1):
            raise InvalidOptionError(f"top_p must be above 0 and at most 1, got {self.top_p!r}.")
        if self.seed is not None:
            check_count("seed", self.seed, least=0)

    @classmethod
    def of(cls, **options: Any) -> ReadOptions:
        """Builds the options from keyword arguments.

        Raises:
            InvalidOptionError: an unknown name (the nearest known one is suggested), or a bad value.
        """
        known = [f.name for f in dataclasses.fields(cls)]
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}."
                raise InvalidOptionError(f"Reading has no option {name!r}; {hint}")
        return cls(**options)

    @property
    def needs_lines(self) -> bool:
        """Whether a model that reads whole pages needs them read line by line first."""
        return self.boxes or self.draft == LINES

    @property
    def request(self) -> Request:
        """What is asked of the model, as results record it."""
        box = None if self.box is None else _box(self.box)
        return Request(self.format, box, self.color, self.multi_page, self.crop, self.max_patches)

    @property
    def no_repeat_ngram(self) -> int | None:
        """`no_repeat_ngram_size` as a number; None for the checkpoint's own setting."""
        if self.no_repeat_ngram_size != "original":
            return self.no_repeat_ngram_size
        return 0 if self.crop or self.multi_page else ORIGINAL_NO_REPEAT_NGRAM_SIZE


def _box(value: Any) -> tuple[float, float, float, float]:
    listed = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(listed, (list, tuple)) or len(cast("Sequence[Any]", listed)) != 4:
        raise InvalidOptionError(f"A box is x1, y1, x2, y2 in pixels, got {value!r}.")
    numbers = cast("Sequence[Any]", listed)
    if not all(_is_number(n) and 0 <= n < math.inf for n in numbers):
        raise InvalidOptionError(f"A box holds finite numbers from 0, got {list(numbers)}.")
    x1, y1, x2, y2 = numbers
    if x1 >= x2 or y1 >= y2:
        raise InvalidOptionError(
            f"The box {list(numbers)} is empty or reversed: it needs x1 < x2 and y1 < y2."
        )
    return x1, y1, x2, y2


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _texts(value: object) -> tuple[str, ...]:
    texts = tuple(cast("Iterable[object]", value)) if isinstance(value, (list, tuple)) else (value,)
    for text in texts:
        if not isinstance(text, str):
            raise InvalidOptionError(f"A draft is a text or a list of texts, got {type(text).__name__}.")
    return cast("tuple[str, ...]", texts)


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    # `in` alone would take 1 for True.
    if not any(value is choice or (isinstance(choice, str) and value == choice) for choice in choices):
        raise InvalidOptionError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}.")


def check_count(name: str, value: object, least: int = 1) -> None:
    """Refuses everything but whole numbers from `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidOptionError(f"{name} must be a whole number >= {least}, got {value!r}.")
