"""`POST /layout`: the lines of a page without reading them."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ...documents import Limits, open_document
from ...layout import LayoutOptions, find_lines
from ..api.given import Named
from ..api.shapes import Body, errors
from ..problems import Problem
from ..state import Owner, Server
from ..stores.uploads import Upload

router = APIRouter(tags=["reading"])


class LayoutBody(Body):
    """A page of an uploaded file."""

    model_config = ConfigDict(extra="forbid")

    file_id: str
    page: int = Field(1, ge=1)
    turn: Literal[0, 90, 180, 270] | None = Field(None, description="0, 90, 180 or 270; found by default.")
    dpi: float = Field(200.0, gt=0)


class Line(BaseModel):
    """A line of print; places are in pixels of the page."""

    box: tuple[float, float, float, float]
    quad: list[tuple[float, float]] = Field(description="Corners, clockwise from the top left of the text.")
    angle: float = Field(description="Degrees by which it runs down to the right.")
    letter_height: float
    block: int
    order: int
    light_on_dark: bool
    bend: list[float] = Field(
        description="Pixels by which letters stand below their place in `quad`, at places equally far apart along the "
        "line; empty where they stand straight."
    )


class Layout(BaseModel):
    page: int
    width: int
    height: int
    turn: int
    angle: float
    lines: list[Line]


@router.post("/layout", responses=errors(400, 401, 403, 404, 413, 422, 429))
async def layout(body: LayoutBody, server: Server, owner: Owner) -> Layout:
    """Finds the lines of a page, in reading order."""
    upload = server.uploads.get(body.file_id, owner)
    options = LayoutOptions(turn=body.turn)
    found = await server.reads.call(lambda: _found(upload, body, options, server.settings.limits))
    assert isinstance(found, Layout)
    return found


def _found(upload: Upload, body: LayoutBody, options: LayoutOptions, limits: Limits) -> Layout:
    with open_document(Named(upload.read(), upload.filename), dpi=body.dpi, limits=limits) as document:
        if body.page not in document.numbers:
            raise Problem(
                404,
                f"{document.name} has {document.page_count} pages; there is no page {body.page}.",
                param="page",
            )
        image = document.load(body.page).image
    found = find_lines(image, options)
    lines = [
        Line(
            box=line.box,
            quad=list(line.quad),
            angle=line.angle,
            letter_height=line.letter_height,
            block=line.block,
            order=line.order,
            light_on_dark=line.light_on_dark,
            bend=list(line.bend),
        )
        for line in found.lines
    ]
    return Layout(
        page=body.page,
        width=image.width,
        height=image.height,
        turn=found.turn,
        angle=found.angle,
        lines=lines,
    )
