"""The results of the pages of a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from .details import Status
from .json_fields import as_json, known_fields
from .page import PageResult
from .rendered_file import RenderedFile, rendering_room

# What stands between the texts of two pages in `DocumentResult.text`.
PAGE_SEPARATOR = "\n\n"


@dataclass(frozen=True)
class DocumentResult:
    """The pages of one document, in the order they were asked for, one result each.

    Attributes:
        source: name of the document.
        pages: a result for every page, failed ones included.
    """

    source: str
    pages: tuple[PageResult, ...]

    def __post_init__(self) -> None:
        if not self.pages:
            raise InputError(f"The document {self.source} has no page results.")

    def render(self, to: str, kind: str = "auto", *, strict: bool = False, **options: Any) -> RenderedFile:
        """The document as one file that other programs open; see `rendering.render_result`."""
        return rendering_room().render_result(self, to, kind, strict=strict, **options)

    @property
    def text(self) -> str:
        """The texts of the pages that have one, a blank line between two pages."""
        return PAGE_SEPARATOR.join(page.text for page in self.pages if page.text)

    @property
    def status(self) -> Status:
        """The worst of the pages: "failed", "looped", then "truncated"; "empty" only when every page is."""
        found = {page.status for page in self.pages}
        for status in ("failed", "looped", "truncated", "complete"):
            if status in found:
                return status
        return "empty"

    @property
    def tokens(self) -> int:
        """Tokens written for all pages."""
        return sum(page.tokens for page in self.pages)

    @property
    def seconds(self) -> float:
        """Seconds spent on all pages."""
        return sum(page.seconds for page in self.pages)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-serialisable dict that keeps `json_schema()`."""
        return {
            "kind": "document",
            "source": self.source,
            "text": self.text,
            "status": self.status,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "pages": [page.to_dict() for page in self.pages],
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as JSON text; characters outside ASCII stand as they are."""
        return as_json(self.to_dict(), indent)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DocumentResult:
        """The inverse of `to_dict`.

        Raises:
            InputError: `data` is not a document result.
        """
        values = known_fields(cls, data, "document")
        try:
            return cls(values["source"], tuple(PageResult.from_dict(page) for page in values["pages"]))
        except (KeyError, TypeError) as e:
            raise InputError(f"This is not a got-ocr2 document result: {e}.") from e
