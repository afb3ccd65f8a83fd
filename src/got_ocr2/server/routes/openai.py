"""`/v1/chat/completions` and `/v1/models`, as OpenAI's clients use them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal

from fastapi import APIRouter, Response
from starlette.requests import Request

from ...errors import GotOcr2Error
from ...reading import TextToken
from ...results import PageResult
from ..api.chat import chunk, logprobs_of, task_of
from ..api.chat_shapes import Answer, ChatBody, Choice, Completion, Logprobs, Model, Models, Usage
from ..api.shapes import errors, reading_errors
from ..api.streaming import Pieces, unless_vanished
from ..problems import Problem, of_exception, of_page
from ..reads import Event, PageDone, Task, Text
from ..state import Owner, Server, State

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
    answer = _Answer(body, server, task)
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

    def __init__(self, body: ChatBody, server: State, task: Task) -> None:
        assert task.end is not None
        self._body = body
        self._server = server
        self._end = task.end
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())
        self._results: list[PageResult] = []

    async def whole(self, events: AsyncGenerator[Event, None]) -> Completion:
        """All of it."""
        pieces = [piece async for piece in self._texts(events)]
        return Completion(
            id=self._id,
            created=self._created,
            model=self._server.model_name,
            choices=[
                Choice(
                    message=Answer(content="".join(piece.text for piece in pieces)),
                    finish_reason=self._finish_reason,
                    logprobs=self._logprobs([token for piece in pieces for token in piece.tokens]),
                )
            ],
            usage=self._usage,
        )

    async def sent(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """Server-sent events, the last of them "[DONE]" or an error."""
        texts = self._texts(events)
        try:
            yield self._event({"role": "assistant", "content": ""})
            async for piece in texts:
                found = self._logprobs(piece.tokens)
                yield self._event(
                    {"content": piece.text}, logprobs=None if found is None else found.model_dump()
                )
            yield self._event({}, finish_reason=self._finish_reason)
            if self._body.stream_options is not None and self._body.stream_options.include_usage:
                yield self._event(None, usage=self._usage.model_dump())
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
    def _usage(self) -> Usage:
        prompt, written = sum(result.prompt_tokens for result in self._results), self._end.used
        return Usage(prompt_tokens=prompt, completion_tokens=written, total_tokens=prompt + written)

    @property
    def _finish_reason(self) -> Literal["stop", "length"]:
        # A page may end too early by itself, at a limit of its own or where the model repeated itself.
        cut = any(result.status in ("truncated", "looped") for result in self._results)
        return self._end.reason or ("length" if cut else "stop")

    def _logprobs(self, tokens: Sequence[TextToken]) -> Logprobs | None:
        return logprobs_of(tokens, self._server.ocr.processor.tokenizer) if self._body.logprobs else None

    async def _texts(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Text, None]:
        """The text in pieces.

        Raises:
            Problem: a page failed.
        """
        try:
            async for event in events:
                if isinstance(event, Text):
                    yield event
                elif isinstance(event, PageDone):
                    if event.result.error is not None:
                        raise of_page(event.result.error)
                    self._results.append(event.result)
        finally:
            await events.aclose()
