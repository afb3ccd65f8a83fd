"""When a row ends, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ...errors import InvalidOptionError
from ..protocols import Tokenizer
from ..text_streams import open_stream
from .options import GenerationOptions

FinishReason = Literal["stop", "stop_string", "length", "looped", "deadline"]
"""Why a row ended: `"stop"`, an end token came; `"stop_string"`, a stop string is in its text; `"length"`, it has
as many tokens as it may; `"looped"`, whoever watched it saw it repeat itself; `"deadline"`, its time was over."""


class StopStrings:
    """Watches the new text of one row for stop strings.

    A row ends at the first token after which its new text holds one of the strings: the string may lie
    anywhere, span tokens, and begin or end inside a token. The prompt is not new text. Special tokens count
    as their names, so `"<|im_end|>"` works. The tokens that hold the string stay in the row, as in HF's
    `StopStringCriteria`.

    A call decodes one token and looks at it and at as much text before it as a stop string may reach into.
    """

    def __init__(self, strings: Sequence[str], tokenizer: Tokenizer) -> None:
        self._strings = tuple(strings)
        self._text = open_stream(tokenizer, skip_special_tokens=False)
        self._overlap = max(map(len, self._strings)) - 1
        self._tail = ""

    def push(self, token: int) -> bool:
        """Adds the row's next token; says whether a stop string is there now."""
        window = self._tail + self._text.put(token)
        self._tail = window[max(0, len(window) - self._overlap) :]
        return any(string in window for string in self._strings)


class RowEnd:
    """Follows one row to its end.

    An end token wins over a stop string that it completes, and both win over the length.

    Args:
        options: its `eos_token_id` and `stop_strings` end the row.
        max_new_tokens: tokens after which the row ends anyway.
        tokenizer: needed for stop strings only.

    Raises:
        InvalidOptionError: stop strings without a tokenizer.
    """

    def __init__(self, options: GenerationOptions, max_new_tokens: int, tokenizer: Tokenizer | None) -> None:
        if options.stop_strings and tokenizer is None:
            raise InvalidOptionError(
                f"stop_strings={list(options.stop_strings)!r} need the tokenizer: pass "
                "tokenizer=processor.tokenizer."
            )
        self._end_tokens = frozenset(options.eos_token_id)
        self._tokens_left = max_new_tokens
        self._watcher: StopStrings | None = None
        if options.stop_strings and tokenizer is not None:
            self._watcher = StopStrings(options.stop_strings, tokenizer)

    def push(self, token: int) -> FinishReason | None:
        """Adds the row's next token; says why the row ends with it, or None if it goes on."""
        self._tokens_left -= 1
        found = self._watcher is not None and self._watcher.push(token)
        if token in self._end_tokens:
            return "stop"
        if found:
            return "stop_string"
        return "length" if self._tokens_left == 0 else None
