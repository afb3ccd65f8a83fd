"""One call from results with places to a file that other programs open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ...errors import InvalidOptionError, RenderError
from ...results import DocumentResult, PageResult
from ...wording import reason
from ..problems import Problem, refuse
from ..registry import PLACES
from ..rendered import Rendered
from .alto import write_alto
from .hocr import write_hocr
from .image_pages import Picture
from .layout import PlacedPage, place
from .page_xml import write_page_xml
from .searchable_pdf import ExistingText, write_searchable_pdf
from .tsv import write_tsv

_TEXTS: dict[str, Callable[[Sequence[PlacedPage]], str]] = {
    "hocr": write_hocr, "alto": write_alto, "page-xml": write_page_xml, "tsv": write_tsv,
}  # fmt: skip


def write(
    result: PageResult | DocumentResult | Sequence[PageResult],
    to: str,
    *,
    source: Picture | Sequence[Picture] | None = None,
    strict: bool = False,
    dpi: float | None = None,
    password: str | None = None,
    existing_text: ExistingText = "keep",
) -> Rendered:
    """Writes pages whose lines have places; a document's failed pages are left out, and `problems` says so.

    Args:
        result: a page, a document, or pages of one document; their `lines` have boxes. `words` are used where they
            have boxes too; otherwise words share their line by their letters.
        to: "hocr", "alto", "page-xml" (one page), "tsv" or "searchable-pdf".
        source: for a searchable PDF: the document that was read, a path or the bytes of a PDF or picture, or
            pictures in the order of the pages. None takes the file that `result.source` names.
        strict: raise where a line has no place, or a page of the PDF has text of its own.
        dpi, password, existing_text: for a searchable PDF, see `searchable_pdf.write_searchable_pdf`.

    Raises:
        InvalidOptionError: an unknown format or option.
        MissingDependencyError: a searchable PDF needs the extra `render`.
        RenderError: no line of a page has a place, every page failed, or `strict` and a problem.
        EncryptedDocumentError, FileAccessError, InputError: the source cannot be read.
    """
    if to not in PLACES:
        raise InvalidOptionError(f"Places are written as one of {', '.join(PLACES)}, got {to!r}.")
    results = _pages(result)
    placed, problems = list[PlacedPage](), list[Problem]()
    for one in results:
        if one.error is not None and any(other.error is None for other in results):
            problems.append(
                Problem(1, None, f"page {one.page} failed and was left out: {reason(one.error.message)}")
            )
            continue
        page, lost = place(one)
        placed.append(page)
        problems += lost
    if to in _TEXTS:
        data: bytes | str = _TEXTS[to](placed)
    else:
        data, kept = write_searchable_pdf(
            placed, _source(results[0], source), dpi=dpi, password=password, existing_text=existing_text
        )
        problems += kept
    if strict:
        refuse("page", problems)
    return Rendered.of(data, to, "page", problems)


def _pages(result: PageResult | DocumentResult | Sequence[PageResult]) -> list[PageResult]:
    if isinstance(result, PageResult):
        return [result]
    pages = list(result.pages if isinstance(result, DocumentResult) else result)
    if not pages:
        raise InvalidOptionError("There is no page to write, got an empty list.")
    return pages


def _source(page: PageResult, given: Picture | Sequence[Picture] | None) -> Picture | Sequence[Picture]:
    if given is not None:
        return given
    if Path(page.source).is_file():
        return Path(page.source)
    raise RenderError(
        f"A searchable PDF is made of the document that was read, and {page.source} is no file; in Python, give "
        "`source`."
    )
