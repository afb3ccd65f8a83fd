"""What all routes share, and how they get at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from ..ocr import OCR
from .jobs import Jobs
from .metrics import Metrics
from .reads import Reads
from .settings import Settings
from .stores.uploads import Uploads


@dataclass(frozen=True)
class State:
    """One server.

    Attributes:
        ocr: the model that reads; its engine has a thread of its own.
        model_name: what clients call it.
        settings: its limits.
        metrics, reads, uploads, jobs: see their files.
    """

    ocr: OCR
    model_name: str
    settings: Settings
    metrics: Metrics
    reads: Reads
    uploads: Uploads
    jobs: Jobs


def _state(request: Request) -> State:
    return request.app.state.server


def _owner(request: Request) -> str:
    return request.scope["state"]["key"]


Server = Annotated[State, Depends(_state)]
Owner = Annotated[str, Depends(_owner)]
"""Name of the API key of the request; files and jobs of one are not shown to others."""
