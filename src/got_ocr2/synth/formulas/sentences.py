"""Running text for pages: sentences and words that a font can draw and the format can say."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from ...errors import InvalidOptionError
from ..corpora.catalog import TextPool, text_pool
from ..fonts.catalog import Split
from ..markup.document import Run
from .grammar import FormulaGrammar

_MAX_TRIES = 30
_UNWELCOME = frozenset("\\^~{}<>`|*→←↑↓「」")
_FALLBACK = "The rest of this part is left out"


def page_pool(language: str, split: Split) -> TextPool:
    """The texts that pages are written from.

    Raises:
        InvalidOptionError: Chinese, which the faces for pages do not draw, or a language without texts.
    """
    if language == "zh":
        raise InvalidOptionError(
            "Formatted pages, tables and sentences are drawn in Latin letters only, not in 'zh'."
        )
    return text_pool(language, split)


class PageText:
    """Words and sentences; the same `rng` state gives the same text.

    Args:
        rng: source of randomness.
        pool: where the text is taken from.
        covers: whether the page's font draws every character of a text.
    """

    def __init__(self, rng: np.random.Generator, pool: TextPool, covers: Callable[[str], bool]) -> None:
        self._rng = rng
        self._pool = pool
        self._covers = covers

    def sentence(self, least: int = 20, most: int = 240) -> str:
        """A sentence of `least` to `most` characters, with a capital and a full stop."""
        text = self._first(lambda: self._pool.sentence(self._rng), lambda text: least <= len(text) <= most)
        text = text.strip("\"' ;,:([")
        text = text[:1].upper() + text[1:]
        return text if text[-1:] in ".!?" else text + "."

    def words(self, count: int) -> str:
        """So many consecutive words, without punctuation around them."""
        text = self._first(lambda: self._pool.words(self._rng, count), lambda text: len(text) <= 16 * count)
        return text.strip(".,;:!?\"'()[] ") or "item"

    def phrase(self, least: int, most: int) -> str:
        """Between `least` and `most` words with a capital, for headings and titles."""
        text = self.words(int(self._rng.integers(least, most + 1)))
        return text[:1].upper() + text[1:]

    def _first(self, make: Callable[[], str], fits: Callable[[str], bool]) -> str:
        for _ in range(_MAX_TRIES):
            text = make()
            if fits(text) and not _UNWELCOME & set(text) and self._covers(text):
                return text
        return _FALLBACK


def random_tag(dice: random.Random) -> str:
    """The number of an equation: `12`, `3.4`, `A.1`, `7a`."""
    kind = dice.random()
    if kind < 0.65:
        return str(dice.randint(1, 60))
    if kind < 0.9:
        return f"{dice.randint(1, 9)}.{dice.randint(1, 40)}"
    return (
        f"{dice.choice('ABCS')}.{dice.randint(1, 20)}"
        if kind < 0.96
        else f"{dice.randint(1, 20)}{dice.choice('abc')}"
    )


def sentence_with_formulas(
    dice: random.Random, grammar: FormulaGrammar, text: PageText, formulas: tuple[int, int] = (1, 3)
) -> tuple[Run, ...]:
    """A sentence with so many formulas (least, most) between its words."""
    words = text.sentence(30, 160).split(" ")
    count = min(dice.randint(*formulas), len(words) - 1)
    cuts = sorted(dice.sample(range(1, len(words)), count))
    runs: list[Run] = []
    for start, end in zip([0, *cuts], [*cuts, len(words)], strict=True):
        lead = " " if start else ""
        runs += [lead + " ".join(words[start:end]) + ("" if end == len(words) else " ")]
        if end != len(words):
            runs.append(grammar.inline(10.0))
    return tuple(runs)
