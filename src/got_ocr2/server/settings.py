"""What a server takes from its clients, and where it keeps it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path

from ..documents import Limits
from ..errors import InvalidOptionError


def default_data() -> Path:
    """Where jobs and what users mended are kept: `$GOT_OCR2_DATA`, or a folder of the user's."""
    own = os.environ.get("GOT_OCR2_DATA")
    if own:
        return Path(own)
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "got-ocr2" / "serve"


@dataclass(frozen=True)
class Settings:
    """Limits of a server, each with the name that messages give it.

    Attributes:
        max_bytes: of one document, fetched or sent; a request may be a third larger, as base64 makes it.
        max_bytes_in_flight: of the bodies of all requests that are being answered.
        max_pixels: of one page, width x height.
        max_pages: of one document.
        max_tokens: most tokens that a request may ask for, a page.
        max_seconds: for which a request is read; then it ends with an error.
        max_running: documents that are read at a time.
        max_queue: requests that wait for that; more are refused with 503.
        pages_together: pages of one document that are in the engine at a time, as long as few documents are read.
        requests_per_minute: of one API key, or of one address where everybody is answered without keys: those that ask
            for work; more are refused with 429.
        fetch_seconds: in which an address must have been downloaded.
        fetch_private: addresses inside private networks and on this machine may be fetched.
        file_seconds: for which an upload is kept.
        files_bytes: of all uploads together.
        max_jobs: that are kept, finished ones included.
        max_documents: of one job.
        jobs_bytes: of all documents of jobs that are not read yet.
        job_seconds: for which a job that has ended is kept.
        drain_seconds: that running requests have to end once the server was told to stop.
        data: folder for what outlives the server.
        cors: origins of other web pages that may use the server, such as "https://example.org"; none by default.
        hosts: further names by which the server is called where no keys protect it, see `guard`.
    """

    max_bytes: int = 50_000_000
    max_bytes_in_flight: int = 500_000_000
    max_pixels: int = 40_000_000
    max_pages: int = 500
    max_tokens: int = 8192
    max_seconds: float = 600.0
    max_running: int = 24
    max_queue: int = 256
    pages_together: int = 4
    requests_per_minute: int = 600
    fetch_seconds: float = 30.0
    fetch_private: bool = False
    file_seconds: float = 3600.0
    files_bytes: int = 2_000_000_000
    max_jobs: int = 1000
    max_documents: int = 1000
    jobs_bytes: int = 10_000_000_000
    job_seconds: float = 7 * 86_400.0
    drain_seconds: float = 30.0
    data: Path = field(default_factory=default_data)
    cors: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, int | float) and not isinstance(value, bool) and not value > 0:
                raise InvalidOptionError(f"{one.name} must be above 0, got {value!r}.")

    @property
    def limits(self) -> Limits:
        """What is refused of a document."""
        seconds = self.fetch_seconds
        return Limits(self.max_bytes, self.max_pixels, self.max_pages, min(seconds, 10.0), seconds)
