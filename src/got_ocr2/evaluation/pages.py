"""What is read and what it is compared with: a page with its truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..synth.sample import Task
from .metrics.facts import Fact


@dataclass(frozen=True)
class Elements:
    """The parts of a page that OmniDocBench scores apart, each in reading order.

    Attributes:
        blocks: running text, one string a paragraph, heading or caption.
        formulas: display formulas, LaTeX.
        tables: tables, HTML.
    """

    blocks: tuple[str, ...] = ()
    formulas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """One thing to read.

    Attributes:
        id: its name, unique in the set; names the file its prediction is saved in.
        kind: what stands on it, which decides the metrics: "text", "page", "table", "formula", "molecule",
            "music", "geometry", "chart", or anything else for those of text alone.
        group: what its score is averaged with in the report.
        files: pictures or PDFs; several for one multi-page document.
        text: the right answer; None where only `facts` or `elements` are known.
        task: how it is asked for.
        number: which page of a PDF, from 1; None for all of a picture.
        facts: statements about the answer that are right or wrong (olmOCR-bench).
        elements: parts scored apart (OmniDocBench).
        meta: whatever the set says of it besides.
    """

    id: str
    kind: str
    group: str
    files: tuple[Path, ...]
    text: str | None
    task: Task = field(default_factory=Task)
    number: int | None = None
    facts: tuple[Fact, ...] = ()
    elements: Elements | None = None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Pages of one set.

    Attributes:
        name: for the report.
        layout: how it was laid out.
        path: where it lies.
        pages: in the order of the set.
        notes: what a reader of the scores must know.
    """

    name: str
    layout: str
    path: Path
    pages: tuple[Page, ...]
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups in order of appearance."""
        return tuple(dict.fromkeys(page.group for page in self.pages))
