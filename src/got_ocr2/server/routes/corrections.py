"""`/corrections`: lines that people mended, kept on this machine as training data."""

from __future__ import annotations

import io
from functools import partial
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from ...documents import Limits, open_document
from ..api.given import Named
from ..api.shapes import Body, Box, errors
from ..problems import Problem
from ..state import Owner, Server, State
from ..stores.correction_store import LONGEST_TEXT, Correction, CorrectionStore, store_at
from ..stores.uploads import Upload

router = APIRouter(tags=["corrections"])
LineId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
Files = Literal["application/zip", "image/png"]


class CorrectionBody(Body):
    """A line of an uploaded document and what it says."""

    model_config = ConfigDict(extra="forbid")

    file_id: str
    page: int = Field(1, ge=1)
    box: Box = Field(description="x1, y1, x2, y2 in pixels of the page.")
    angle: float = Field(0.0, description="Degrees by which the line runs down to the right.")
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)


class KeptLine(BaseModel):
    """A mended line; `created_at` is in seconds since 1970."""

    id: str
    text: str
    source: str
    page: int
    box: list[float]
    angle: float
    created_at: int
    pieces: int = Field(
        description="Pictures that the line was cut into; a reader of lines takes no longer ones."
    )

    @classmethod
    def of(cls, kept: Correction) -> KeptLine:
        return cls(
            id=kept.id, text=kept.text, source=kept.source, page=kept.page, box=list(kept.box), angle=kept.angle,
            created_at=kept.created_at, pieces=kept.pieces,
        )  # fmt: skip


class KeptLines(BaseModel):
    corrections: list[KeptLine]


class Removed(BaseModel):
    id: str
    deleted: Literal[True] = True


def _binary(media_type: Files) -> dict[int | str, dict[str, object]]:
    return {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


def _store(server: State, owner: str) -> CorrectionStore:
    """What one API key mended; others do not see it."""
    return store_at(server.settings.data / "corrections" / f"of-{owner}")


def _missing(id: str) -> Problem:
    return Problem(404, f"There is no mended line {id!r}.", param="id")


@router.post("/corrections", responses=errors(400, 401, 403, 404, 413, 422, 429))
async def keep(body: CorrectionBody, server: Server, owner: Owner) -> KeptLine:
    """Keeps a line with its picture. The same line, mended again, takes the place of what was kept of it."""
    upload, store = server.uploads.get(body.file_id, owner), _store(server, owner)
    kept = await server.reads.call(partial(_kept, store, upload, body, server.settings.limits))
    return KeptLine.of(cast(Correction, kept))


def _kept(store: CorrectionStore, upload: Upload, body: CorrectionBody, limits: Limits) -> Correction:
    with open_document(Named(upload.read(), upload.filename), limits=limits) as document:
        if body.page not in document.numbers:
            raise Problem(
                404,
                f"{document.name} has {document.page_count} pages; there is no page {body.page}.",
                param="page",
            )
        image = document.load(body.page).image
    return store.add(image, body.box, body.angle, body.text, source=upload.filename, page=body.page)


@router.get("/corrections", responses=errors(401, 403))
async def list_kept(server: Server, owner: Owner) -> KeptLines:
    """Your mended lines, the newest last."""
    lines = cast(list[Correction], await server.reads.call(_store(server, owner).all))
    return KeptLines(corrections=[KeptLine.of(one) for one in lines])


@router.get(
    "/corrections.zip", response_class=Response, responses=_binary("application/zip") | errors(401, 403)
)
async def as_zip(server: Server, owner: Owner) -> Response:
    """Your mended lines as a data set that `got-ocr2 finetune` takes, in the folder `corrections`."""
    out = io.BytesIO()
    await server.reads.call(partial(_store(server, owner).write_zip, out))
    headers = {"Content-Disposition": 'attachment; filename="corrections.zip"'}
    return Response(out.getvalue(), media_type="application/zip", headers=headers)


@router.get(
    "/corrections/{id}/pictures/{piece}",
    response_class=Response,
    responses=_binary("image/png") | errors(400, 401, 403, 404),
)
async def picture(id: LineId, piece: int, server: Server, owner: Owner) -> Response:
    """The picture of a mended line, or of a piece of it, from 0."""
    try:
        data = await server.reads.call(partial(_store(server, owner).picture, id, piece))
    except KeyError:
        raise _missing(id) from None
    return Response(cast(bytes, data), media_type="image/png")


@router.delete("/corrections/{id}", responses=errors(400, 401, 403, 404))
async def remove(id: LineId, server: Server, owner: Owner) -> Removed:
    """Forgets a mended line."""
    try:
        await server.reads.call(partial(_store(server, owner).remove, id))
    except KeyError:
        raise _missing(id) from None
    return Removed(id=id)
