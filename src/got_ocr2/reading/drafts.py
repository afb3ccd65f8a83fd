"""Texts that a page is thought to say, and the drafters that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..generation.drafting import Drafter
    from ..processing import GotOcr2Tokenizer

PDF_TEXT = "pdf-text"
"""As a draft: the text layer of each PDF page."""
LINES = "lines"
"""As a draft: what a reader of lines makes of each page first."""
PAGE_BREAK = "\f"
"""Between the pages of one draft, as pdftotext and OCR programs write it."""

Speculate = bool | Literal["ngram"] | None


def draft_of(
    draft: str | Sequence[str] | None, pages: Sequence[int], layer: Callable[[int], str | None]
) -> str | None:
    """What some pages, read as one text, are thought to say.

    Args:
        draft: `PDF_TEXT`, `LINES`, a text, or a text for every page of the document; see `OCR.read`.
        pages: their numbers, from 1.
        layer: the text layer of a page.

    Returns:
        None where nothing is known of them yet.
    """
    if draft is None or draft == LINES:
        return None
    if draft == PDF_TEXT:
        found = [layer(number) for number in pages]
    else:
        texts = draft.split(PAGE_BREAK) if isinstance(draft, str) else draft
        if isinstance(draft, str) and len(texts) == 1:
            return draft if draft.strip() else None  # of the whole document: each page finds its place in it
        found = [texts[number - 1] if number <= len(texts) else None for number in pages]
    text = "\n".join(part for part in found if part)
    return text if text.strip() else None


def drafter_of(draft: str | None, speculate: Speculate, tokenizer: GotOcr2Tokenizer) -> Drafter | None:
    """What guesses how a page goes on.

    Args:
        draft: what the page is thought to say, or None.
        speculate: as in `OCR.read`; None speculates if there is a draft.
        tokenizer: the model's.
    """
    from ..generation.drafting import FirstOf, NgramDrafter, TextDrafter

    if speculate is False or (speculate is None and draft is None):
        return None
    if draft is None:
        return NgramDrafter()
    return FirstOf(TextDrafter(draft, tokenizer.encode, tokenizer.token_bytes), NgramDrafter())
