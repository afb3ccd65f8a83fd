"""What happens while documents are read, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..results import DocumentResult, PageResult
from .text_tokens import TextToken


@dataclass(frozen=True)
class DocumentOpened:
    """A document is about to be read, or could not be opened; `results` page results will follow."""

    source: str
    results: int


@dataclass(frozen=True)
class TextPiece:
    """Some characters of the page being read; all pieces of a page, joined, are its text.

    Attributes:
        text: the characters.
        tokens: those that spell them, if they were asked for. A token may come before the character that its bytes
            begin.
    """

    text: str
    tokens: tuple[TextToken, ...] = ()


@dataclass(frozen=True)
class PageRead:
    """A page, or a document read as one text, is done or has failed."""

    result: PageResult


@dataclass(frozen=True)
class DocumentRead:
    """All pages of a document are done: one result alone, or all of them together."""

    result: PageResult | DocumentResult


Event: TypeAlias = DocumentOpened | TextPiece | PageRead | DocumentRead
