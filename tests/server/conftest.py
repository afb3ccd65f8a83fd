"""Servers with limits of the test's own, and pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from live_server import Live, live, slowed

from fake_ocr import Answer, fake_ocr, size_of
from got_ocr2.server.auth import Keys
from got_ocr2.server.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[..., Live]]:
    """`serve(answer, keys=..., max_queue=1)`: a server; its limits are keyword arguments."""
    with ExitStack() as stack:

        def start(
            answer: Answer = size_of,
            keys: Keys | None = None,
            reads: str = "pages",
            open: bool = False,
            slow: float = 0,
            logprob: float | None = None,
            **limits: Any,
        ) -> Live:
            ocr = fake_ocr(answer, threaded=True, reads=reads, logprob=logprob)
            if slow:
                slowed(ocr, slow)
            return stack.enter_context(live(ocr, replace(settings, **limits), keys, insecure_open=open))

        yield start


@pytest.fixture
def png() -> Callable[..., bytes]:
    """`png(5, 4)`: a picture of that size that is not blank; more sizes make more pages, of a TIFF."""

    def make(*sides: int) -> bytes:
        first, *rest = (Image.new("RGB", size) for size in zip(sides[::2], sides[1::2], strict=True))
        for image in (first, *rest):
            image.putpixel((0, 0), (255, 255, 255))
        out = io.BytesIO()
        if rest:
            first.save(out, "TIFF", save_all=True, append_images=rest)
        else:
            first.save(out, "PNG")
        return out.getvalue()

    return make
