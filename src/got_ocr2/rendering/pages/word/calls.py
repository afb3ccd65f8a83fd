"""Which mark in a page's text calls which of the footnotes at its foot.

The model writes both as they stand on the page: a raised mark in the text, and a footnote that begins with the same
mark. A footnote belongs to the first such mark since the last footnote of that mark, so that several pages in one text
do not get mixed up; marks of authors and titles, which mostly name where people work, come last.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import NamedTuple, cast

from ..tree import Authors, Blocks, Footnote, Math, Node, Note, Page, Paragraph, Run, Styled, Text, Title
from ..walk import nodes, plain_text

# A raised mark as GOT writes footnotes, ordinals and affiliations; Word has its own way for it.
_RAISED = re.compile(
    r"(?:\{ ?\} ?)?\^ ?\{ ?(?:\\(?:text|mathrm) ?\{([A-Za-z0-9]+)\}|([0-9,*]+)|\\(dagger|ddagger|S|P|ast)) ?\}"
)
_SIGNS = {"dagger": "†", "ddagger": "‡", "S": "§", "P": "¶", "ast": "*"}


class Called(NamedTuple):
    """A footnote: its mark as the page has it, and its text, which begins with the mark."""

    mark: str
    blocks: Blocks

    def unmarked(self) -> Blocks:
        """Its text without the mark."""
        first, *rest = self.blocks
        assert isinstance(first, Paragraph)
        runs = first.runs[1:]
        if runs and isinstance(runs[0], Text):
            runs = (Text(runs[0].text.lstrip()), *runs[1:])
        return (Paragraph(runs), *rest)


def raised_mark(run: Run) -> str | None:
    """What a run says if it is nothing but a raised mark."""
    if isinstance(run, Math) and (found := _RAISED.fullmatch(run.tex)) is not None:
        letters, digits, sign = found.groups()
        return letters or digits or _SIGNS[sign]
    if isinstance(run, Styled) and run.style == "super" and all(isinstance(one, Text) for one in run.runs):
        return plain_text(run.runs).strip() or None
    return None


class Calls:
    """The footnotes of a page, by the marks that call them.

    Attributes:
        called: the footnote that a run in the text calls, by the run's `id`.
        rest: what is not called of each `Footnote`, by the block's `id`.
        start: the number of the first footnote, if all are numbers that follow one another, so that Word can count
            them by itself; else None.
    """

    def __init__(self, page: Page) -> None:
        self.called: dict[int, Called] = {}
        self.rest: dict[int, Blocks] = {}
        waiting: dict[str, list[tuple[bool, Run]]] = {}
        for found in _found(page, False):
            if not isinstance(found, Footnote):
                front, mark, run = found
                waiting.setdefault(mark, []).append((front, run))
                continue
            rest: Blocks = ()
            for mark, blocks in _notes(found):
                marks = waiting.pop(mark, []) if mark is not None else []
                if mark is None or not marks:
                    rest += blocks
                    continue
                run = next((run for front, run in marks if not front), marks[0][1])
                self.called[id(run)] = Called(mark, blocks)
            self.rest[id(found)] = rest
        self.start = self._start(page)

    def _start(self, page: Page) -> int | None:
        marks = [self.called[id(node)].mark for node in nodes(page) if id(node) in self.called]
        if not marks:
            return 1
        if any(isinstance(node, Note) for node in nodes(page)) or not all(map(str.isdecimal, marks)):
            return None
        numbers = [int(mark) for mark in marks]
        return numbers[0] if numbers == list(range(numbers[0], numbers[0] + len(numbers))) else None


def _found(node: Node | Page, front: bool) -> Iterator[tuple[bool, str, Run] | Footnote]:
    """Raised marks, with whether they stand in a title or among authors, and footnotes, in reading order."""
    if isinstance(node, Footnote):
        yield node
        return
    if isinstance(node, Math | Styled) and (mark := raised_mark(node)) is not None:
        yield front, mark, node
        return
    if isinstance(node, Note):  # a footnote calls no other
        return
    front = front or isinstance(node, Title | Authors)
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if isinstance(value, tuple):
            for part in cast("tuple[object, ...]", value):
                if isinstance(part, Node):
                    yield from _found(part, front)


def _notes(footnote: Footnote) -> Iterator[tuple[str | None, Blocks]]:
    """A footnote cut where paragraphs begin with marks; None for blocks before the first mark."""
    mark: str | None = None
    blocks: Blocks = ()
    for block in footnote.blocks:
        first = block.runs[0] if isinstance(block, Paragraph) and block.runs else None
        begins = None if first is None else raised_mark(first)
        if begins is not None and blocks:
            yield mark, blocks
            blocks = ()
        mark = begins or (mark if blocks else None)
        blocks += (block,)
    if blocks:
        yield mark, blocks
