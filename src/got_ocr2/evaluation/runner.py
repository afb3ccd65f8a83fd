"""Reads every page of a data set and scores what was read."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import GotOcr2Error, InvalidOptionError, MissingDependencyError
from ..results import DocumentResult, PageResult
from .pages import Dataset, Page
from .scoring import METRICS, Scoring, score
from .statistics import Estimate, Ratio, bootstrap, bootstrap_mean

ALL = "all"


class TextReader(Protocol):
    """Anything that reads as `OCR` does; options that are at their defaults are not given."""

    def read(
        self,
        source: Any,
        *,
        format: bool = ...,
        box: Sequence[float] | None = ...,
        color: str | None = ...,
        multi_page: bool = ...,
        crop: bool = ...,
        max_patches: int | None = ...,
        max_new_tokens: int | None = ...,
        pages: str | None = ...,
    ) -> PageResult | DocumentResult:
        """Reads a source; see `OCR.read`."""
        ...


@dataclass(frozen=True)
class Reading:
    """One page, read and scored.

    Attributes:
        page: with its truth.
        text: what was read; empty when it failed.
        status: as in `PageResult.status`.
        seconds: wall time of the reading.
        tokens: tokens written.
        error: why it failed; None otherwise.
        scores: what it adds to each metric.
    """

    page: Page
    text: str
    status: str
    seconds: float
    tokens: int
    error: str | None
    scores: dict[str, Ratio]


@dataclass(frozen=True)
class Evaluation:
    """A data set, read and scored.

    Attributes:
        dataset: what was read; `readings` may cover its first pages only.
        scoring: how it was scored.
        readings: one for each page that was read, in the order of the set.
        model: name of the model, for the report.
        machine: what it ran on.
    """

    dataset: Dataset
    scoring: Scoring
    readings: tuple[Reading, ...]
    model: str
    machine: dict[str, Any]

    @property
    def failed(self) -> tuple[Reading, ...]:
        """Pages that could not be read; they are scored as empty."""
        return tuple(r for r in self.readings if r.error is not None)

    @property
    def seconds(self) -> float:
        """Wall time of all readings."""
        return math.fsum(r.seconds for r in self.readings)

    def summary(self) -> dict[str, dict[str, Estimate]]:
        """Each metric of each group, and of all pages under "all" when there are several groups."""
        groups: dict[str, list[Reading]] = {}
        for reading in self.readings:
            groups.setdefault(reading.page.group, []).append(reading)
        if len(groups) > 1:
            groups[ALL] = list(self.readings)
        return {group: _estimates(readings) for group, readings in groups.items()}

    def olmocr_score(self) -> Estimate | None:
        """olmOCR-bench's one number: the mean of the shares of its files and of the baseline facts."""
        if not any(r.page.facts for r in self.readings):
            return None
        shares: dict[str, list[Ratio]] = {}
        for reading in self.readings:
            for name, ratio in reading.scores.items():
                if name in ("facts", "baseline"):
                    shares.setdefault(reading.page.group if name == "facts" else name, []).append(ratio)
        return bootstrap_mean(list(shares.values()))


def evaluate(
    ocr: TextReader,
    dataset: Dataset,
    *,
    scoring: Scoring | None = None,
    limit: int | None = None,
    model: str = "model",
    crop: bool | None = None,
    max_patches: int | None = None,
    max_new_tokens: int | None = None,
    progress: Callable[[Reading], None] | None = None,
) -> Evaluation:
    """Reads and scores a data set, page after page.

    A page that cannot be read is kept with its error and scored as if nothing had been read.

    Args:
        ocr: the reader.
        dataset: from `load_dataset`.
        scoring: how to score; the defaults of `Scoring` when None.
        limit: read only the first pages, >= 1.
        model: name of the model, for the report.
        crop: read with high-resolution patches; None does what each page's task says.
        max_patches, max_new_tokens: as for `OCR.read`.
        progress: called after each page.

    Raises:
        InvalidOptionError: a limit below 1.
        MissingDependencyError: a metric, or the reader, needs a package that is not installed.
    """
    if limit is not None and limit < 1:
        raise InvalidOptionError(f"The limit is {limit} pages; it must be at least 1.")
    scoring = scoring or Scoring()
    options = {"max_patches": max_patches, "max_new_tokens": max_new_tokens}
    given = {name: value for name, value in options.items() if value is not None}
    readings: list[Reading] = []
    for reading in _readings(ocr, dataset.pages[:limit], scoring, crop, given):
        readings.append(reading)
        if progress is not None:
            progress(reading)
    device = getattr(getattr(ocr, "model", None), "device", None)
    from ..machine import describe

    machine = describe(None if device is None else str(device))
    return Evaluation(dataset, scoring, tuple(readings), model, machine)


def _readings(
    ocr: TextReader, pages: Sequence[Page], scoring: Scoring, crop: bool | None, given: dict[str, Any]
) -> Iterator[Reading]:
    for page in pages:
        start = time.perf_counter()
        text, status, tokens, error = "", "failed", 0, None
        try:
            result = ocr.read(_source(page), **_asked(page, crop), **given)
        except MissingDependencyError:
            raise
        except GotOcr2Error as e:
            error = str(e)
        else:
            text, status, tokens = result.text, result.status, result.tokens
            if status == "failed":
                error = _why(result)
        seconds = time.perf_counter() - start
        yield Reading(page, text, status, seconds, tokens, error, score(page, text, scoring))


def _source(page: Page) -> Any:
    return page.files[0] if len(page.files) == 1 else list(page.files)


def _asked(page: Page, crop: bool | None) -> dict[str, Any]:
    """The options of `OCR.read` that differ from its defaults."""
    task = page.task
    options: dict[str, Any] = {
        "format": task.format,
        "box": task.box,
        "color": task.color,
        "multi_page": task.multi_page,
        "crop": task.crop_to_patches if crop is None else crop,
        "pages": None if page.number is None else str(page.number),
    }
    return {name: value for name, value in options.items() if value not in (False, None)}


def _why(result: PageResult | DocumentResult) -> str:
    pages = result.pages if isinstance(result, DocumentResult) else (result,)
    errors = [page.error.message for page in pages if page.error is not None]
    return " ".join(errors) or "The page failed without a reason."


def _estimates(readings: Sequence[Reading]) -> dict[str, Estimate]:
    found: dict[str, list[Ratio]] = {}
    for reading in readings:
        for name, ratio in reading.scores.items():
            found.setdefault(name, []).append(ratio)
    return {name: bootstrap(found[name]) for name in METRICS if name in found}
