"""`GET /`: the page that people use, and its files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from ..problems import Problem

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parents[1] / "page"
# Pictures are data of the page's own; styles are set by its scripts. A rendered text is in a frame without scripts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


@router.get("/")
async def page() -> Response:
    """The page itself."""
    file = FOLDER / "index.html"
    if not file.is_file():
        raise Problem(404, "This installation has no page.")
    return FileResponse(file, headers=HEADERS)
