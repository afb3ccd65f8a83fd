"""`/jobs`: many documents, read when there is time, kept until they are fetched."""

from __future__ import annotations

import json
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse

from ...documents.fetch import is_url
from ...rendering.registry import FORMATS
from ..api.forms import checked, files_of, form_of, is_form, json_of, parsed
from ..api.given import in_base64, safe_name
from ..api.options import read_options
from ..api.outputs import ZIP, checked_formats
from ..api.shapes import (
    OPTIONS_FIELD,
    Address,
    Base64,
    Body,
    FormatName,
    Options,
    errors,
    exactly_one,
    result_schema,
)
from ..problems import Problem
from ..state import Owner, Server, State
from ..stores.job_store import Job, JobDocument, NewDocument

router = APIRouter(prefix="/jobs", tags=["jobs"])


class JobInput(Body):
    """A document, as exactly one of `file_id`, `url` and `data`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=exactly_one("file_id", "url", "data"))

    file_id: str | None = None
    url: Address | None = Field(None, description="An http(s) address; fetched when its turn comes.")
    data: Base64 | None = Field(None, description="The file in base64.")
    filename: str | None = None


class JobBody(Body):
    """Documents to read, and how."""

    model_config = ConfigDict(extra="forbid")

    documents: list[JobInput] = Field(min_length=1)
    options: Options = Field(default_factory=Options)
    to: list[FormatName] = Field(
        default_factory=list, max_length=30, description="Formats of files, such as docx."
    )


class DocumentState(BaseModel):
    number: int = Field(ge=1)
    name: str
    status: Literal["waiting", "running", "done", "failed", "cancelled"]
    pages: int = Field(description="That were read.")
    error: str | None

    @classmethod
    def of(cls, document: JobDocument) -> DocumentState:
        return cls(
            number=document.number,
            name=document.name,
            status=document.status,
            pages=document.pages,
            error=document.error,
        )


class JobState(BaseModel):
    """How far a job is; times are seconds since 1970."""

    id: str
    status: Literal["waiting", "running", "done", "cancelled"]
    created_at: int
    ended_at: int | None
    total: int
    done: int
    failed: int
    to: list[str]
    documents: list[DocumentState]


class JobList(BaseModel):
    jobs: list[JobState]


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/JobBody"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                        },
                        "options": OPTIONS_FIELD,
                        "to": {"type": "array", "items": {"type": "string", "enum": list(FORMATS)}},
                    },
                    "required": ["files"],
                }
            },
        },
    }
}
_FOUND = errors(401, 403, 404)


@router.post(
    "", status_code=202, openapi_extra=_BODY, responses=errors(400, 401, 403, 404, 413, 422, 429, 503)
)
async def begin(request: Request, server: Server, owner: Owner) -> JobState:
    """Takes documents to be read when there is time."""
    jobs, size = server.jobs.store.count()
    if jobs >= server.settings.max_jobs:
        raise Problem(503, f"{jobs:,} jobs are kept already (max_jobs); delete some.", retry_after=60)
    if is_form(request):
        async with form_of(request, files=server.settings.max_documents, limit="max_documents") as form:
            documents, options, formats = await _of_form(form)
    else:
        body = checked(JobBody, await json_of(request), "body")
        documents = [_document(one, server, owner) for one in body.documents]
        options, formats = body.options, checked_formats(body.to)
    _check(documents, size, server)
    server.reads.check(read_options(options, server.settings))
    given = options.model_dump(exclude_defaults=True)
    job = server.jobs.store.add(owner, documents, given, formats)
    server.jobs.wake()
    return _state(job, server)


async def _of_form(form: FormData) -> tuple[list[NewDocument], Options, list[str]]:
    documents = [NewDocument(safe_name(file.filename), await file.read()) for file in files_of(form, "files")]
    text = form.get("options")
    values = parsed(text, "options") if isinstance(text, str) and text else {}
    formats = [
        name for part in form.getlist("to") if isinstance(part, str) for name in part.split(",") if name
    ]
    return documents, checked(Options, values, "options"), checked_formats(formats)


def _document(given: JobInput, server: State, owner: str) -> NewDocument:
    if sum(one is not None for one in (given.file_id, given.url, given.data)) != 1:
        raise Problem(400, "A document is given by exactly one of file_id, url and data.", param="documents")
    if given.file_id is not None:
        upload = server.uploads.get(given.file_id, owner)
        return NewDocument(upload.filename, upload.read())
    if given.data is not None:
        named = in_base64(given.data, given.filename, server.settings.limits)()
        return NewDocument(named.name, named.getvalue())
    assert given.url is not None
    if not is_url(given.url):
        raise Problem(422, "A document's address begins with http://, https:// or data:.", type="InputError")
    return NewDocument(safe_name(given.filename or given.url.partition("?")[0]), url=given.url)


def _check(documents: list[NewDocument], waiting: int, server: State) -> None:
    settings = server.settings
    if len(documents) > settings.max_documents:
        raise Problem(
            400,
            f"A job has up to {settings.max_documents:,} documents (max_documents), got {len(documents):,}.",
        )
    for document in documents:
        if document.data is not None:
            settings.limits.check_bytes(document.name, len(document.data))
    if waiting + sum(len(one.data or b"") for one in documents) > settings.jobs_bytes:
        limit = settings.jobs_bytes
        raise Problem(503, f"Waiting jobs would take more than {limit:,} bytes (jobs_bytes).", retry_after=60)


@router.get("", responses=errors(401, 403))
async def list_jobs(server: Server, owner: Owner) -> JobList:
    """Your jobs, the newest first."""
    return JobList(jobs=[_state(job, server) for job in server.jobs.store.of(owner)])


@router.get("/{id}", responses=_FOUND)
async def state(id: str, server: Server, owner: Owner) -> JobState:
    """How far a job is."""
    return _state(_job(id, server, owner), server)


@router.post("/{id}/cancel", responses=_FOUND | errors(429))
async def cancel(id: str, server: Server, owner: Owner) -> JobState:
    """Gives up what has not been read yet; what has been read stays."""
    if _job(id, server, owner).ended is None:
        server.jobs.cancel(id)
    return _state(_job(id, server, owner), server)


@router.delete("/{id}", status_code=204, response_class=Response, responses=_FOUND)
async def delete(id: str, server: Server, owner: Owner) -> Response:
    """Deletes a job and its results."""
    if _job(id, server, owner).ended is None:
        server.jobs.cancel(id)
    server.jobs.store.forget(id)
    return Response(status_code=204)


@router.get(
    "/{id}/result",
    response_class=Response,
    responses={200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}}
    | _FOUND
    | errors(409),
)
async def result(id: str, server: Server, owner: Owner) -> Response:
    """All results in one archive, once the job is done."""
    job = _job(id, server, owner)
    if job.status != "done":
        raise Problem(409, f"The job is {job.status}; its result comes when it is done.", type="not_done")
    return FileResponse(server.jobs.store.archive(id), media_type=ZIP, filename=f"{id}.zip")


@router.get(
    "/{id}/documents/{number}",
    response_class=Response,
    responses={200: {"content": {"application/json": {"schema": result_schema("document")}}}}
    | _FOUND
    | errors(409),
)
async def document_result(id: str, number: int, server: Server, owner: Owner) -> Response:
    """The result of one document, as soon as it has been read."""
    job = _job(id, server, owner)
    found = next((one for one in server.jobs.store.documents(job.id) if one.number == number), None)
    if found is None:
        raise Problem(404, f"The job has no document {number}.", param="number")
    file = server.jobs.store.outputs(found) / "result.json"
    if not file.is_file():
        raise Problem(409, found.error or f"The document is {found.status}.", type="not_done")
    return Response(file.read_bytes(), media_type="application/json")


def _job(id: str, server: State, owner: str) -> Job:
    job = server.jobs.store.get(id, owner)
    if job is None:
        raise Problem(404, f"There is no job {json.dumps(id[:80])}.", param="id")
    return job


def _state(job: Job, server: State) -> JobState:
    documents = server.jobs.store.documents(job.id)
    return JobState(
        id=job.id,
        status=job.status,
        created_at=int(job.created),
        ended_at=None if job.ended is None else int(job.ended),
        total=len(documents),
        done=sum(one.status == "done" for one in documents),
        failed=sum(one.status == "failed" for one in documents),
        to=job.formats,
        documents=[DocumentState.of(one) for one in documents],
    )
