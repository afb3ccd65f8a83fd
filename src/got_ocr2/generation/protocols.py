"""What generation asks of its neighbours, so that it imports neither the model nor the tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor

from ..config import GotOcr2Config


class ForwardOutput(Protocol):
    """Result of one forward pass."""

    @property
    def logits(self) -> Tensor:
        """`(batch, kept positions, vocabulary)`."""
        ...

    @property
    def past_key_values(self) -> Any:
        """The cache that the pass filled, to be handed back at the next one; None without a cache."""
        ...


class LanguageModel(Protocol):
    """A model that can be called for logits: `modeling.GotOcr2ForConditionalGeneration` or a stand-in."""

    config: GotOcr2Config

    def __call__(
        self,
        *,
        input_ids: Tensor,
        pixel_values: Tensor | None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool = False,
        logits_to_keep: int = 0,
    ) -> ForwardOutput:
        """One forward pass, as `GotOcr2ForConditionalGeneration.forward` describes it."""
        ...


class TextStream(Protocol):
    """Ids to text, one at a time: `processing.DecodeStream`."""

    def put(self, token_id: int) -> str:
        """Takes the next id; returns the characters it completes."""
        ...

    def end(self) -> str:
        """No more ids: returns what was left unfinished. The stream can then start afresh."""
        ...


class Tokenizer(Protocol):
    """What stop strings and streamers need: `processing.GotOcr2Tokenizer`."""

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = ...) -> str:
        """Ids to text; an unfinished character at the end shows as U+FFFD."""
        ...

    def decode_stream(self, skip_special_tokens: bool = ...) -> TextStream:
        """A fresh stream; its pieces, joined, are what `decode` gives."""
        ...


class HasTokenizer(Protocol):
    """A processor."""

    @property
    def tokenizer(self) -> Tokenizer: ...


class Streamer(Protocol):
    """Receives a generation as it happens; transformers' streamers fit too."""

    def put(self, value: Tensor) -> None:
        """Takes the prompt `(batch, T)` first, then the new ids `(batch,)` of each step; int64 on the CPU."""
        ...

    def end(self) -> None:
        """Called once, after the last step or after a failure."""
        ...
