"""The server as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from .._version import __version__
from ..errors import GotOcr2Error
from ..ocr import OCR
from .auth import Keys
from .job_store import JobStore
from .jobs import Jobs
from .metrics import Metrics
from .middleware import BodyLimit, Guard, Observed
from .problems import answer_invalid, answer_problem
from .reads import Reads
from .routes import corrections, files, frames, layout, mistral, monitoring, openai, page, read, render
from .routes import jobs as job_routes
from .settings import Settings
from .shapes import components
from .state import State
from .streaming import VanishedError
from .uploads import Uploads

_EXPIRE = 30.0  # seconds between two looks for uploads whose time has come


def create_app(
    ocr: OCR,
    settings: Settings | None = None,
    keys: Keys | None = None,
    *,
    model_name: str = "got-ocr2",
    insecure_open: bool = False,
) -> FastAPI:
    """Makes a server around a model.

    Args:
        ocr: what reads, opened with `threaded=True`; the server closes it when it ends.
        settings: its limits.
        keys: API keys; without any, only requests from this machine are answered.
        model_name: what clients call the model.
        insecure_open: without keys, answer everybody.

    Returns:
        The application; its `state.server` is the `State` that routes share.
    """
    settings, metrics = settings or Settings(), Metrics()
    reads, uploads = Reads(ocr, settings, metrics), Uploads(settings)
    jobs = Jobs(JobStore(settings.data), reads, settings)
    metrics.watch("waiting", "Requests that wait to be read.", lambda: reads.waiting)
    metrics.watch("running", "Documents that are being read.", lambda: reads.running)
    metrics.watch("engine_rows", "Pages or lines in the engine.", lambda: ocr.engine.running)
    state = State(ocr, model_name, settings, metrics, reads, uploads, jobs)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        cleaner = asyncio.create_task(_expire(uploads, jobs))
        jobs.start()
        try:
            yield
        finally:
            cleaner.cancel()
            with suppress(asyncio.CancelledError):
                await cleaner
            await jobs.stop()
            await asyncio.to_thread(reads.close)
            jobs.store.close()
            uploads.close()
            await asyncio.to_thread(ocr.close)

    app = FastAPI(
        title="got-ocr2",
        version=__version__,
        summary="Reads documents.",
        docs_url=None,  # they would fetch scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.server = state
    for surface in (
        monitoring,
        files,
        openai,
        mistral,
        read,
        layout,
        render,
        frames,
        job_routes,
        corrections,
        page,
    ):
        app.include_router(surface.router)
    app.mount("/static", StaticFiles(directory=page.FOLDER, check_dir=False), name="static")
    app.add_exception_handler(GotOcr2Error, answer_problem)
    app.add_exception_handler(HTTPException, answer_problem)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(VanishedError, _nobody)
    app.add_exception_handler(ClientDisconnect, _nobody)  # before all of its body had come
    # The last one added is the first one passed.
    app.add_middleware(BodyLimit, settings=settings, metrics=metrics)
    app.add_middleware(Guard, keys=keys or Keys({}), settings=settings, metrics=metrics, open=insecure_open)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["X-Request-Id", "X-Problems", "Retry-After"],
        )
    app.add_middleware(Observed, metrics=metrics)
    app.openapi = lambda: _openapi(app, bool(keys))  # pyright: ignore[reportAttributeAccessIssue]
    return app


async def _expire(uploads: Uploads, jobs: Jobs) -> None:
    while True:
        await asyncio.sleep(_EXPIRE)
        uploads.expire()
        jobs.expire()


async def _nobody(request: Request, error: Exception) -> Response:
    """For a client that has gone; servers call it 499 among themselves."""
    return Response(status_code=499)


def _openapi(app: FastAPI, keys: bool) -> dict[str, Any]:
    """The OpenAPI document, with what is not FastAPI's own."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(components())
        for model in (read.ReadBody, job_routes.JobBody):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[model.__name__] = schema
        # Our own answer takes the place of the framework's.
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        for path in document["paths"].values():
            for operation in path.values():
                answer = operation["responses"].get("422", {})
                if "HTTPValidationError" in str(answer):
                    del operation["responses"]["422"]
        if keys:
            document["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            }
            document["security"] = [{"bearer": []}, {"key": []}]
        app.openapi_schema = document
    return app.openapi_schema
