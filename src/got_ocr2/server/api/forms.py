"""Bodies of requests that come as a form or as JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ..problems import Problem

_Model = TypeVar("_Model", bound=BaseModel)
_FIELD = 1_000_000  # most bytes of one that is no file


@asynccontextmanager
async def form_of(request: Request, *, files: int = 1, limit: str | None = None) -> AsyncIterator[FormData]:
    """The form of a request.

    Args:
        request: of a client.
        files: most of them.
        limit: the name of that number, if the server's owner can set it.

    Raises:
        Problem: there is none, or more files than that.
    """
    if not is_form(request):
        raise Problem(400, "The body must be a form, multipart/form-data.")
    try:
        form = await request.form(max_files=files, max_fields=20, max_part_size=_FIELD)
    except HTTPException as error:
        if not str(error.detail).startswith("Too many files"):
            raise
        name = "" if limit is None else f" ({limit})"
        raise Problem(400, f"The form has more files than the limit of {files:,}{name}.") from None
    try:
        yield form
    finally:
        await form.close()


def is_form(request: Request) -> bool:
    """Whether the body is a form; anything else is taken for JSON."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


def files_of(form: FormData, name: str) -> list[UploadFile]:
    """All files of a field.

    Raises:
        Problem: there is none.
    """
    files = [part for part in form.getlist(name) if isinstance(part, UploadFile)]
    if not files:
        raise Problem(400, f"The form has no file in its field {name!r}.", param=name)
    return files


def first_file(form: FormData) -> UploadFile:
    """The file in the field "file"; see `files_of`."""
    return files_of(form, "file")[0]


async def json_of(request: Request) -> Any:
    """The JSON of a request.

    Raises:
        Problem: the body is no JSON.
    """
    return parsed(await request.body(), "body")


def parsed(text: str | bytes, param: str) -> Any:
    """JSON.

    Raises:
        Problem: it is none; `param` is to blame.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Problem(400, f"The {param} is not JSON.", param=param) from None


def checked(model: type[_Model], value: Any, where: str) -> _Model:
    """A value as a model describes it.

    Raises:
        RequestValidationError: it is not; `where` is the part of the request that it stands in.
    """
    try:
        return model.model_validate(value)
    except ValidationError as e:
        errors = [{**error, "loc": (where, *error["loc"])} for error in e.errors(include_url=False)]
        raise RequestValidationError(errors) from None
