r"""The one tree that a page is drawn from and read as: blocks of runs, and its text in GOT's Mathpix markdown.

`typst_writer` writes the same tree for the renderer, so picture and truth say the same by construction. What the
format keeps: titles, authors, abstracts, headings, mathematics, lists, tables, captions, footnotes, in reading
order, footnotes last. What it drops, as GOT's own training data does: bold and italic, line breaks inside
paragraphs (hyphens at line ends with them), running heads and page numbers, and whatever stands inside figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .math_notation import Math
from .tabular import Tabular

_EM_PER_CHARACTER = 0.52

Emphasis = Literal["bold", "italic", "mono"]


@dataclass(frozen=True)
class Styled:
    """Words that are drawn bold, italic or in a typewriter face, and read as plain words."""

    text: str
    emphasis: Emphasis


@dataclass(frozen=True)
class Note:
    """A footnote: its number stands in the line, its text at the foot of the page."""

    number: int
    runs: Runs


Run: TypeAlias = str | Math | Styled | Note
Runs: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True)
class Title:
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Authors:
    lines: tuple[Runs, ...]


@dataclass(frozen=True)
class Abstract:
    runs: Runs


@dataclass(frozen=True)
class Heading:
    """A heading with its number written out, level 1 to 3."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    runs: Runs


@dataclass(frozen=True)
class Display:
    """A formula on lines of its own, with the number it is known by."""

    formula: Math
    tag: str | None = None


@dataclass(frozen=True)
class Items:
    """A list; numbered ones count from 1."""

    items: tuple[Runs, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Table:
    table: Tabular
    caption: Runs | None = None
    caption_above: bool = True


@dataclass(frozen=True)
class Figure:
    """A picture without text of its own; only its caption is read.

    Attributes:
        seed: decides what the picture shows.
        height: in lines of text.
    """

    seed: int
    height: float
    caption: Runs


@dataclass(frozen=True)
class References:
    entries: tuple[Runs, ...]


Block: TypeAlias = (
    Title | Authors | Abstract | Heading | Paragraph | Display | Items | Table | Figure | References
)


@dataclass(frozen=True)
class Document:
    """One page: its blocks in reading order."""

    blocks: tuple[Block, ...]


def inline_math(tex: str) -> str:
    return f"\\( {tex} \\)"


def display_math(tex: str, tag: str | None = None) -> str:
    return f"\\[ {tex} \\]" if tag is None else f"\\[ {tex} \\tag{{{tag}}} \\]"


_ESCAPES = str.maketrans({
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}",
})  # fmt: skip


def escape(text: str) -> str:
    r"""Plain text as it stands in the format: signs that mean something to LaTeX get a backslash."""
    return text.translate(_ESCAPES)


def runs_text(runs: Iterable[Run]) -> str:
    """A line of text in the format."""
    parts: list[str] = []
    for run in runs:
        if isinstance(run, str):
            parts.append(escape(run))
        elif isinstance(run, Styled):
            parts.append(escape(run.text))
        elif isinstance(run, Math):
            parts.append(inline_math(run.tex))
        else:
            parts.append(" " + inline_math(note_mark(run.number)))
    return "".join(parts)


def runs_width(runs: Iterable[Run]) -> float:
    """Rough width of a line of text in em."""
    width = 0.0
    for run in runs:
        if isinstance(run, Math):
            width += run.width
        elif not isinstance(run, Note):
            width += _EM_PER_CHARACTER * len(run if isinstance(run, str) else run.text)
    return width


def note_mark(number: int) -> str:
    return f"{{ }}^{{{number}}}"


def block_text(block: Block) -> str:
    """A block in the format, without the text of its footnotes."""
    if isinstance(block, Title):
        return _wrapped("title", map(escape, block.lines))
    if isinstance(block, Authors):
        return _wrapped("author", map(runs_text, block.lines))
    if isinstance(block, Abstract):
        return f"\\begin{{abstract}}\n{runs_text(block.runs)}\n\\end{{abstract}}"
    if isinstance(block, Heading):
        return f"\\{'sub' * (block.level - 1)}section*{{{escape(block.text)}}}"
    if isinstance(block, Paragraph):
        return runs_text(block.runs)
    if isinstance(block, Display):
        return display_math(block.formula.tex, block.tag)
    if isinstance(block, Items):
        environment = "enumerate" if block.numbered else "itemize"
        lines = "\n".join(f"\\item {runs_text(item)}" for item in block.items)
        return f"\\begin{{{environment}}}\n{lines}\n\\end{{{environment}}}"
    if isinstance(block, Table):
        parts = [block.table.text(runs_text)]
        if block.caption is not None:
            parts.insert(0 if block.caption_above else 1, runs_text(block.caption))
        return "\n".join(parts)
    if isinstance(block, Figure):
        return runs_text(block.caption)
    return "\n".join(map(runs_text, block.entries))


def note_text(note: Note) -> str:
    return f"\\footnotetext{{\n{inline_math(note_mark(note.number))} {runs_text(note.runs)}\n}}"


@dataclass(frozen=True)
class Piece:
    """A block or a footnote in the text of its page.

    Attributes:
        name: under which the drawing reports its place.
        text: in the format.
        offset: of its first character in the text of the page.
    """

    name: str
    text: str
    offset: int


def block_name(index: int) -> str:
    return f"b{index}"


def note_name(number: int) -> str:
    return f"n{number}"


def pieces(document: Document) -> tuple[Piece, ...]:
    """The page in parts: blocks apart by an empty line, a heading directly above its text, footnotes last."""
    found: list[Piece] = []
    end = 0
    for index, block in enumerate(document.blocks):
        after_heading = index > 0 and isinstance(document.blocks[index - 1], Heading)
        start = end + (0 if index == 0 else 1 if after_heading else 2)
        found.append(Piece(block_name(index), block_text(block), start))
        end = start + len(found[-1].text)
    for note in notes(document.blocks):
        found.append(Piece(note_name(note.number), note_text(note), end + 2))
        end += 2 + len(found[-1].text)
    return tuple(found)


def document_text(document: Document) -> str:
    """The whole page in the format."""
    text = ""
    for piece in pieces(document):
        text += "\n" * (piece.offset - len(text)) + piece.text
    return text


def notes(blocks: Sequence[Block]) -> Iterator[Note]:
    """The footnotes of some blocks, in order."""
    for block in blocks:
        for runs in _all_runs(block):
            yield from (run for run in runs if isinstance(run, Note))


def _wrapped(command: str, lines: Iterable[str]) -> str:
    return "\n".join((f"\\{command}{{", *lines, "}"))


def _all_runs(block: Block) -> tuple[Runs, ...]:
    if isinstance(block, Abstract | Paragraph):
        return (block.runs,)
    if isinstance(block, Items):
        return block.items
    return ()
