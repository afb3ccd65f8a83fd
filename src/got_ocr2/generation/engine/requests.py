"""A page on its way through the engine: what is asked, and what comes of it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol, TypeAlias

from torch import Tensor

from ..drafting import Drafter
from ..protocols import Tokenizer
from ..rules.options import GenerationOptions
from ..rules.random_draws import Draws
from ..rules.stopping import FinishReason

Watch = Callable[[Sequence[int]], "FinishReason | GenerationOptions | None"]
"""Sees the new tokens of one row after every step, as long as the row goes on. It may end the row by returning the
reason, or return options whose rules hold from the next token on; how many tokens there may be, and what ends the
row, stays as it was."""


Alternatives: TypeAlias = tuple[tuple[int, float], ...]
"""Ids and log-probabilities of the tokens that the model finds most probable at one place, the best first."""


@dataclass(frozen=True, eq=False)
class Request:
    """One prompt and how it is to be continued.

    Attributes:
        ids: the prompt, at least one token; every image token stands for one feature of a picture.
        max_new_tokens: most tokens that it may gain, >= 1; the context of the model holds them and the prompt.
        options: how tokens are chosen and what ends the text; their own `max_new_tokens` does not count.
        pixel_values: `(pictures, C, H, W)`, the pictures of the prompt in order; None if it has none.
        tokenizer: needed for stop strings only.
        draws: random numbers for sampling, see `rules.random_draws`; None draws from torch's global generator.
        drafter: guesses how the text goes on; used where the best token is taken, not where one is drawn.
        most_drafted: most tokens drafted for one step, >= 0.
        watch: see `Watch`.
        deadline: seconds from admission after which the text ends where it is, > 0; None for no limit.
        top: most probable tokens that are recorded with every token, >= 0.
        flow: whose page it is: of the pages that wait, one of each flow enters in turn; None if it is alone.
        name: of the page, for messages.
    """

    ids: Sequence[int]
    max_new_tokens: int
    options: GenerationOptions = field(default_factory=GenerationOptions)
    pixel_values: Tensor | None = None
    tokenizer: Tokenizer | None = None
    draws: Draws | None = None
    drafter: Drafter | None = None
    most_drafted: int = 7
    watch: Watch | None = None
    deadline: float | None = None
    top: int = 0
    flow: Hashable = None
    name: str = "The page"


@dataclass(frozen=True)
class NewToken:
    """One token of a page.

    Attributes:
        index: 0 for the first new token.
        token: its id.
        logprob: natural logarithm of the probability that the model itself gave to it, before any rule.
        reason: why the page ended, on its last token; None on the others.
        scores: `(vocabulary,)` fp32 scores that it was chosen from, if `output_scores` asked for them.
        top: as many as the request's `top`, before any rule.
    """

    index: int
    token: int
    logprob: float
    reason: FinishReason | None
    scores: Tensor | None = None
    top: Alternatives = ()


@dataclass(frozen=True)
class Generation:
    """What a page has become.

    Attributes:
        tokens: its new ids, the end token included.
        logprobs: of each, as in `NewToken`.
        reason: why it ended.
        drafted, kept: tokens that were drafted and verified, and how many of those the model wrote too.
        waited: seconds from submission to admission.
        seconds: from admission to the end.
        first_token: seconds from admission to the first token.
        share: seconds of work: the time of a step counts for its pages in equal parts, so that the shares of all
            pages add up to the time in which the engine was at work.
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    reason: FinishReason
    drafted: int
    kept: int
    waited: float
    seconds: float
    first_token: float
    share: float


class Driver(Protocol):
    """What a handle asks of the engine."""

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> None: ...

    def cancel(self, handle: Handle) -> None: ...

    def finish(self, handle: Handle, reason: FinishReason) -> None: ...


