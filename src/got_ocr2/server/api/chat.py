"""From a chat request to a task, and from what is read to OpenAI's words for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import InvalidOptionError
from ...processing import GotOcr2Tokenizer
from ...reading import TextToken, TextWishes
from ..problems import Problem
from ..reads import Task
from ..state import State
from .chat_shapes import ChatBody, FileContent, ImageContent, Logprob, Logprobs, TextContent, TopLogprob
from .given import Given, at_address, in_base64, uploaded
from .options import read_options
from .prompts import asked
from .shapes import Options
from .text_end import TextEnd

_LEAST = -9999.0  # OpenAI's number for what is all but impossible


def task_of(body: ChatBody, server: State, owner: str) -> Task:
    """What is to be read for a request.

    Raises:
        Problem: no picture, or an upload that is not there.
        GotOcr2Error: an option or address that cannot be met.
    """
    documents, words = list[Given](), ""
    for message in body.messages:
        if message.role not in ("user", "system", "developer"):
            continue
        text: list[str] = []
        parts = [message.content] if isinstance(message.content, str) else message.content or []
        for part in parts:
            if isinstance(part, str):
                text.append(part)
            elif isinstance(part, TextContent):
                text.append(part.text)
            else:
                documents.append(_document(part, server, owner))
        if message.role == "user" and text:
            words = " ".join(text)
    if not documents:
        raise Problem(400, "The messages hold no picture and no file to read.", param="messages")
    return _task(body, documents, words, server)


def _task(body: ChatBody, documents: list[Given], words: str, server: State) -> Task:
    said = asked(words)
    options = (body.options or Options()).model_dump()
    options |= {name: True for name in ("format", "multi_page", "crop") if getattr(said, name)}
    if said.color is not None:
        options["color"] = said.color
    for name in ("format", "box", "color", "crop", "multi_page", "pages", "temperature", "top_p", "seed"):
        if (value := getattr(body, name)) is not None:
            options[name] = value
    thousandths = said.thousandths if options["box"] is None else None
    if thousandths is not None:
        x1, y1, x2, y2 = thousandths
        if x1 >= x2 or y1 >= y2 or max(thousandths) > 1000:
            raise InvalidOptionError(
                f"The box {[round(n) for n in thousandths]} of a prompt is x1, y1, x2, y2 in thousandths, with "
                "x1 < x2 and y1 < y2."
            )
    reading = read_options(Options(**options), server.settings)
    by_lines = server.ocr.processor.reads == "lines" if reading.lines is None else reading.lines
    return Task(documents, reading, thousandths, _text_end(body, server, by_lines))


def _document(part: ImageContent | FileContent, server: State, owner: str) -> Given:
    if isinstance(part, ImageContent):
        return at_address(part.image_url.url, server.settings)
    file = part.file
    if (file.file_id is None) == (file.file_data is None):
        raise Problem(400, "A file part has either a file_id or file_data.", param="messages")
    if file.file_id is not None:
        return uploaded(server.uploads.get(file.file_id, owner))
    assert file.file_data is not None
    return in_base64(file.file_data, file.filename, server.settings.limits)


def _text_end(body: ChatBody, server: State, by_lines: bool) -> TextEnd:
    """Where the answer is to end, and what it is to tell.

    Raises:
        Problem: more than four stop strings, or alternatives without log-probabilities.
    """
    stops = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if len(stops) > 4:
        raise Problem(400, f"There may be 4 stop strings, got {len(stops)}.", param="stop")
    if body.top_logprobs and not body.logprobs:
        raise Problem(
            400, f"top_logprobs is {body.top_logprobs}; it needs logprobs to be true.", param="top_logprobs"
        )
    most = body.max_completion_tokens or body.max_tokens
    wishes = TextWishes(
        stops=tuple(stop for stop in stops if stop),
        # Programs ask for as much as other models can write; none of that may be a reason to refuse.
        max_tokens=None if most is None else min(most, server.settings.max_tokens),
        tokens=by_lines or most is not None or bool(body.logprobs),
        top=body.top_logprobs or 0,
    )
    return TextEnd(wishes, most=most, by_lines=by_lines)


def logprobs_of(tokens: Sequence[TextToken], tokenizer: GotOcr2Tokenizer) -> Logprobs:
    """Tokens in OpenAI's words; control tokens are left out."""
    return Logprobs(
        content=[
            Logprob(
                **_told(token.bytes, token.logprob),
                top_logprobs=[TopLogprob(**_alternative(id, p, tokenizer)) for id, p in token.top],
            )
            for token in tokens
            if token.bytes
        ]
    )


def _alternative(id: int, logprob: float, tokenizer: GotOcr2Tokenizer) -> dict[str, Any]:
    if bytes := tokenizer.token_bytes(id):
        return _told(bytes, logprob)
    return {"token": tokenizer.convert_ids_to_tokens(id), "logprob": max(logprob, _LEAST), "bytes": None}


def _told(bytes: bytes, logprob: float) -> dict[str, Any]:
    """A token by its characters; where its bytes are none, they are escaped, as OpenAI does it."""
    try:
        token = bytes.decode()
    except UnicodeDecodeError:
        token = "".join(f"\\x{byte:02x}" for byte in bytes)
    return {"token": token, "logprob": max(logprob, _LEAST), "bytes": list(bytes)}


def chunk(id: str, created: int, model: str, delta: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """One event of a streamed answer; without a delta it has no choice, as the last one with `usage` has."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}]
    body: dict[str, Any] = {
        "id": id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
        "choices": choices,
    }
    for name, value in more.items():
        if name in ("finish_reason", "logprobs"):
            choices[0][name] = value
        else:
            body[name] = value
    return body
