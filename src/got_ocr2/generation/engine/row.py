"""A page inside the engine: where it stands in the arena, and what its new tokens lead to."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from torch import Tensor

from ...errors import GotOcr2Error
from ..rules.options import GenerationOptions
from ..rules.random_draws import OwnDraws
from ..rules.sampling import NO_TOKEN
from ..rules.stopping import FinishReason, RowEnd
from .requests import Alternatives, Handle, NewToken, Request
from .runner import RowInput, Span


class Row:
    """One page, from its submission to its end.

    Attributes:
        handle: the caller's view of it.
        prompt: tokens of the prompt.
        limit: most new tokens.
        flow: as in `Request`.
        options: how its tokens are chosen; a watch may exchange them.
        pixels: its pictures, until they are encoded.
        features: `(image tokens, hidden)`, from there until the prompt is in the arena.
        span: its positions, once it is admitted.
        stored: positions of the span that hold a token, those in flight included.
        chosen: new tokens so far, those in flight included.
        top: most probable tokens to record at each place.
        ended: it takes no more tokens.
    """

    def __init__(self, request: Request, handle: Handle) -> None:
        self.handle = handle
        self.prompt = len(request.ids)
        self.limit = request.max_new_tokens
        self.flow = request.flow
        self.options: GenerationOptions = request.options
        self.draws = request.draws or OwnDraws()
        self.ids: Sequence[int] = request.ids  # the prompt, until it is on the tape
        self.pixels: Tensor | None = request.pixel_values
        self.features: Tensor | None = None
        self.span = Span(0, 1)
        self.stored = 0
        self.chosen = 0
        self.ended = False
        self.new: list[int] = []  # new tokens that are known
        self._end = RowEnd(request.options, request.max_new_tokens, request.tokenizer)
        self._watch = request.watch
        self._drafter = request.drafter
        self._most_drafted = request.most_drafted
        self.top = request.top
        self._deadline = request.deadline
        self._admitted = 0.0
        self._name = request.name

    @property
    def drafts(self) -> bool:
        """Whether tokens may be drafted for it: its known tokens must be all there are."""
        return self._drafter is not None and not self.options.do_sample

    def admit(self, span: Span) -> None:
        """The page runs from now on."""
        self.span = span
        self._admitted = monotonic()
        self.handle.admitted()

    def draft(self) -> list[int]:
        """Tokens to verify at the next step, not beyond the most that the row may gain."""
        room = min(self._most_drafted, self.limit - self.chosen - 1)
        if self._drafter is None or not self.drafts or not self.stored or room < 1:
            return []
        return self._drafter.propose(self.new, room)[:room]

    def input(self, drafted: int) -> RowInput:
        """Its part of the next step: the prompt, or its last token and `drafted` more."""
        if not self.stored:
            return RowInput(self.span, 0, self.prompt, 1, self.features)
        return RowInput(self.span, self.stored, 1 + drafted, 1 + drafted)

    def launched(self, part: RowInput) -> None:
        """The step with `part` has been launched; of several tokens only one is sure to stay."""
        self.stored += part.tokens - part.wanted + 1
        self.chosen += 1
        self.features = None

    def verified(self, drafted: int, kept: int) -> None:
        """Of `drafted` tokens the model wrote the first `kept` too, and one more."""
        self.stored += kept
        self.chosen += kept
        self.handle.verified(drafted, kept)
        if self._drafter is not None:
            self._drafter.accepted(drafted, kept)

    def take(
        self,
        tokens: Sequence[int],
        logprobs: Sequence[float],
        scores: Tensor | None,
        top: Sequence[Alternatives],
    ) -> None:
        """Takes new tokens until the row ends; what comes after its end is dropped.

        Args:
            tokens, logprobs: `(n,)`.
            scores: `(n, vocabulary)`, or None.
            top: `(n,)`, or none.

        Raises:
            GotOcr2Error: there was no token to choose.
        """
        reason: FinishReason | None = None
        taken: list[NewToken] = []
        for place, (token, logprob) in enumerate(zip(tokens, logprobs, strict=True)):
            index = len(self.new)
            if token == NO_TOKEN:
                raise GotOcr2Error(
                    f"{self._name} has no token to choose at step {index}: its scores are not finite (is the "
                    "dtype too narrow for this model?), or the options forbid every token."
                )
            self.new.append(token)
            reason = self._end.push(token)
            own = None if scores is None else scores[place]
            taken.append(NewToken(index, token, logprob, reason, own, top[place] if top else ()))
            if reason is not None:
                break
        reason = reason or self._judged([new.token for new in taken])
        for new in taken[:-1]:
            self.handle.grew(new)
        last = taken[-1]
        self.handle.grew(NewToken(last.index, last.token, last.logprob, reason, last.scores, last.top))
        self.ended = reason is not None

    def leave(self) -> None:
        """Lets go of what the row no longer needs."""
        self.ended = True
        self.ids = ()
        self.pixels = self.features = None
        self.draws.leave()

    def _judged(self, tokens: Sequence[int]) -> FinishReason | None:
        """What the watch and the clock say of a row that goes on."""
        verdict = None if self._watch is None else self._watch(tokens)
        if isinstance(verdict, GenerationOptions):
            self.options, verdict = verdict, None
        if verdict is None and self._deadline is not None and monotonic() - self._admitted > self._deadline:
            return "deadline"
        return verdict
