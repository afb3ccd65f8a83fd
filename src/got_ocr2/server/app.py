"""The server as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from .._version import __version__
from ..errors import GotOcr2Error
from ..ocr import OCR
from .api.streaming import VanishedError
from .auth import Keys
from .jobs import Jobs
from .metrics import Metrics
from .middleware import BodyLimit, Guard, Observed
from .openapi_document import openapi_of
from .problems import answer_invalid, answer_problem
from .reads import Reads
from .routes import corrections, files, frames, layout, mistral, monitoring, openai, page, read, render
from .routes import jobs as job_routes
from .settings import Settings
from .state import State
from .stores.job_store import JobStore
from .stores.uploads import Uploads

_EXPIRE = 30.0  # seconds between two looks for uploads whose time has come


async def _nobody(request: Request, error: Exception) -> Response:
    """For a client that has gone; servers call it 499 among themselves."""
    return Response(status_code=499)


SURFACES = (
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
)
ANSWERS = {
    GotOcr2Error: answer_problem,
    HTTPException: answer_problem,
    RequestValidationError: answer_invalid,
    VanishedError: _nobody,
    ClientDisconnect: _nobody,  # before all of its body had come
}
"""What becomes of exceptions that a route leaves alone."""


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
    state = _state(ocr, model_name, settings or Settings())
    app = FastAPI(
        title="got-ocr2",
        version=__version__,
        summary="Reads documents.",
        docs_url=None,  # they would fetch scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.server = state
    for surface in SURFACES:
        app.include_router(surface.router)
    app.mount("/static", StaticFiles(directory=page.FOLDER, check_dir=False), name="static")
    for kind, answer in ANSWERS.items():
        app.add_exception_handler(kind, answer)
    _pass_through(app, state, keys or Keys({}), insecure_open=insecure_open)
    app.openapi = lambda: openapi_of(app, bool(keys), state.settings.max_tokens)  # pyright: ignore[reportAttributeAccessIssue]
    return app


def _state(ocr: OCR, model_name: str, settings: Settings) -> State:
    """What routes share, with the numbers that are asked for when Prometheus asks."""
    metrics = Metrics()
    reads = Reads(ocr, settings, metrics)
    metrics.watch("waiting", "Requests that wait to be read.", lambda: reads.waiting)
    metrics.watch("running", "Documents that are being read.", lambda: reads.running)
    metrics.watch("engine_rows", "Pages or lines in the engine.", lambda: ocr.engine.running)
    jobs = Jobs(JobStore(settings.data), reads, settings)
    return State(ocr, model_name, settings, metrics, reads, Uploads(settings), jobs)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Jobs run, and what has expired is deleted, as long as the server does; then all is given back."""
    state: State = app.state.server
    cleaner = asyncio.create_task(_expire(state))
    state.jobs.start()
    try:
        yield
    finally:
        cleaner.cancel()
        with suppress(asyncio.CancelledError):
            await cleaner
        await state.jobs.stop()
        await asyncio.to_thread(state.reads.close)
        state.jobs.store.close()
        state.uploads.close()
        await asyncio.to_thread(state.ocr.close)


def _pass_through(app: FastAPI, state: State, keys: Keys, *, insecure_open: bool) -> None:
    """What a request passes before its route; the last one added comes first."""
    settings, metrics = state.settings, state.metrics
    app.add_middleware(BodyLimit, settings=settings, metrics=metrics)
    app.add_middleware(Guard, keys=keys, settings=settings, metrics=metrics, open=insecure_open)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["X-Request-Id", "X-Problems", "Retry-After"],
        )
    app.add_middleware(Observed, metrics=metrics)


async def _expire(state: State) -> None:
    while True:
        await asyncio.sleep(_EXPIRE)
        state.uploads.expire()
        state.jobs.expire()
        state.reads.free()
