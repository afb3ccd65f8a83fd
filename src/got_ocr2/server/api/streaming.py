"""Answers in pieces, and clients that go away before they have them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_T = TypeVar("_T")


class VanishedError(Exception):
    """The client has gone; there is nobody to answer."""


class Pieces(StreamingResponse):
    """A streamed answer whose generator is closed as soon as the client has gone."""

    def __init__(self, pieces: AsyncGenerator[str, None], media_type: str) -> None:
        super().__init__(pieces, media_type=media_type, headers={"X-Accel-Buffering": "no"})
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._pieces.aclose()


async def unless_vanished(request: Request, work: Awaitable[_T]) -> _T:
    """Waits for some work, but cancels it when the client goes away.

    Raises:
        VanishedError: it has gone.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise VanishedError
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
