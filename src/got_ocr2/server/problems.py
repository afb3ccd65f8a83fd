"""Errors as answers: a status, and JSON in the shape of OpenAI's."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..errors import (
    FileAccessError,
    GotOcr2Error,
    InputError,
    InvalidOptionError,
    MissingDependencyError,
    RenderError,
)  # fmt: skip
from ..results import PageError

_STATUS: dict[type[GotOcr2Error], int] = {
    InvalidOptionError: 400,
    MissingDependencyError: 501,
    RenderError: 422,
    InputError: 422,
    FileAccessError: 422,
}
_BY_NAME = {
    "InvalidOptionError": 400,
    "MissingDependencyError": 501,
    "RenderError": 422,
    "InputError": 422,
    "EncryptedDocumentError": 422,
    "FileAccessError": 422,
}
# What pydantic puts between the names of fields where a value may be of several kinds.
_KIND = re.compile(r"(constrained-)?(str|int|float|bool|none)|(list|literal|tagged-union|function-\w+)\[.*")
_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class Problem(HTTPException):
    """A request that is answered with an error.

    Attributes:
        type: what kind of error it is, one word.
        param: the field of the request that is to blame.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        headers = None if retry_after is None else {"Retry-After": str(max(1, round(retry_after)))}
        super().__init__(status, message, headers)
        self.type = type or _kind(status)
        self.param = param

    @property
    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        return body(self.type, self.detail, self.param)

    @property
    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.body, self.status_code, self.headers)


def body(type: str, message: str, param: str | None = None) -> dict[str, Any]:
    """The JSON of an error."""
    return {"error": {"type": type, "message": message, "param": param, "code": None}}


def of_exception(error: BaseException) -> Problem:
    """The answer to an error of the library; what nobody expected is told to the log alone."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, GotOcr2Error):
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
        return Problem(status, str(error), type=type(error).__name__)
    return unexpected()


def of_page(error: PageError) -> Problem:
    """The answer to a document none of whose pages could be read."""
    status = _BY_NAME.get(error.type)
    return unexpected() if status is None else Problem(status, error.message, type=error.type)


def unexpected() -> Problem:
    """Nobody expected it; the log has it under the request's id."""
    return Problem(500, "The server failed; its log says why, under this answer's X-Request-Id.")


def _kind(status: int) -> str:
    return _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")


async def answer_problem(request: Request, error: Exception) -> Response:
    """For exceptions of ours, and those of the framework."""
    if isinstance(error, GotOcr2Error):
        return of_exception(error).response
    if isinstance(error, Problem):
        return error.response
    assert isinstance(error, HTTPException)
    said = (
        error.detail if error.detail != HTTPStatus(error.status_code).phrase else _phrase(error.status_code)
    )
    said = f"{said.rstrip('.')}."
    return JSONResponse(body(_kind(error.status_code), said), error.status_code, error.headers)


def _phrase(status: int) -> str:
    return {404: "There is nothing at this address.", 405: "This address does not take this method."}.get(
        status, f"{HTTPStatus(status).phrase}."
    )


async def answer_invalid(request: Request, error: Exception) -> Response:
    """For requests that are not what the OpenAPI document describes: the first thing that is wrong.

    Where a value may be of several kinds, it is meant to be the one that it is most like: of that kind, but wrong, or
    wrong the deepest within it.
    """
    assert isinstance(error, RequestValidationError)
    first = max(error.errors(), key=lambda one: (not one["type"].endswith("_type"), len(one["loc"])))
    fields = [str(part) for part in first["loc"] if not _KIND.fullmatch(str(part))]
    where = ".".join(fields[1:]) or fields[0]
    said = " ".join(str(first["msg"]).split()).rstrip(".")
    return JSONResponse(body("invalid_request_error", f"{where}: {said}.", where), 400)
