"""From sources to work: documents opened, pages loaded, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..documents import Document, Page, PageRanges, expand, open_document, source_name
from ..documents.joined import JoinedDocument
from ..errors import InvalidOptionError
from ..results import PageResult
from .drafts import draft_of
from .events import DocumentOpened
from .options import ReadOptions

if TYPE_CHECKING:
    from ..documents.sources import Source


@dataclass(frozen=True)
class Unit:
    """Pages that are read as one text.

    Attributes:
        pages: at least one.
        draft: what they are thought to say; None if nothing is known.
    """

    pages: tuple[Page, ...]
    draft: str | None = None

    @property
    def place(self) -> dict[str, Any]:
        """The fields of a result that say where the text stands."""
        image = self.pages[0].image
        numbers = tuple(page.number for page in self.pages)
        return {
            "source": self.pages[0].source,
            "page_numbers": numbers,
            "width": image.width,
            "height": image.height,
        }


class DocumentEnd:
    """Stands after the last page of a document."""


Work: TypeAlias = DocumentOpened | Unit | PageResult | DocumentEnd
"""A document begins, a unit waits to be read, something could not be opened or loaded, a document ends."""


def work_of(
    sources: Iterable[Source | Sequence[Source]], options: ReadOptions, failed: Callable[..., PageResult]
) -> Iterator[Work]:
    """Opens documents and loads pages one after another, each when it is asked for.

    Args:
        sources: as for `OCR.read_many`.
        options: which pages, and how they are opened.
        failed: makes a result of an exception and the fields that say where it happened; or raises it.
    """
    for source in sources:
        try:
            documents = _documents(source, options)
        except Exception as e:
            yield from _unopened(failed(e, source=_name(source)))
            continue
        for parts in documents:
            yield from _document(parts, _name(source if len(parts) > 1 else parts[0]), options, failed)


def _documents(source: Source | Sequence[Source], options: ReadOptions) -> list[list[Source]]:
    """The documents behind a source, each as the parts it is joined from."""
    sources = _parts(source)
    if sources is None:
        sources = [cast("Source", source)]
    elif not options.multi_page:
        raise InvalidOptionError(
            f"A list of {len(sources)} sources was given as one document; that needs multi_page=True."
        )
    elif not sources:
        raise InvalidOptionError("At least one document is needed, got an empty list.")
    parts = [part for one in sources for part in expand(one, recursive=options.recursive)]
    return [parts] if options.multi_page else [[part] for part in parts]


def _document(
    parts: list[Source], name: str, options: ReadOptions, failed: Callable[..., PageResult]
) -> Iterator[Work]:
    try:
        document = _open(parts, name, options)
    except Exception as e:
        yield from _unopened(failed(e, source=name))
        return
    with document:
        groups = [document.numbers] if options.multi_page else [(number,) for number in document.numbers]
        yield DocumentOpened(document.source, len(groups))
        for numbers in groups:
            try:
                pages = tuple(document.load(number) for number in numbers)
                yield Unit(pages, draft_of(options.draft, numbers, document.text))
            except Exception as e:
                yield failed(e, source=document.source, page_numbers=numbers)
    yield DocumentEnd()


def _open(parts: list[Source], name: str, o: ReadOptions) -> Document:
    if len(parts) == 1:
        return open_document(parts[0], pages=o.pages, dpi=o.dpi, password=o.password, limits=o.limits)
    with ExitStack() as opened:
        documents = [
            opened.enter_context(open_document(part, dpi=o.dpi, password=o.password, limits=o.limits))
            for part in parts
        ]
        ranges = o.pages if isinstance(o.pages, PageRanges) else None
        joined = JoinedDocument(documents, name, pages=ranges, limits=o.limits)
        opened.pop_all()
        return joined


def _unopened(failed: PageResult) -> Iterator[Work]:
    yield DocumentOpened(failed.source, 1)
    yield failed
    yield DocumentEnd()


def _parts(source: Source | Sequence[Source]) -> list[Source] | None:
    """The sources of a list or tuple; None for a single source."""
    return list(source) if isinstance(source, (list, tuple)) else None


def _name(source: Source | Sequence[Source]) -> str:
    parts = _parts(source)
    if parts is None:
        return source_name(cast("Source", source))
    return " + ".join(map(source_name, parts)) or "<nothing>"
