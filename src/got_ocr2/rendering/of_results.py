"""Results of reading as files: what `PageResult.render` and `got-ocr2 read --to` do."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidOptionError, RenderError
from ..results import DocumentResult, PageResult
from .kinds import kind_of
from .registry import PLACES
from .render import options_of, refuse_unknown, render
from .rendered import Rendered


def render_result(
    result: PageResult | DocumentResult, to: str, kind: str = "auto", *, strict: bool = False, **options: Any
) -> Rendered:
    """Writes a result in a format that other programs open.

    Pages that were read without `format` hold no markup: they are written as paragraphs and lines, and no sign in them
    means anything. A document is written as one text; formats with places take the places of its lines.

    Args:
        result: what `OCR.read` gave back.
        to: the format.
        kind: one of `registry.KINDS`, or "auto" to tell by the text.
        strict: raise on a problem.
        options: for the writer of this format.

    Raises:
        InvalidOptionError: an unknown kind, format or option, or a format that the kind does not have.
        MissingDependencyError: the format needs a package that is not installed.
        RenderError: the page failed, nothing can be shown of its text, or `strict` and a problem.
    """
    if to in PLACES:
        from .places import write

        if kind not in {"auto", "page"}:
            raise InvalidOptionError(f"Only a page can be written as {to}, got the kind {kind!r}.")
        known = options_of(write) - {"result", "to"} if to == "searchable-pdf" else set[str]()
        refuse_unknown(options, known, f"a page as {to}")
        return write(result, to, strict=strict, **options)
    pages = result.pages if isinstance(result, DocumentResult) else (result,)
    if result.status == "failed" and not result.text:
        error = next(page.error for page in pages if page.error is not None)
        raise RenderError(f"There is nothing to write of {result.source}: {error.message}")
    plain = not any(page.request.format for page in pages)
    if kind == "auto":
        kind = "page" if plain else kind_of(result.text)
    if kind == "page" and plain:
        options = {"plain": True, **options}
    return render(result.text, to, kind, strict=strict, **options)
