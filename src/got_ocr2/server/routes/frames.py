"""`GET /files/{id}/pages/{number}/frames`: coloured frames that somebody drew on a page."""

from __future__ import annotations

from typing import Literal, cast

from fastapi import APIRouter
from pydantic import BaseModel

from ...documents import Limits, open_document
from ...errors import InputError
from ...layout import framed_box
from ..api.given import Named
from ..api.shapes import errors
from ..problems import Problem
from ..state import Owner, Server
from ..stores.uploads import Upload

router = APIRouter(tags=["files"])
Color = Literal["red", "green", "blue"]
_COLORS: tuple[Color, ...] = ("red", "green", "blue")


class Frame(BaseModel):
    """The inside of the largest frame of a colour: x1, y1, x2, y2 in pixels of the page."""

    color: Color
    box: tuple[float, float, float, float]


class Frames(BaseModel):
    frames: list[Frame]


@router.get("/files/{id}/pages/{number}/frames", responses=errors(400, 401, 403, 404, 422))
async def frames(id: str, number: int, server: Server, owner: Owner) -> Frames:
    """What `/read` would read with the option `color`: at most one frame of each colour."""
    upload = server.uploads.get(id, owner)
    return cast(Frames, await server.reads.call(lambda: _frames(upload, number, server.settings.limits)))


def _frames(upload: Upload, number: int, limits: Limits) -> Frames:
    with open_document(Named(upload.read(), upload.filename), limits=limits) as document:
        if number not in document.numbers:
            raise Problem(
                404,
                f"{document.name} has {document.page_count} pages; there is no page {number}.",
                param="page",
            )
        image = document.load(number).image
    found: list[Frame] = []
    for color in _COLORS:
        try:
            found.append(Frame(color=color, box=framed_box(image, color)))
        except InputError:  # there is none of this colour
            continue
    return Frames(frames=found)
