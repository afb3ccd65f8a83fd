"""How many tokens are worth drafting, judged by how many were kept lately."""

from __future__ import annotations

# One more row in a pass of the quantised CPU kernels takes about this share of a pass with one row.
TOKEN_COST = 0.07

_MEMORY = 0.9  # weight of what is known when another draft is judged: about ten drafts count
_MOST = (
    24.0  # trials that are remembered, so that a long run of right drafts is forgotten as fast as a short one
)
_FORGET = 0.98  # the same each time a length is asked for, so that a drafter that fell silent tries again


class Pace:
    """Estimates the chance that a drafted token is kept, and the draft length that pays best with it.

    With a chance p for each token, a draft of k tokens brings 1 + p + ... + p^k tokens for 1 + k * cost passes;
    the best length grows as long as the next token brings more than the pass has brought so far for its cost.
    """

    def __init__(self, chance: float = 0.6, cost: float = TOKEN_COST) -> None:
        """Args:
        chance: expected before anything is known, in (0, 1).
        cost: of one drafted token, as a share of a pass without drafts, > 0.
        """
        self._prior = chance
        self._cost = cost
        self._kept = 0.0
        self._tried = 0.0

    @property
    def chance(self) -> float:
        """The estimate: kept among tried tokens of late, with the first guess counting as one trial."""
        return (self._kept + self._prior) / (self._tried + 1)

    def length(self, limit: int) -> int:
        """Tokens to draft now, `0 .. limit`."""
        self._kept *= _FORGET
        self._tried *= _FORGET
        chance = self.chance
        count, tokens, work, next_one = 0, 1.0, 1.0, chance
        while count < limit and next_one * work > self._cost * tokens:
            count += 1
            tokens += next_one
            work += self._cost
            next_one *= chance
        return count

    def update(self, proposed: int, kept: int) -> None:
        """Learns from a verified draft; the tokens after the first wrong one say nothing."""
        kept_now = self._kept * _MEMORY + kept
        tried_now = self._tried * _MEMORY + kept + (kept < proposed)
        share = min(1.0, _MOST / tried_now)
        self._kept, self._tried = kept_now * share, tried_now * share
