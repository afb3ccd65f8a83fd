"""`/v1/ocr`, as Mistral's clients use it. Page numbers begin with 0 here."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request

from ...documents.pdf import DEFAULT_DPI
from ...errors import InvalidOptionError
from ...results import DocumentResult, PageResult
from ..api.given import Given, Named, at_address, uploaded
from ..api.options import read_options
from ..api.shapes import Address, Body, Options, reading_errors
from ..api.streaming import unless_vanished
from ..reads import Task
from ..state import Owner, Server, State
from .read import check_read

router = APIRouter(prefix="/v1", tags=["mistral"])
_PAGES = r"^ *[0-9]{1,9}( *- *[0-9]{1,9})? *(, *[0-9]{1,9}( *- *[0-9]{1,9})? *)*$"


_Ranges = Annotated[str, Field(json_schema_extra={"pattern": _PAGES})]
_PagesFrom0 = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | _Ranges


class DocumentUrl(Body):
    type: Literal["document_url"]
    document_url: Address
    document_name: str | None = None


class ImageAddress(Body):
    url: Address
    detail: str | None = None


class ImageUrlDocument(Body):
    type: Literal["image_url"]
    image_url: Address | ImageAddress


class FileDocument(Body):
    type: Literal["file"]
    file_id: str


class OcrBody(Body):
    """A document to read. Annotations are refused: this model reads what stands there and no more."""

    model: str | None = None
    id: str | None = None
    document: Annotated[DocumentUrl | ImageUrlDocument | FileDocument, Field(discriminator="type")]
    pages: _PagesFrom0 | None = Field(None, description='From 0, such as "0-2,5".')
    include_image_base64: bool | None = Field(None, description="Accepted: no pictures are cut out of pages.")
    image_limit: int | None = None
    image_min_size: int | None = None
    confidence_scores_granularity: Literal["page", "word", "block"] | None = None
    bbox_annotation_format: None = None
    document_annotation_format: None = None
    options: Options | None = Field(None, description="Options of reading, for other models than Mistral's.")


class Dimensions(BaseModel):
    dpi: int
    height: int
    width: int


class WordScore(BaseModel):
    text: str
    confidence: float
    start_index: int


class Scores(BaseModel):
    average_page_confidence_score: float
    minimum_page_confidence_score: float
    word_confidence_scores: list[WordScore]


class Image(BaseModel):
    """Mistral's shape of a picture on a page; there are none in these answers."""

    id: str
    top_left_x: int | None
    top_left_y: int | None
    bottom_right_x: int | None
    bottom_right_y: int | None
    image_base64: str | None


class OcrPage(BaseModel):
    index: int
    markdown: str
    images: list[Image]
    dimensions: Dimensions | None
    confidence_scores: Scores | None
    status: str = Field(description="complete, truncated, looped, empty or failed.")
    error: str | None = Field(None, description="Why the page failed.")


class UsageInfo(BaseModel):
    pages_processed: int
    doc_size_bytes: int


class OcrAnswer(BaseModel):
    pages: list[OcrPage]
    model: str
    usage_info: UsageInfo
    document_annotation: None = None


@router.post("/ocr", responses=reading_errors())
async def ocr(body: OcrBody, request: Request, server: Server, owner: Owner) -> OcrAnswer:
    """Reads a document, page by page, as Markdown."""
    options = (body.options or Options()).model_dump()
    scores = body.confidence_scores_granularity
    if options["confidence"] == "page" and scores is not None:
        options["confidence"] = "word"
    if body.pages is not None:
        options["pages"] = _from_one(body.pages)
    chosen = read_options(Options(**options), server.settings)
    task = Task([_document(body, server, owner)], chosen)
    opened, results = await unless_vanished(request, server.reads.whole(task))
    check_read(results[0])
    pages = await server.reads.call(lambda: _pages(results[0], opened.documents[0], chosen.dpi, scores))
    assert isinstance(pages, list)
    size = len(opened.documents[0].getvalue())
    done = sum(page.error is None for page in results[0].pages)
    return OcrAnswer(
        pages=pages,
        model=server.model_name,
        usage_info=UsageInfo(pages_processed=done, doc_size_bytes=size),
    )


def _document(body: OcrBody, server: State, owner: str) -> Given:
    document = body.document
    if isinstance(document, FileDocument):
        return uploaded(server.uploads.get(document.file_id, owner))
    if isinstance(document, DocumentUrl):
        url = document.document_url
    else:
        url = document.image_url if isinstance(document.image_url, str) else document.image_url.url
    return at_address(url, server.settings)


def _from_one(pages: list[int] | str) -> str:
    """Pages counted from 0 as pages counted from 1.

    Raises:
        InvalidOptionError: no such list.
    """
    if isinstance(pages, list):
        return ",".join(str(page + 1) for page in pages)
    if not re.search(_PAGES, pages):
        raise InvalidOptionError(f'pages is a list such as "0-2,5", from 0, got {pages[:80]!r}.')
    return re.sub(r"\d+", lambda number: str(int(number.group()) + 1), pages.replace(" ", ""))


def _pages(result: DocumentResult, document: Named, dpi: float, scores: str | None) -> list[OcrPage]:
    pdf = b"%PDF-" in document.getvalue()[:1024]
    return [
        OcrPage(
            index=page.page - 1,
            markdown=_markdown(page),
            images=[],
            dimensions=Dimensions(
                dpi=round(dpi if pdf else DEFAULT_DPI), height=page.height, width=page.width
            ),
            confidence_scores=None if scores is None or page.confidence is None else _scores(page, scores),
            status=page.status,
            error=None if page.error is None else page.error.message,
        )
        for page in result.pages
    ]


def _markdown(page: PageResult) -> str:
    return "" if page.error is not None or not page.text else page.render("md", "page").text


def _scores(page: PageResult, granularity: str) -> Scores:
    words = page.words or ()
    average = page.confidence or 0.0
    least = min((word.confidence for word in words), default=average)
    listed = [WordScore(text=w.text, confidence=w.confidence, start_index=w.start) for w in words]
    return Scores(
        average_page_confidence_score=average,
        minimum_page_confidence_score=min(least, average),
        word_confidence_scores=listed if granularity == "word" else [],
    )
