"""`/v1/files`: uploads, kept for a while; `/files/{id}/pages`: their pages as pictures."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from starlette.requests import Request

from ...documents import Limits, open_document
from ...documents.pdf import DEFAULT_DPI
from ..api.forms import first_file, form_of
from ..api.given import Named, safe_name
from ..api.shapes import errors
from ..problems import Problem
from ..state import Owner, Server
from ..stores.uploads import Upload

router = APIRouter(tags=["files"])
_CHUNK = 1 << 18


class File(BaseModel):
    """An uploaded file; times are seconds since 1970."""

    id: str
    object: Literal["file"] = "file"
    filename: str
    bytes: int
    created_at: int
    expires_at: int
    purpose: str
    status: Literal["processed"] = "processed"
    sample_type: str = "ocr_input"
    source: str = "upload"
    deleted: bool = False

    @classmethod
    def of(cls, upload: Upload) -> File:
        return cls(
            id=upload.id,
            filename=upload.filename,
            bytes=upload.bytes,
            created_at=upload.created_at,
            expires_at=upload.expires_at,
            purpose=upload.purpose,
        )


class Files(BaseModel):
    object: Literal["list"] = "list"
    data: list[File]
    total: int
    has_more: bool = False


class Deleted(BaseModel):
    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


class PageSize(BaseModel):
    """A page as a person sees it, in pixels; PDFs at 200 dots per inch."""

    page: int = Field(ge=1)
    width: int
    height: int


class Pages(BaseModel):
    pages: list[PageSize]


_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "maxLength": 64},
                    },
                    "required": ["file"],
                }
            }
        },
    }
}


@router.post("/v1/files", openapi_extra=_UPLOAD, responses=errors(400, 401, 403, 413, 422, 429, 503))
async def upload(request: Request, server: Server, owner: Owner) -> File:
    """Uploads a picture or PDF; it is kept for an hour."""
    async with form_of(request) as form:
        file = first_file(form)
        purpose = form.get("purpose")

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := await file.read(_CHUNK):
                yield chunk

        name = safe_name(file.filename)
        purpose = purpose[:64] if isinstance(purpose, str) else "ocr"
        return File.of(await server.uploads.keep(chunks(), name, owner, purpose))


@router.get("/v1/files", responses=errors(401, 403))
async def list_files(server: Server, owner: Owner) -> Files:
    """Your files that are kept."""
    files = [File.of(one) for one in server.uploads.of(owner)]
    return Files(data=files, total=len(files))


@router.get("/v1/files/{id}", responses=errors(401, 403, 404))
async def file_of(id: str, server: Server, owner: Owner) -> File:
    """What is known of a file."""
    return File.of(server.uploads.get(id, owner))


@router.delete("/v1/files/{id}", responses=errors(401, 403, 404))
async def delete_file(id: str, server: Server, owner: Owner) -> Deleted:
    """Deletes a file."""
    server.uploads.forget(server.uploads.get(id, owner).id)
    return Deleted(id=id)


@router.get("/files/{id}/pages", responses=errors(401, 403, 404, 422))
async def pages(id: str, server: Server, owner: Owner) -> Pages:
    """Number and size of every page of a file."""
    upload = server.uploads.get(id, owner)
    found = await server.reads.call(lambda: _sizes(upload, server.settings.limits))
    assert isinstance(found, Pages)
    return found


def _sizes(upload: Upload, limits: Limits) -> Pages:
    with open_document(Named(upload.read(), upload.filename), limits=limits) as document:
        sizes = [(number, document.size(number)) for number in document.numbers]
    return Pages(pages=[PageSize(page=number, width=size[0], height=size[1]) for number, size in sizes])


@router.get(
    "/files/{id}/pages/{number}",
    response_class=Response,
    responses={200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}}
    | errors(400, 401, 403, 404, 422),
)
async def page(
    id: str,
    number: int,
    server: Server,
    owner: Owner,
    width: Annotated[int | None, Query(ge=1, le=20_000, description="Pixels; never enlarged.")] = None,
) -> Response:
    """A page as a PNG, as a person sees it."""
    upload = server.uploads.get(id, owner)
    data = await server.reads.call(lambda: _picture(upload, number, width, server.settings.limits))
    assert isinstance(data, bytes)
    return Response(data, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


def _picture(upload: Upload, number: int, width: int | None, limits: Limits) -> bytes:
    with open_document(Named(upload.read(), upload.filename), dpi=DEFAULT_DPI, limits=limits) as document:
        if number not in document.numbers:
            raise Problem(
                404,
                f"{document.name} has {document.page_count} pages; there is no page {number}.",
                param="page",
            )
        image = document.load(number).image
    if width is not None and width < image.width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()
