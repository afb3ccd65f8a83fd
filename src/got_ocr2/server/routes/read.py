"""`POST /read`: all that `OCR.read` can do, as events, as one result, or as files."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from starlette.requests import Request

from ...errors import GotOcr2Error
from ...reading import ReadOptions
from ...rendering.registry import FORMATS
from ...results import DocumentResult
from ..api.forms import checked, first_file, form_of, is_form, json_of, parsed
from ..api.given import Given, at_address, in_base64, sent, uploaded
from ..api.options import read_options
from ..api.outputs import OutputFile, bundled, checked_formats, files_of
from ..api.shapes import (
    OPTIONS_FIELD,
    TREE,
    Address,
    Base64,
    Body,
    FormatName,
    Options,
    exactly_one,
    reading_errors,
    result_schema,
)  # fmt: skip
from ..api.streaming import Pieces, unless_vanished
from ..problems import Problem, of_exception, of_page
from ..reads import DocumentDone, Event, Opened, PageDone, Task, Text
from ..state import Server, State

router = APIRouter(tags=["reading"])
NDJSON = "application/x-ndjson"


class ReadBody(Body):
    """A document, as exactly one of `file_id`, `url` and `data`, and what to read of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=exactly_one("file_id", "url", "data"))

    file_id: str | None = Field(None, description="Of an upload to /v1/files.")
    url: Address | None = Field(None, description="An http(s) or data: address.")
    data: Base64 | None = Field(None, description="The file in base64.")
    filename: str | None = Field(None, description="What results call the document in `data`.")
    options: Options = Field(default_factory=Options)
    to: list[FormatName] = Field(
        default_factory=list, max_length=30, description="Formats of files, such as docx."
    )


def given_document(
    server: State,
    owner: str,
    *,
    file_id: str | None,
    url: str | None,
    data: str | None,
    name: str | None = None,
) -> Given:
    """The one document that a request names.

    Raises:
        Problem: none or several, or an upload that is not there.
        InputError: no address, no base64.
    """
    if sum(one is not None for one in (file_id, url, data)) != 1:
        raise Problem(400, "A document is given by exactly one of file_id, url and data.")
    if file_id is not None:
        return uploaded(server.uploads.get(file_id, owner))
    if url is not None:
        return at_address(url, server.settings)
    assert data is not None
    return in_base64(data, name, server.settings.limits)


@dataclass(frozen=True)
class _Asked:
    document: Given
    options: ReadOptions
    formats: list[str]


async def _asked(request: Request, server: State, owner: str) -> _Asked:
    if not is_form(request):
        body = checked(ReadBody, await json_of(request), "body")
        document = given_document(
            server, owner, file_id=body.file_id, url=body.url, data=body.data, name=body.filename
        )
        return _Asked(document, read_options(body.options, server.settings), checked_formats(body.to))
    async with form_of(request) as form:
        file = first_file(form)
        document = sent(await file.read(), file.filename)
        options, to = form.get("options"), form.getlist("to")
        values = parsed(options, "options") if isinstance(options, str) and options else {}
    formats = [name for part in to if isinstance(part, str) for name in part.split(",") if name.strip()]
    chosen = read_options(checked(Options, values, "options"), server.settings)
    return _Asked(document, chosen, checked_formats(formats))


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ReadBody"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "options": OPTIONS_FIELD,
                        "to": {"type": "array", "items": {"type": "string", "enum": list(FORMATS)}},
                    },
                    "required": ["file"],
                }
            },
        },
    }
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The result; with `to`, a file or an archive of several; with Accept: "
        "application/x-ndjson, one event a line.",
        "content": {
            "application/json": {"schema": {"anyOf": [result_schema("document"), TREE]}},
            NDJSON: {"schema": {"type": "string"}},
            "*/*": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    **reading_errors(),
}


@router.post("/read", response_class=Response, openapi_extra=_BODY, responses=_ANSWER)
async def read(request: Request, server: Server) -> Response:
    """Reads a document."""
    asked = await _asked(request, server, request.scope["state"]["key"])
    server.reads.check(asked.options)
    task = Task([asked.document], asked.options)
    if NDJSON in request.headers.get("accept", "") and not asked.formats:
        events = server.reads.events(task)
        # What cannot be opened is an error, not the beginning of an answer.
        first = await unless_vanished(request, anext(events))
        return Pieces(_lines(first, events), NDJSON)
    opened, results = await unless_vanished(request, server.reads.whole(task))
    result = results[0]
    check_read(result)
    if not asked.formats:
        return Response(result.to_json(), media_type="application/json")
    document = opened.documents[0].getvalue()
    files = await server.reads.call(
        lambda: files_of(result, asked.formats, document=document, password=asked.options.password)
    )
    assert isinstance(files, list)
    return file_answer(files, "document")


def check_read(result: DocumentResult) -> None:
    """Refuses a result of which nothing could be read.

    Raises:
        Problem: what the first page failed with.
    """
    if all(page.error is not None for page in result.pages):
        error = result.pages[0].error
        assert error is not None
        raise of_page(error)


def file_answer(files: Sequence[OutputFile], name: str) -> Response:
    """Files as a download; what was wrong with their text stands in the header `X-Problems`, as JSON."""
    file = bundled(files, name)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
    if file.problems:
        # A header holds no more than some kilobytes.
        headers["X-Problems"] = json.dumps(file.problems[:20])[:4000]
    return Response(file.data, media_type=file.media_type, headers=headers)


async def _lines(first: Event, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    try:
        yield _line(first)
        async for event in events:
            yield _line(event)
    except (Problem, GotOcr2Error) as error:
        yield json.dumps({"type": "error", **of_exception(error).body}, ensure_ascii=False) + "\n"
    finally:
        await events.aclose()


def _line(event: Event) -> str:
    if isinstance(event, Opened):
        text = json.dumps({"type": "opened", "pages": len(event.pages), "numbers": event.pages})
    elif isinstance(event, Text):
        text = json.dumps({"type": "text", "page": event.page, "text": event.text})
    elif isinstance(event, PageDone):
        text = f'{{"type": "page", "page": {event.result.page}, "result": {event.result.to_json()}}}'
    else:
        assert isinstance(event, DocumentDone)
        text = f'{{"type": "document", "result": {event.result.to_json()}}}'
    return text + "\n"
