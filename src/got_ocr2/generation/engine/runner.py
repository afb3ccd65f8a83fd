"""What the engine asks of a back end: one ragged forward pass over many pages at once.

The engine decides what happens at each step; a `Runner` does it: torch (`modeling.backends.torch_runner`), kernels of
our own, or CUDA graphs. Nothing else of a model is known to the engine.

**Arena.** Keys and values of all pages live in one arena of `capacity` positions, made by `allocate`; how it is
laid out is the runner's business. A page owns a contiguous `Span` of positions from its admission to its end:
its prompt and the most tokens it may gain. Position `p` of a page lies at `span.start + p`. A span that is given
to another page holds garbage at first; a row never sees a position that it has not stored itself.

**Ragged step.** A step is a list of `RowInput`, one for each page that takes part. Row i brings `tokens` new ids,
which stand at positions `past .. past + tokens - 1` of its span: 1 for a page that goes on, 1 + n to verify n
drafted tokens, the whole prompt for a page that begins. New token j of a row attends to positions
`0 .. past + j` of its own span, and its rotary position is `past + j`; keys and values of all new tokens are
stored. Linear layers may run over all `sum(tokens)` new tokens at once, `(sum tokens, hidden)`. Rows that go on
(past > 0) come first, rows that begin last. Storing a position twice is allowed: the later one counts (drafted
tokens that were refused, a step repeated after an error).

**Prompts with pictures.** The ids of a prompt hold the image token once for every feature; `RowInput.features`
has the features of that row's pictures in order, and feature k replaces the embedding of the row's k-th image
token. In a row without features the image token is a token like any other: a model may write it.

**Wanted scores.** Scores are returned after the last `wanted` new tokens of each row, row after row: 1 for a
prompt or a plain step, all of them to verify drafts. 0 is allowed (a part of a prompt).

**Hand-off without waiting.** Which token was chosen is known to the host late, or not at all, when the next step
is launched. The engine therefore keeps a tape on the runner's device, one int64 for each position of the arena:
it writes chosen ids to it and gathers the next `ids` from it, in stream order. So on an asynchronous device no
method here may wait for the device (no `.item()`, `.tolist()`, boolean indexing, pageable copies to the host);
rows, spans and lengths are host numbers and need none. The engine reads tokens one step late there (lag 1): a row
may be launched once more after its last token, and its span is then given away in stream order too.

Every method is called with inference mode on, by one thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Span:
    """Contiguous positions of the arena that one page owns.

    Attributes:
        start: first position, >= 0.
        size: number of positions, >= 1.
    """

    start: int
    size: int

    @property
    def end(self) -> int:
        """The position after the last one."""
        return self.start + self.size


@dataclass(frozen=True)
class RowInput:
    """One page's part of a step.

    Attributes:
        span: the page's positions.
        past: positions stored by earlier steps, 0 for a page that begins.
        tokens: new ids, >= 1; `past + tokens <= span.size`.
        wanted: after how many of the last new ids scores are wanted, `0 <= wanted <= tokens`.
        features: `(image tokens, hidden)` on the runner's device: what stands for the row's image tokens, in
            order, as many as there are; None if the row has no pictures. Only where `past` is 0.
    """

    span: Span
    past: int
    tokens: int
    wanted: int
    features: Tensor | None = None


@dataclass(frozen=True)
class Scores:
    """What a step gives. Its tensors may be overwritten by the next step: copy what must stay.

    Attributes:
        logits: `(sum wanted, vocabulary)` fp32 on the runner's device, rows in the order of the step.
        best: `(sum wanted,)` int64, what `sampling.greedy(logits)` gives (`NO_TOKEN` where the highest score is
            not finite), for runners that find it on the way; else None, and the engine looks itself.
        logprobs: `(sum wanted,)` fp32, the natural logarithm of the probability of `best`; set exactly if `best` is.
    """

    logits: Tensor
    best: Tensor | None = None
    logprobs: Tensor | None = None


class Runner(Protocol):
    """A model made ready to be stepped."""

    @property
    def device(self) -> torch.device:
        """Where ids are expected and scores are returned."""
        ...

    @property
    def bytes_per_position(self) -> int:
        """Bytes of the arena for one position: keys and values of all layers."""
        ...

    @property
    def capacity(self) -> int:
        """Positions in the arena; 0 before `allocate` and after `release`."""
        ...

    def allocate(self, positions: int) -> None:
        """Makes the arena, in place of an earlier one; memory is best touched only when it is used.

        Raises:
            InvalidOptionError: there is not that much memory; the message gives the bytes.
        """
        ...

    def release(self) -> None:
        """Gives the arena back; the runner may be allocated again."""
        ...

    def encode(self, pixel_values: Tensor) -> Tensor:
        """Pictures to what stands for them in a prompt.

        Args:
            pixel_values: `(pictures, C, H, W)`, normalised, on any device, of any floating type.

        Returns:
            `(pictures, image tokens, hidden)` on the runner's device; a tensor of its own, not a buffer.
        """
        ...

    def forward(self, ids: Tensor, rows: Sequence[RowInput]) -> Scores:
        """One step, as described at the top of this file.

        Should it raise, positions stored by earlier steps must be intact: the engine then tries every row alone,
        so that only the page that cannot be read fails.

        Args:
            ids: `(sum tokens,)` int64 on the runner's device, row after row.
            rows: at least one.
        """
        ...
