"""`GET /`: the page that people use, and its files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from ..problems import Problem

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parents[1] / "page"


@router.get("/")
async def page() -> Response:
    """The page itself."""
    file = FOLDER / "index.html"
    if not file.is_file():
        raise Problem(404, "This installation has no page.")
    return FileResponse(file, headers={"Cache-Control": "no-cache"})
