"""From a chat request to a task, and from what is read to OpenAI's words for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidOptionError
from ..processing import GotOcr2Tokenizer
from ..results import PageResult
from .chat_shapes import ChatBody, FilePart, ImagePart, Logprob, TextPart, Usage
from .given import Given, at_address, in_base64, uploaded
from .options import read_options
from .problems import Problem
from .prompts import asked
from .reads import Task
from .shapes import Options
from .state import State


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
            elif isinstance(part, TextPart):
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
    tokens = body.max_completion_tokens or body.max_tokens
    if tokens is not None:
        # Programs ask for as much as other models can write; none of that may be a reason to refuse.
        options["max_new_tokens"] = min(tokens, server.settings.max_tokens)
    if server.ocr.processor.reads == "lines" and options["max_new_tokens"] is not None:
        options["max_new_tokens"] = None  # there it would be the limit of a line; `TokenLimit` counts instead
    if body.logprobs and options["confidence"] in ("page", "line"):
        options["confidence"] = "word"
    thousandths = said.thousandths if options["box"] is None else None
    if thousandths is not None:
        x1, y1, x2, y2 = thousandths
        if x1 >= x2 or y1 >= y2 or max(thousandths) > 1000:
            raise InvalidOptionError(
                f"The box {[round(n) for n in thousandths]} of a prompt is x1, y1, x2, y2 in thousandths, with "
                "x1 < x2 and y1 < y2."
            )
    return Task(documents, read_options(Options(**options), server.settings), thousandths)


def _document(part: ImagePart | FilePart, server: State, owner: str) -> Given:
    if isinstance(part, ImagePart):
        return at_address(part.image_url.url, server.settings)
    file = part.file
    if (file.file_id is None) == (file.file_data is None):
        raise Problem(400, "A file part has either a file_id or file_data.", param="messages")
    if file.file_id is not None:
        return uploaded(server.uploads.get(file.file_id, owner))
    assert file.file_data is not None
    return in_base64(file.file_data, file.filename, server.settings.limits)


def stops_of(body: ChatBody) -> list[str]:
    """The stop strings.

    Raises:
        Problem: more than four.
    """
    stops = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if len(stops) > 4:
        raise Problem(400, f"There may be 4 stop strings, got {len(stops)}.", param="stop")
    return stops


@dataclass
class Collected:
    """What the pages of a request have come to.

    Attributes:
        results: of the pages so far.
        written: tokens that were given out, where the text was cut; None for all of the pages'.
    """

    results: list[PageResult] = field(default_factory=list[PageResult])
    written: int | None = None

    @property
    def usage(self) -> Usage:
        """Tokens given to the model and written by it."""
        prompt = sum(result.prompt_tokens for result in self.results)
        written = sum(result.tokens for result in self.results) if self.written is None else self.written
        return Usage(prompt_tokens=prompt, completion_tokens=written, total_tokens=prompt + written)

    @property
    def cut(self) -> bool:
        """Whether a page ends too early, at a limit or where the model repeated itself."""
        return any(result.status in ("truncated", "looped") for result in self.results)


class TokenLimit:
    """A text in pieces, up to so many tokens.

    Attributes:
        used: tokens so far.
        full: there were more than the limit.
    """

    def __init__(self, limit: int | None, tokenizer: GotOcr2Tokenizer) -> None:
        self._limit = limit
        self._tokenizer = tokenizer
        self.used = 0
        self.full = False

    def put(self, piece: str) -> str:
        """The piece, or as much of it as there is room for."""
        if self._limit is None or not piece:
            return piece
        ids = self._tokenizer.encode(piece)
        room = self._limit - self.used
        self.full = self.full or len(ids) > room
        self.used += min(len(ids), room)
        if len(ids) <= room:
            return piece
        stream = self._tokenizer.decode_stream()
        return "".join(map(stream.put, ids[:room]))


def logprobs_of(result: PageResult, text: str, separator: str) -> list[Logprob]:
    """Every word of a page, with what stands before it, as one "token" with the logarithm of its probability.

    Args:
        result: read with confidences of words.
        text: the separator and the page's text, perhaps cut.
        separator: what stands before the page's text.
    """
    found, at = list[Logprob](), 0
    for word in result.words or ():
        end = min(word.end + len(separator), len(text))
        if end <= at:
            break
        found.append(_logprob(text[at:end], word.confidence))
        at = end
    if at < len(text) and found:
        last = found.pop()
        found.append(_logprob(last.token + text[at:], math.exp(last.logprob)))
    return found


def _logprob(token: str, confidence: float) -> Logprob:
    return Logprob(token=token, logprob=math.log(max(confidence, 1e-30)), bytes=list(token.encode()))


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
