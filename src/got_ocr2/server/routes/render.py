"""`POST /render`: text that was read as a file that other programs open."""

from __future__ import annotations

import base64
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from ...rendering import render as render_text
from ...rendering.registry import FORMATS
from ...rendering.rendered import Rendered
from ..api.outputs import OutputFile
from ..api.shapes import TREE, Body, FormatName, errors
from ..state import Server
from .read import file_answer

router = APIRouter(tags=["rendering"])


class RenderBody(Body):
    """A text of the model, and what to make of it."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=1_000_000)
    to: FormatName = Field(description="A format, such as html, docx or svg.")
    kind: Literal["auto", "page", "music", "molecule", "geometry", "chart"] = "auto"
    plain: bool = Field(False, description="The text is a page without markup: no sign in it means anything.")
    strict: bool = Field(False, description="Refuse a text with anything wrong in it.")


class RenderProblem(BaseModel):
    line: int
    column: int | None
    reason: str


class RenderAnswer(BaseModel):
    """What `Accept: application/json` gets: the file as text, or in base64 where it is none."""

    kind: str
    format: str
    media_type: str
    text: str | None
    data: str | None
    problems: list[RenderProblem]


@router.post(
    "/render",
    response_class=Response,
    responses={
        200: {
            "description": "The file; what is wrong with the text stands in the header X-Problems, as JSON.",
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/RenderAnswer"},
                            TREE,
                        ]
                    }
                },
                "*/*": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        **errors(400, 401, 403, 413, 422, 429, 501),
    },
)
async def render(body: RenderBody, request: Request, server: Server) -> Response:
    """Writes text that was read in a format that other programs open.

    With `Accept: application/json` the answer is JSON that holds the file and what was wrong with the text.
    """
    kind = "page" if body.plain and body.kind == "auto" else body.kind
    options = {"plain": True} if body.plain else {}
    done = await server.reads.call(
        lambda: render_text(body.text, body.to, kind, strict=body.strict, **options)
    )
    assert isinstance(done, Rendered)
    if "application/json" in request.headers.get("accept", "") and body.to != "json":
        return Response(_answer(done).model_dump_json(), media_type="application/json")
    problems = tuple(str(problem) for problem in done.problems)
    return file_answer([OutputFile(f"text{done.suffix}", done.data, done.media_type, problems)], "text")


def _answer(done: Rendered) -> RenderAnswer:
    textual = FORMATS[done.format].textual
    return RenderAnswer(
        kind=done.kind,
        format=done.format,
        media_type=done.media_type,
        text=done.text if textual else None,
        data=None if textual else base64.b64encode(done.data).decode("ascii"),
        problems=[RenderProblem(line=p.line, column=p.column, reason=p.reason) for p in done.problems],
    )