class Handle:
    """A submitted page: look at it as it grows, wait for its end, or give it up.

    Any thread may use it. Where the engine has no thread of its own, whoever waits does the work.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._new: list[NewToken] = []
        self._callbacks: list[Callable[[Handle], object]] = []
        self._error: BaseException | None = None
        self._done = False
        self._submitted = monotonic()
        self._admitted: float | None = None
        self._first: float | None = None
        self._ended: float | None = None
        self._drafted = self._kept = 0
        self._share = 0.0

    @property
    def done(self) -> bool:
        """Whether the page has ended, failed or been cancelled."""
        return self._done

    @property
    def error(self) -> BaseException | None:
        """What the page failed with, a `CancelledError` if it was given up; None as long as it goes on or is well."""
        return self._error

    @property
    def tokens(self) -> int:
        """How many tokens there are so far."""
        return len(self._new)

    def __iter__(self) -> Iterator[NewToken]:
        """The page's tokens from the first on, as they come; raises what `result` raises."""
        index = 0
        while self.grown(index):
            yield self._new[index]
            index += 1
        if self._error is not None:
            raise self._error

    def __getitem__(self, index: int) -> NewToken:
        """Token `index` of those there are."""
        return self._new[index]

    def grown(self, index: int) -> bool:
        """Waits until the page has its token `index`, or has ended; says whether it has that token."""
        self._driver.wait(lambda: self._done or len(self._new) > index)
        return len(self._new) > index

    def result(self, timeout: float | None = None) -> Generation:
        """Waits for the end of the page.

        Args:
            timeout: seconds; None for no limit.

        Raises:
            TimeoutError: the page goes on after `timeout` seconds; it is not given up.
            CancelledError: the page was cancelled.
            GotOcr2Error: the page failed, or the engine was closed. Other errors are those of the back end.
        """
        self._driver.wait(lambda: self._done, timeout)
        if self._error is not None:
            raise self._error
        last = self._new[-1]
        assert last.reason is not None
        assert self._admitted is not None
        assert self._ended is not None
        return Generation(
            tokens=tuple(new.token for new in self._new),
            logprobs=tuple(new.logprob for new in self._new),
            reason=last.reason,
            drafted=self._drafted,
            kept=self._kept,
            waited=self._admitted - self._submitted,
            seconds=self._ended - self._admitted,
            first_token=(self._first or self._ended) - self._admitted,
            share=self._share,
        )

    def cancel(self) -> None:
        """Gives the page up, if it has not ended; what it held is free at the next step at the latest."""
        self._driver.cancel(self)

    def finish(self, reason: FinishReason) -> None:
        """Ends the page where it is, if it has not ended: `result` gives what it has written, with this reason.

        What it held is free at the next step at the latest. A page that has written nothing is cancelled.
        """
        self._driver.finish(self, reason)

    def add_done_callback(self, callback: Callable[[Handle], object]) -> None:
        """Calls `callback(handle)` when the page has ended, failed or been cancelled; at once if it has.

        It is called between two steps, by the thread that does the work, and must not wait for a page. Should it
        raise, the error is logged.
        """
        self._callbacks.append(callback)
        if self._done:
            self._call_back()

    # --- the engine's side: one thread at a time ---

    def admitted(self) -> None:
        """The page runs from now on."""
        self._admitted = monotonic()

    def grew(self, new: NewToken) -> None:
        """One more token."""
        if self._first is None:
            self._first = monotonic()
        self._new.append(new)

    def worked(self, seconds: float) -> None:
        """Time was spent on the page; see `Generation.share`."""
        self._share += seconds

    def verified(self, drafted: int, kept: int) -> None:
        """Drafted tokens were verified."""
        self._drafted += drafted
        self._kept += kept

    def finished(self, reason: FinishReason) -> None:
        """Its last token is the last one of the page."""
        self._new[-1] = dataclasses.replace(self._new[-1], reason=reason)

    def ended(self, error: BaseException | None = None) -> None:
        """The page has ended, failed with `error`, or been cancelled (`CancelledError`)."""
        self._ended = monotonic()
        self._error = error
        self._done = True
        self._call_back()

    def _call_back(self) -> None:
        while self._callbacks:
            callback = self._callbacks.pop(0)
            try:
                callback(self)
            except Exception:
                logging.getLogger(__name__).exception("A callback of a finished page failed.")
