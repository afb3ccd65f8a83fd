"""`/v1/chat/completions` and `/v1/models`, as OpenAI's clients use them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator
from typing import Any, Literal

from fastapi import APIRouter, Response
from starlette.requests import Request

from ...errors import GotOcr2Error
from ...results import PAGE_SEPARATOR
from ..chat import Collected, TokenLimit, chunk, logprobs_of, stops_of, task_of
from ..chat_shapes import Answer, ChatBody, Choice, Completion, Logprob, Logprobs, Model, Models
from ..problems import Problem, of_exception, of_page
from ..reads import Event, PageDone, Text
from ..shapes import errors, reading_errors
from ..state import Owner, Server, State
from ..stopping import Stopper
from ..streaming import Pieces, unless_vanished

router = APIRouter(prefix="/v1", tags=["openai"])
_STARTED = int(time.time())
EVENTS = "text/event-stream"


@router.get("/models", responses=errors(401, 403))
async def models(server: Server) -> Models:
    """The one model of this server."""
    return Models(data=[Model(id=server.model_name, created=_STARTED)])


@router.get("/models/{name:path}", responses=errors(401, 403, 404))
async def model(name: str, server: Server) -> Model:
    """The model, by its name."""
    if name != server.model_name:
        raise Problem(
            404, f"There is no model {name[:80]!r}; the one here is {server.model_name!r}.", param="model"
        )
    return Model(id=name, created=_STARTED)


@router.post(
    "/chat/completions",
    response_model=Completion,
    responses={
        200: {
            "description": "The text; with `stream`, pieces of it as server-sent events.",
            "content": {EVENTS: {"schema": {"type": "string"}}},
        },
        **reading_errors(),
    },
)
async def complete(body: ChatBody, request: Request, server: Server, owner: Owner) -> Response:
    """Reads the pictures and PDFs of the messages; the prompt's words choose the task."""
    task = task_of(body, server, owner)
    answer = _Answer(body, server, Stopper(stops_of(body)))
    server.reads.check(task.options)
    events = server.reads.events(task)
    if body.stream:
        # What cannot be opened is an error, not the beginning of an answer.
        await unless_vanished(request, anext(events))
        return Pieces(answer.sent(events), EVENTS)
    done = await unless_vanished(request, answer.whole(events))
    return Response(done.model_dump_json(), media_type="application/json")


class _Answer:
    """One answer, whole or in pieces."""

    def __init__(self, body: ChatBody, server: State, stopper: Stopper) -> None:
        self._body = body
        self._server = server
        self._stopper = stopper
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())
        processor = server.ocr.processor
        limit = body.max_completion_tokens or body.max_tokens
        # A reader of lines has no limit for a page, so its text is counted here.
        self._cut = TokenLimit(limit if processor.reads == "lines" else None, processor.tokenizer)
        self._collected = Collected()

    async def whole(self, events: AsyncGenerator[Event, None]) -> Completion:
        """All of it."""
        text, logprobs = "", list[Logprob]()
        async for piece, more in self._texts(events):
            text += piece
            logprobs += more
        return Completion(
            id=self._id,
            created=self._created,
            model=self._server.model_name,
            choices=[
                Choice(
                    message=Answer(content=text),
                    finish_reason=self._finish_reason,
                    logprobs=Logprobs(content=logprobs) if self._body.logprobs else None,
                )
            ],
            usage=self._collected.usage,
        )

    async def sent(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """Server-sent events, the last of them "[DONE]" or an error."""
        texts = self._texts(events)
        try:
            yield self._event({"role": "assistant", "content": ""})
            async for piece, logprobs in texts:
                found = Logprobs(content=logprobs).model_dump() if self._body.logprobs else None
                yield self._event({"content": piece}, logprobs=found)
            yield self._event({}, finish_reason=self._finish_reason)
            if self._body.stream_options is not None and self._body.stream_options.include_usage:
                yield self._event(None, usage=self._collected.usage.model_dump())
            yield "data: [DONE]\n\n"
        except (Problem, GotOcr2Error) as error:
            yield f"data: {json.dumps(of_exception(error).body, ensure_ascii=False)}\n\n"
        finally:
            await texts.aclose()
            await events.aclose()

    def _event(self, delta: dict[str, Any] | None, **more: Any) -> str:
        told = chunk(self._id, self._created, self._server.model_name, delta, **more)
        return f"data: {json.dumps(told, ensure_ascii=False)}\n\n"

    @property
    def _finish_reason(self) -> Literal["stop", "length"]:
        cut = self._cut.full or self._collected.cut
        return "length" if cut and not self._stopper.stopped else "stop"

    async def _texts(
        self, events: AsyncGenerator[Event, None]
    ) -> AsyncGenerator[tuple[str, list[Logprob]], None]:
        """The text in pieces; page by page with log-probabilities, where those are asked for.

        Raises:
            Problem: a page failed.
        """
        by_page, any_text, fresh = bool(self._body.logprobs), False, True
        try:
            async for event in events:
                if isinstance(event, PageDone):
                    if event.result.error is not None:
                        raise of_page(event.result.error)
                    self._collected.results.append(event.result)
                    fresh = True
                    if self._stopper.stopped:
                        return
                if isinstance(event, Text) and not by_page:
                    raw = event.text
                elif isinstance(event, PageDone) and by_page:
                    raw = event.result.text
                else:
                    continue
                separator = PAGE_SEPARATOR if raw and any_text and (fresh or by_page) else ""
                given = self._cut.put(self._stopper.put(separator + raw))
                if by_page and not self._stopper.stopped:
                    given += self._cut.put(self._stopper.end())
                any_text, fresh = any_text or bool(raw), fresh and not raw
                if given:
                    logprobs = (
                        logprobs_of(event.result, given, separator) if isinstance(event, PageDone) else []
                    )
                    yield given, logprobs
                if self._cut.full:
                    self._collected.written = self._cut.used
                    return
            if rest := self._cut.put(self._stopper.end()):
                yield rest, []
        finally:
            await events.aclose()
