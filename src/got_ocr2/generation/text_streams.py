"""From whatever a caller passes as tokenizer to a stream of text."""

from __future__ import annotations

from ..errors import InvalidOptionError
from .protocols import HasTokenizer, TextStream, Tokenizer


def open_stream(tokenizer: Tokenizer | HasTokenizer, *, skip_special_tokens: bool) -> TextStream:
    """A fresh stream that turns ids into text, one at a time, and never shows half a character.

    Args:
        tokenizer: a tokenizer, or the processor that has one.
        skip_special_tokens: leave tokens such as `<|im_end|>` out of the text.

    Raises:
        InvalidOptionError: it is neither.
    """
    found = getattr(tokenizer, "tokenizer", tokenizer)
    opens = getattr(found, "decode_stream", None)
    if opens is None:
        raise InvalidOptionError(
            f"{type(found).__name__} has no decode_stream: pass processor.tokenizer, a GotOcr2Tokenizer."
        )
    return opens(skip_special_tokens=skip_special_tokens)
