"""The tree of a page: frozen blocks of frozen runs, each with the place it was read from.

Two nodes are equal when they say the same; `span`, their half-open range of characters in the text, does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..problems import Problem

Align = Literal["left", "center", "right"]
Style = Literal["bold", "italic", "code", "underline", "strike", "sub", "super"]


@dataclass(frozen=True, kw_only=True)
class Node:
    """Anything in the tree."""

    span: tuple[int, int] = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True)
class Text(Node):
    """Plain characters, without a line break in them."""

    text: str


@dataclass(frozen=True)
class Math(Node):
    """A formula in a line, in LaTeX, without its delimiters."""

    tex: str


@dataclass(frozen=True)
class Break(Node):
    """The next line of the same block."""


@dataclass(frozen=True)
class Styled(Node):
    """Runs in another face, or raised, or lowered."""

    style: Style
    runs: Runs


@dataclass(frozen=True)
class Link(Node):
    """Runs that lead to an http, https or mailto address, or to a #place."""

    target: str
    runs: Runs


@dataclass(frozen=True)
class Note(Node):
    """A footnote whose text stands where it is called."""

    runs: Runs


@dataclass(frozen=True)
class Image(Node):
    """A picture that the text only names; writers show the name and never open it."""

    source: str
    alt: str = ""


Run: TypeAlias = Text | Math | Break | Styled | Link | Note | Image
Runs: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True)
class Title(Node):
    """The title; its lines are separated by `Break`."""

    runs: Runs


@dataclass(frozen=True)
class Authors(Node):
    """Names and where they work; lines are separated by `Break`."""

    runs: Runs


@dataclass(frozen=True)
class Abstract(Node):
    blocks: Blocks


@dataclass(frozen=True)
class Heading(Node):
    """A heading of level 1 to 6; its number, if it has one, is part of its text."""

    level: int
    runs: Runs


@dataclass(frozen=True)
class Paragraph(Node):
    runs: Runs


@dataclass(frozen=True)
class Display(Node):
    """A formula on lines of its own, in LaTeX without delimiters, and the number it is known by."""

    tex: str
    tag: str | None = None


@dataclass(frozen=True)
class Item(Node):
    """An entry of a list; `label` replaces its bullet or number."""

    blocks: Blocks
    label: Runs | None = None


@dataclass(frozen=True)
class Items(Node):
    """A list; a numbered one counts from `start`."""

    items: tuple[Item, ...]
    numbered: bool = False
    start: int = 1


@dataclass(frozen=True)
class Cell(Node):
    """A cell of a table.

    Attributes:
        runs: what it says.
        column: where it begins, from 0.
        columns, rows: how many it covers.
        spec: its own column specification, such as "|c|", where it has one.
    """

    runs: Runs
    column: int
    columns: int = 1
    rows: int = 1
    spec: str | None = None


@dataclass(frozen=True)
class Row(Node):
    """A row: the cells that begin in it, and the rules above it as ranges of columns (first, last) from 0."""

    cells: tuple[Cell, ...]
    rules: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Table(Node):
    """A table.

    Attributes:
        spec: a column specification as LaTeX writes it, of the signs `l c r |`.
        rows: top to bottom.
        closing: rules below the last row.
        heads: how many rows at the top are set apart as its head.
        caption: above or below it.
    """

    spec: str
    rows: tuple[Row, ...]
    closing: tuple[tuple[int, int], ...] = ()
    heads: int = 0
    caption: Runs | None = None

    @property
    def aligns(self) -> tuple[Align, ...]:
        """How each column is aligned."""
        return aligns_of(self.spec)

    def align(self, cell: Cell) -> Align:
        """How a cell is aligned: as it says itself, or as its column."""
        own = aligns_of(cell.spec or "")
        if own:
            return own[0]
        return self.aligns[cell.column] if cell.column < len(self.aligns) else "left"


@dataclass(frozen=True)
class Footnote(Node):
    """The text of a footnote at the foot of the page; its mark, if any, is part of the text."""

    blocks: Blocks


@dataclass(frozen=True)
class Figure(Node):
    """A floating picture or group of blocks, with its caption."""

    blocks: Blocks
    caption: Runs | None = None


@dataclass(frozen=True)
class Statement(Node):
    """A theorem, proof or the like: what it is, in lower case, and what it is called."""

    name: str
    blocks: Blocks
    title: Runs | None = None


@dataclass(frozen=True)
class Reference(Node):
    """An entry of a bibliography."""

    label: str
    runs: Runs


@dataclass(frozen=True)
class References(Node):
    entries: tuple[Reference, ...]


@dataclass(frozen=True)
class Code(Node):
    """Lines that are shown as they stand."""

    text: str


@dataclass(frozen=True)
class Quote(Node):
    blocks: Blocks


@dataclass(frozen=True)
class Rule(Node):
    """A line across the page."""


@dataclass(frozen=True)
class Drawing(Node):
    """A figure inside a page, in the notation of its kind: "geometry", "music" or "molecule"."""

    kind: str
    text: str


Block: TypeAlias = (
    Title | Authors | Abstract | Heading | Paragraph | Display | Items | Table | Footnote | Figure | Statement
    | References | Code | Quote | Rule | Drawing
)  # fmt: skip
Blocks: TypeAlias = tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A parsed page: its blocks in reading order, and what was wrong with its text."""

    blocks: Blocks
    problems: tuple[Problem, ...] = field(default=(), compare=False)


def aligns_of(spec: str) -> tuple[Align, ...]:
    """The alignments in a column specification."""
    names: dict[str, Align] = {"l": "left", "c": "center", "r": "right"}
    return tuple(names[sign] for sign in spec if sign in names)
