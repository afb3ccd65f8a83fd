"""`/health`, `/ready`, `/metrics`: is it alive, may it be sent requests, how is it doing."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel

from ..._version import __version__
from ..api.shapes import errors
from ..problems import Problem
from ..state import Server

router = APIRouter(tags=["monitoring"])


class Health(BaseModel):
    status: str
    version: str


class Ready(BaseModel):
    status: str
    model: str
    reads: str
    waiting: int
    running: int


@router.get("/health")
async def health() -> Health:
    """The process answers."""
    return Health(status="ok", version=__version__)


@router.get("/ready", responses=errors(503))
async def ready(server: Server) -> Ready:
    """The model is loaded, there is room in the queue, and the server is not about to end."""
    reads = server.reads
    if reads.draining or reads.full:
        said = "The server is about to end." if reads.draining else "The queue is full (max_queue)."
        raise Problem(503, said, retry_after=2)
    return Ready(
        status="ready",
        model=server.model_name,
        reads=server.ocr.processor.reads,
        waiting=reads.waiting,
        running=reads.running,
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **errors(401)},
)
async def metrics(server: Server) -> Response:
    """Queue, pages, tokens and times for Prometheus."""
    return Response(server.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
