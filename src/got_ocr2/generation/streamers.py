"""Text as it is generated: to a stream, to a function, or to an iterator in another thread."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from typing import TYPE_CHECKING, TextIO

from ..errors import InvalidOptionError
from .protocols import HasTokenizer, Tokenizer
from .text_streams import open_stream

if TYPE_CHECKING:
    from torch import Tensor


class TextStreamer:
    """Shows one row's text as soon as its characters are whole, then a newline; HF's `TextStreamer`.

    HF's waits for whole words; this one holds back only unfinished characters. A subclass may override
    `on_finalized_text`, as with HF's.

    Args:
        tokenizer: a tokenizer, or the processor that has one.
        skip_prompt: leave the prompt out.
        skip_special_tokens: leave tokens such as `<|im_end|>` out.
        on_text: called with each new piece of text (never empty), instead of writing to `stream`; it gets no
            newline at the end.
        stream: where to write; the default is `sys.stdout` as it is when the text comes.
    """

    def __init__(
        self,
        tokenizer: Tokenizer | HasTokenizer,
        skip_prompt: bool = False,
        *,
        skip_special_tokens: bool = False,
        on_text: Callable[[str], object] | None = None,
        stream: TextIO | None = None,
    ) -> None:
        if on_text is not None and stream is not None:
            raise InvalidOptionError("A streamer takes on_text or stream, not both.")
        self.skip_prompt = skip_prompt
        self._text = open_stream(tokenizer, skip_special_tokens=skip_special_tokens)
        self._on_text = on_text
        self._stream = stream
        self._prompt_comes = True

    def put(self, value: Tensor) -> None:
        """Takes the prompt `(1, T)` or `(T,)` first, then new ids `(1,)`.

        Raises:
            InvalidOptionError: there is more than one row.
        """
        is_prompt, self._prompt_comes = self._prompt_comes, False
        rows = value.shape[0] if value.ndim > 1 or not is_prompt else 1
        if rows != 1:
            raise InvalidOptionError(f"A text streamer shows one row, but the batch has {rows}.")
        if is_prompt and self.skip_prompt:
            return
        text = "".join(self._text.put(int(i)) for i in value.flatten())
        if text:
            self.on_finalized_text(text)

    def end(self) -> None:
        """Shows what was held back and ends the line; the streamer can then be used again."""
        self._prompt_comes = True
        self.on_finalized_text(self._text.end(), stream_end=True)

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Gives out a piece of text; the last one, with `stream_end`, may be empty."""
        if self._on_text is not None:
            if text:
                self._on_text(text)
            return
        stream = sys.stdout if self._stream is None else self._stream
        stream.write(text + "\n" if stream_end else text)
        stream.flush()


class TextIteratorStreamer(TextStreamer):
    """Gives the text to whoever iterates over it while `generate` runs in another thread, like HF's.

    The iteration ends when the generation does, also if it fails; the error is raised where `generate` was
    called.

    Args:
        tokenizer, skip_prompt, skip_special_tokens: as for `TextStreamer`.
        timeout: seconds to wait for the next piece before `TimeoutError`; None waits for ever.
    """

    def __init__(
        self,
        tokenizer: Tokenizer | HasTokenizer,
        skip_prompt: bool = False,
        timeout: float | None = None,
        *,
        skip_special_tokens: bool = False,
    ) -> None:
        super().__init__(tokenizer, skip_prompt, skip_special_tokens=skip_special_tokens)
        self.timeout = timeout
        self._pieces: Queue[str | None] = Queue()

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        if text:
            self._pieces.put(text)
        if stream_end:
            self._pieces.put(None)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            piece = self._pieces.get(timeout=self.timeout)
        except Empty:
            raise TimeoutError(f"No text came for {self.timeout} seconds.") from None
        if piece is None:
            raise StopIteration
        return piece
