"""What to read and how: checked once, before anything is opened."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ..documents import DEFAULT_DPI, Limits, PageRanges
from ..errors import InvalidOptionError
from ..results import Request


@dataclass(frozen=True)
class ReadOptions:
    """What to read and how, checked once; the fields are the keyword arguments of `OCR.read`.

    Attributes:
        format: ask for formatted text (Mathpix markdown, music, TikZ, SMILES, a chart's data).
        box: read the region `(x1, y1, x2, y2)`, in pixels of the page as a person sees it.
        color: read what stands in the frame of this colour: "red", "green" or "blue".
        multi_page: read all pages of a document as one text.
        crop: read each page in full-size tiles as well, for small print.
        max_patches: the most tiles, >= 1; switches `crop` on. None is the checkpoint's own limit.
        max_new_tokens: the most tokens to write, >= 1. None is the checkpoint's own limit.
        pages: which pages of a document, such as "1-4,7,9-"; None for all.
        dpi: pixels per inch for the pages of a PDF.
        password: for an encrypted PDF.
        recursive: search the folders within a folder.
        limits: what is refused.
    """

    format: bool = False
    box: Sequence[float] | None = None
    color: str | None = None
    multi_page: bool = False
    crop: bool = False
    max_patches: int | None = None
    max_new_tokens: int | None = None
    pages: str | int | Iterable[int] | PageRanges | None = None
    dpi: float = DEFAULT_DPI
    password: str | None = field(default=None, repr=False)
    recursive: bool = False
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for name in ("format", "multi_page", "crop", "recursive"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidOptionError(f"{name} must be True or False, got {getattr(self, name)!r}.")
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
        if self.max_patches is not None:
            object.__setattr__(self, "crop", True)
        if self.pages is not None and not isinstance(self.pages, PageRanges):
            object.__setattr__(self, "pages", PageRanges.parse(self.pages))
        if not (self.dpi > 0 and math.isfinite(self.dpi)):
            raise InvalidOptionError(f"dpi must be above 0, got {self.dpi!r}.")

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
    def request(self) -> Request:
        """What is asked of the model, as results record it."""
        box = None if self.box is None else _box(self.box)
        return Request(self.format, box, self.color, self.multi_page, self.crop, self.max_patches)


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


def check_count(name: str, value: object) -> None:
    """Refuses everything but whole numbers from 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidOptionError(f"{name} must be a whole number >= 1, got {value!r}.")
