r"""What stands between `\begin` and `\end`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from ..tree import Abstract, Block, Blocks, Code, Drawing, Figure, Paragraph, Quote, Runs, Statement, Table
from .inline import parse_runs
from .lists import items_of, references_of
from .source import Source
from .tables import parse_tabular

Inner = Callable[[int, int], Blocks]

BEGIN = re.compile(r"\\begin[ \t]*\{([A-Za-z]{1,30}\*?)\}")
BODY_END = re.compile(r"\\end[ \t]*\{([A-Za-z]{1,30}\*?)\}")
TRANSPARENT = {
    "document", "center", "flushleft", "flushright", "multicols", "minipage", "titlepage", "small", "footnotesize",
    "landscape", "adjustbox", "sloppypar", "spacing", "threeparttable", "tablenotes",
}  # fmt: skip
_TABULAR = {"tabular", "tabularx", "tabulary", "longtable", "array"}
_LISTS = {"itemize": False, "enumerate": True, "description": False}
_FLOATS = {"figure", "table", "wrapfigure", "wraptable", "sidewaystable", "sidewaysfigure"}
_STATEMENTS = {
    "theorem", "lemma", "proposition", "corollary", "definition", "remark", "example", "assumption", "proof",
    "conjecture", "claim", "exercise", "problem", "solution", "axiom", "property", "notation", "note", "fact",
}  # fmt: skip
_FORMULAS = {"equation", "displaymath", "math"}
_ALIGNED = {"align", "gather", "multline", "eqnarray", "alignat", "flalign", "IEEEeqnarray"}
_WHOLE = {
    "aligned", "gathered", "split", "cases", "matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix",
    "smallmatrix", "alignedat", "dcases", "rcases",
}  # fmt: skip
_VERBATIM = {"verbatim", "lstlisting", "minted", "algorithm", "algorithmic", "alltt", "Verbatim"}
_QUOTES = {"quote", "quotation", "verse"}
_OPTION = re.compile(r"[ \t]*(?:\[[^\[\]\n]{0,300}\])?[ \t]*")
_CAPTION = re.compile(r"\\caption\*?[ \t]*(?:\[[^\[\]\n]*\])?[ \t]*(?=\{)")
_KNOWN = (
    TRANSPARENT | _TABULAR | set(_LISTS) | _FLOATS | _STATEMENTS | _FORMULAS | _ALIGNED | _WHOLE | _VERBATIM | _QUOTES
    | {"abstract", "tikzpicture", "thebibliography"}
)  # fmt: skip


def is_block(name: str) -> bool:
    """Whether an environment is known, and so ends the paragraph that it stands in."""
    return name.removesuffix("*") in _KNOWN


def environment(
    source: Source, name: str, at: int, start: int, end: int, done: int, inner: Inner
) -> Blocks | Literal["formula", "whole formula", "aligned"] | None:
    r"""What an environment is, or None for an unknown one, which is then text.

    Args:
        source: the text.
        name: as in `\begin{name}`.
        at, start, end, done: where `\begin` starts and ends, and where `\end` starts and ends.
        inner: parses blocks in a range.
    """
    span, bare = (at, done), name.removesuffix("*")
    if bare in _TABULAR:
        table = parse_tabular(source, start, end, at)
        return (replace(table, span=span),) if table.rows else ()
    if bare in _FORMULAS:
        return "formula"
    if bare in _ALIGNED:
        return "aligned"
    if bare in _WHOLE:
        return "whole formula"
    if bare in _LISTS:
        found = items_of(source, start, end, _LISTS[bare], inner)
        return (replace(found, span=span),) if found.items else ()
    if bare == "abstract":
        blocks = inner(start, end)
        return (Abstract(blocks, span=span),) if blocks else ()
    if bare == "thebibliography":
        found = references_of(source, start, end)
        return (replace(found, span=span),) if found.entries else ()
    if bare == "tikzpicture":
        return (Drawing("geometry", source.text[at:done].strip(), span=span),)
    if bare in _VERBATIM:
        said = source.text[start:end].strip("\n")
        return (Code(said, span=span),) if said.strip() else ()
    if bare in _QUOTES:
        blocks = inner(start, end)
        return (Quote(blocks, span=span),) if blocks else ()
    if bare in _STATEMENTS:
        return _statement(source, bare, start, end, span, inner)
    if bare in _FLOATS:
        return _floating(source, start, end, span, inner)
    if bare in TRANSPARENT:
        option = _OPTION.match(source.text, start, end)
        start = start if option is None else option.end()
        close = source.braces.get(start) if source.text[start : start + 1] == "{" else None
        return inner(start if close is None or close >= end else close + 1, end)
    source.problem(at, f"the environment {name} is not known and stays text")
    return None


def _statement(
    source: Source, name: str, start: int, end: int, span: tuple[int, int], inner: Inner
) -> tuple[Block, ...]:
    title: Runs | None = None
    option = re.compile(r"[ \t]*\[([^\[\]\n]{0,300})\]").match(source.text, start, end)
    if option is not None:
        title, start = parse_runs(source, *option.span(1)) or None, option.end()
    blocks = inner(start, end)
    return (Statement(name, blocks, title, span=span),) if blocks or title else ()


def _floating(source: Source, start: int, end: int, span: tuple[int, int], inner: Inner) -> tuple[Block, ...]:
    option = _OPTION.match(source.text, start, end)
    start = start if option is None else option.end()
    caption: Runs | None = None
    ranges = [(start, end)]
    match = _CAPTION.search(source.text, start, end)
    if match is not None and (close := source.braces.get(match.end(), end)) < end:
        caption = parse_runs(source, match.end() + 1, close) or None
        ranges = [(start, match.start()), (close + 1, end)]
    blocks = tuple(block for part in ranges for block in inner(*part))
    if len(blocks) == 1 and isinstance(blocks[0], Table) and blocks[0].caption is None:
        return (replace(blocks[0], caption=caption, span=span),)
    if len(blocks) == 1 and isinstance(blocks[0], Figure) and blocks[0].caption is None:
        return (replace(blocks[0], caption=caption, span=span),)
    if not blocks:
        return (Paragraph(caption, span=span),) if caption else ()
    return (Figure(blocks, caption, span=span),)
