"""What the text engine writes: prose, loose words and random strings, in a mixture that cannot be guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...errors import InvalidOptionError
from .catalog import TextPool
from .strings import random_string

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class ContentMixture:
    """How often each source of words is used; the weights need not sum to one.

    Attributes:
        prose: running text of a corpus.
        shuffled: words of the corpora in random order, in random case.
        strings: made-up words, codes, numbers, dates, addresses.
    """

    prose: float = 0.5
    shuffled: float = 0.25
    strings: float = 0.25

    def __post_init__(self) -> None:
        weights = (self.prose, self.shuffled, self.strings)
        if min(weights) < 0 or sum(weights) <= 0:
            raise InvalidOptionError(f"Content weights must be >= 0 and not all zero, got {weights}.")


@dataclass(frozen=True)
class Content:
    """A source of words for the text engine.

    Attributes:
        pool: the corpora.
        mixture: how often each kind of content is drawn.
        accents: made-up words may carry accents.
        spaced: False for Chinese, where every character counts as a word.
    """

    pool: TextPool
    mixture: ContentMixture = field(default_factory=ContentMixture)
    accents: bool = False
    spaced: bool = True

    def words(self, rng: np.random.Generator, count: int) -> list[str]:
        """`count` (>= 1) words without white space inside, all from one source."""
        mix = self.mixture
        at = rng.random() * (mix.prose + mix.shuffled + mix.strings)
        if at < mix.prose:
            found: list[str] = []
            while len(found) < count:
                sentence = self.pool.sentence(rng)
                found += sentence.split() if self.spaced else [c for c in sentence if not c.isspace()]
            return found[:count]
        make = self._shuffled if at < mix.prose + mix.shuffled else self._string
        found = []
        while len(found) < count:
            found += make(rng)
        return found[:count]

    def _shuffled(self, rng: np.random.Generator) -> list[str]:
        if not self.spaced:
            return list(self.pool.words(rng, 1))
        word = self.pool.words(rng, 1).strip("\"'()[]").strip()
        case = rng.random()
        if case < 0.15:
            word = word.upper()
        elif case < 0.35:
            word = word.capitalize()
        return word.split()

    def _string(self, rng: np.random.Generator) -> list[str]:
        words = random_string(rng, accents=self.accents).split()
        return words if self.spaced else [c for word in words for c in word]
