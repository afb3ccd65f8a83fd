"""A page's result as blocks of lines of words, each with a place."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from itertools import groupby
from typing import TypeGuard

from ...errors import RenderError
from ...results import PageResult, TextPart
from ..problems import Problem
from .slanted import Box, Slanted

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class PlacedWord:
    """A word on the page.

    Attributes:
        text: what it says.
        place: where.
        confidence: 0..1.
        space: whether white space follows it in its line.
    """

    text: str
    place: Slanted
    confidence: float
    space: bool


@dataclass(frozen=True)
class PlacedLine:
    """A line on the page, in words; `confidence` is 0..1."""

    text: str
    place: Slanted
    confidence: float
    words: tuple[PlacedWord, ...]


@dataclass(frozen=True)
class PlacedPage:
    """A page of text with places.

    Attributes:
        source: name of its document.
        number: of the page in it, from 1.
        width, height: in pixels.
        blocks: lines that belong together, in the order of the text.
    """

    source: str
    number: int
    width: int
    height: int
    blocks: tuple[tuple[PlacedLine, ...], ...]


def place(result: PageResult) -> tuple[PlacedPage, list[Problem]]:
    """Lines and words of a result with their places; words without one share their line's by their letters.

    Returns:
        The page, and a problem where lines without a place had to be left out.

    Raises:
        RenderError: the result covers several pages, its page has no size, or none of its lines has a place.
    """
    name = f"Page {result.page} of {result.source}"
    if len(result.page_numbers) > 1:
        raise RenderError(f"{name} was read together with others, so its lines cannot be told from theirs.")
    if result.status == "failed":
        raise RenderError(f"{name} failed, so it has no lines to place.")
    if result.width < 1 or result.height < 1:
        raise RenderError(f"{name} has no size ({result.width} x {result.height} pixels).")
    if result.lines is None and result.text.strip():
        raise RenderError(
            f"{name} was read without lines; places need a result that has them, as with boxes=True."
        )
    lines = result.lines or ()
    known = [line for line in lines if _is_box(line.box)]
    problems: list[Problem] = []
    if lost := [line for line in lines if not _is_box(line.box)]:
        if not known:
            raise RenderError(
                f"None of the {len(lines)} lines of page {result.page} of {result.source} has a place on it."
            )
        number = result.text.count("\n", 0, lost[0].start) + 1
        missing = f"no place on page {result.page}"
        what = f"1 line has {missing} and was left out"
        if len(lost) > 1:
            what = f"{len(lost)} lines have {missing} and were left out, the first one here"
        problems.append(Problem(number, None, what))
    words = sorted(result.words or (), key=lambda word: word.start)
    starts = [word.start for word in words]
    blocks = tuple(
        tuple(
            _line(line, words[bisect_left(starts, line.start) : bisect_left(starts, line.end)])
            for line in group
        )
        for _, group in groupby(known, key=lambda line: line.block)
    )
    return PlacedPage(result.source, result.page, result.width, result.height, blocks), problems


def _is_box(box: Box | None) -> TypeGuard[Box]:
    return box is not None and all(map(math.isfinite, box)) and box[0] < box[2] and box[1] < box[3]


def _line(line: TextPart, parts: list[TextPart]) -> PlacedLine:
    """A line with the words that begin in it, or where there are none, with what stands between its white space."""
    assert line.box is not None
    spot = Slanted.inside(line.box, line.angle or 0.0, len(line.text))
    if not parts:
        parts = [
            TextPart(found.group(), line.start + found.start(), line.start + found.end(), line.confidence)
            for found in _WORD.finditer(line.text)
        ]
    shares = _shares(line, parts)
    words: list[PlacedWord] = []
    for k, part in enumerate(parts):
        after = parts[k + 1].start if k + 1 < len(parts) else None
        box = part.box if _is_box(part.box) else None
        where = spot.part(*(shares[k] if box is None else spot.share_of(box)))
        words.append(PlacedWord(part.text, where, part.confidence, after is not None and after > part.end))
    return PlacedLine(line.text, spot, line.confidence, tuple(words))


def _shares(line: TextPart, parts: list[TextPart]) -> list[tuple[float, float]]:
    """From where to where each word lies along its line if every letter were as wide as its kind is."""
    edges = [0.0]
    for character in line.text:
        edges.append(edges[-1] + advance(character))
    whole = edges[-1] or 1.0

    def at(offset: int) -> float:
        return edges[min(max(offset - line.start, 0), len(edges) - 1)] / whole

    shares = [(at(part.start), at(part.end)) for part in parts]
    if is_right_to_left(line.text):
        shares = [(1 - end, 1 - start) for start, end in shares]
    return shares


def advance(character: str) -> float:
    """Width of a character, half an em being 1: what a typewriter for its script would give it."""
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0.0
    return 2.0 if unicodedata.east_asian_width(character) in "WF" else 1.0


def is_right_to_left(text: str) -> bool:
    """Whether the first character with a direction runs from right to left (UAX 9, rule P2)."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return False
