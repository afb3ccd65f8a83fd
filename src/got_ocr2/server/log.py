"""The log: one JSON object a line, on standard error."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from pathlib import PurePath
from typing import Any

log = logging.getLogger("got_ocr2.server")


def prepare_log() -> None:
    """Shows it, and messages of uvicorn's own only where something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


def log_line(level: int, event: str, **fields: Any) -> None:
    """One JSON object on one line."""
    if log.isEnabledFor(level):
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        name = logging.getLevelName(level).lower()
        log.log(
            level, json.dumps({"time": when, "level": name, "event": event, **fields}, ensure_ascii=False)
        )


def log_failure(error: BaseException, request_id: str | None = None) -> None:
    """What nobody expected, without its message, which may hold names of files; GOT_OCR2_TRACEBACK=1 shows it all."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else None
    log_line(logging.ERROR, "failure", request_id=request_id, error=type(error).__name__, where=where)
    if os.environ.get("GOT_OCR2_TRACEBACK"):
        traceback.print_exception(error)
