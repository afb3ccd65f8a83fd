"""One try at a unit in the engine: its tokens as they come, and the text that they spell."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..results import FinishReason, Request, Status
from .loop_watch import LoopWatch
from .text_tokens import TextToken, TokenBytes

if TYPE_CHECKING:
    from ..generation.engine.requests import Generation, Handle
    from ..generation.engine.requests import Request as Prompt
    from ..generation.rules.repetition import Loop
    from ..processing import GotOcr2Tokenizer


@dataclass(frozen=True)
class Beginning:
    """Tokens that were written before, and that a try goes on from.

    Attributes:
        tokens, logprobs: of the text so far.
        dropped: tokens that were left out after them, because they repeat what stands there.
    """

    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    dropped: int = 0


class Attempt:
    """A prompt in the engine.

    Attributes:
        asked: what the model was asked.
        prompt: the request that the engine was given.
        prompt_tokens: tokens of the question, without what was written before.
        beginning: what the text begins with.
        handle: the engine's view of it.
        prepared: seconds of work before it was submitted.
    """

    def __init__(
        self,
        asked: Request,
        prompt: Prompt,
        beginning: Beginning,
        tokenizer: GotOcr2Tokenizer,
        handle: Handle,
        prepared: float,
    ) -> None:
        self.asked = asked
        self.prompt = prompt
        self.prompt_tokens = len(prompt.ids) - len(beginning.tokens)
        self.beginning = beginning
        self.handle = handle
        self.prepared = prepared
        self._tokenizer = tokenizer
        self._stream = tokenizer.decode_stream()
        self._text = "".join(map(self._stream.put, beginning.tokens))
        self._read = 0  # new tokens whose characters are in the text

    def forget_pictures(self) -> None:
        """There will be no other try with them."""
        self.prompt = dataclasses.replace(self.prompt, pixel_values=None)

    @property
    def loop(self) -> Loop | None:
        """The repetition that ended the try; its numbers count the beginning too."""
        watch = self.prompt.watch
        return watch.loop if isinstance(watch, LoopWatch) else None

    @property
    def grown(self) -> bool:
        """Whether there is text that nobody has looked at, or the try has ended."""
        return self.handle.done or self._certain > self._read

    def text_so_far(self) -> str:
        """The text, but for the end of it that may turn out to be the beginning of a loop."""
        self._read_until(self._certain)
        return self._text

    @property
    def _certain(self) -> int:
        """New tokens that will stay."""
        watch = self.prompt.watch
        if self.handle.done or not isinstance(watch, LoopWatch):
            return self.handle.tokens
        return min(self.handle.tokens, watch.certain - len(self.beginning.tokens))

    def _read_until(self, count: int) -> None:
        for index in range(self._read, count):
            self._text += self._stream.put(self.handle[index].token)
        self._read = max(self._read, count)

    def text_tokens(self, token_bytes: TokenBytes, start: int = 0) -> list[TextToken]:
        """The tokens that spell the text so far, the beginning included, from number `start` on.

        Raises:
            Exception: whatever the try failed with.
        """
        begun = self.beginning
        count = len(self.writing.tokens) if self.handle.done else len(begun.tokens) + self._certain
        found = [
            TextToken(token_bytes(token), logprob)
            for token, logprob in zip(begun.tokens[start:], begun.logprobs[start:], strict=True)
        ]
        for index in range(max(0, start - len(begun.tokens)), count - len(begun.tokens)):
            new = self.handle[index]
            if new.reason == "stop":  # the end token spells nothing
                break
            found.append(TextToken(token_bytes(new.token), new.logprob, new.top))
        return found

    @cached_property
    def writing(self) -> Writing:
        """What a try that has ended has written.

        Raises:
            Exception: whatever it failed with.
        """
        generation = self.handle.result()
        begun = self.beginning
        tokens, logprobs = begun.tokens + generation.tokens, begun.logprobs + generation.logprobs
        kept = len(tokens) if self.loop is None else self.loop.kept
        stream = self._tokenizer.decode_stream()
        text = "".join(map(stream.put, tokens[:kept]))
        if self.loop is None:  # where a loop was cut, half a character is dropped with the rest
            text += stream.end()
        dropped = begun.dropped + len(tokens) - kept
        return Writing(text, tokens[:kept], logprobs[:kept], dropped, generation)


@dataclass(frozen=True)
class Writing:
    """What a try has written.

    Attributes:
        text: what the tokens spell.
        tokens, logprobs: what is kept, the beginning included.
        dropped: tokens that were left out, because they repeat what stands before them.
        generation: the engine's account of it.
    """

    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    dropped: int
    generation: Generation

    @property
    def finish_reason(self) -> FinishReason:
        """In the words of results."""
        reason = self.generation.reason
        return "stop" if reason == "stop_string" else reason

    @property
    def status(self) -> Status:
        """Whether the text is all there is."""
        reason = self.finish_reason
        if reason == "looped":
            return "looped"
        if reason in ("length", "deadline"):
            return "truncated"
        return "complete" if self.text.strip() else "empty"

    @property
    def mean_logprob(self) -> float | None:
        """Over the tokens that are kept; None if it is not finite."""
        mean = math.fsum(self.logprobs) / len(self.logprobs) if self.logprobs else -math.inf
        return mean if math.isfinite(mean) else None
