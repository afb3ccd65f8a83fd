"""The line engine: what a reader of lines learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from PIL import Image

from ...errors import InvalidOptionError
from ..corpora.catalog import LANGUAGES, Split, text_pool
from ..corpora.content import Content, ContentMixture
from ..degradation.degrade import degrade
from ..drawing.backgrounds import background
from ..sample import Sample, sample_rng
from .composer import LINE_KINDS, BlockComposer, LineKind
from .cutting import LONGEST, cut_line, line_count
from .scanning import scanned

PER_BLOCK = 4  # lines that are cut out of one block: drawing and spoiling it is most of the work


def _kinds() -> dict[LineKind, float]:
    return {"print": 0.44, "typewriter": 0.2, "book": 0.2, "capitals": 0.08, "receipt": 0.08}


def _languages() -> dict[str, float]:
    return {"en": 0.52, "fr": 0.14, "de": 0.14, "es": 0.06, "it": 0.06, "nl": 0.03, "pt": 0.03, "pl": 0.02}


def _mixture() -> ContentMixture:
    return ContentMixture(prose=0.6, shuffled=0.25, strings=0.15)


@dataclass(frozen=True)
class LineEngine:
    """Draws lines, four in a row out of one block.

    Attributes:
        kinds: weight of each kind of print.
        language: language of the text, or weights of several; those that no installed text is written in are left out.
        mixture: what is written.
        strength: how much blocks are spoilt at most, 0..1; see `degrade`.
        nothing: share of pictures without text, whose truth is empty.
        em: smallest and largest letters, pixels per em.
        split: "train", or "test" for held-out fonts and text.

    Raises:
        InvalidOptionError: an unknown kind or language, weights that are all zero, or a number out of range.
    """

    kinds: Mapping[LineKind, float] = field(default_factory=_kinds)
    language: str | Mapping[str, float] = field(default_factory=_languages)
    mixture: ContentMixture = field(default_factory=_mixture)
    strength: float = 0.85
    nothing: float = 0.03
    em: tuple[float, float] = (9.0, 52.0)
    split: Split = "train"
    kind: str = "line"

    def __post_init__(self) -> None:
        if isinstance(self.language, str):
            object.__setattr__(self, "language", {self.language: 1.0})
        for name, given, known in (
            ("kind of line", self.kinds, LINE_KINDS),
            ("language", self._languages, LANGUAGES),
        ):
            unknown = set(given) - set(known)
            if unknown:
                raise InvalidOptionError(f"Unknown {name} {min(unknown)!r}; it is one of {', '.join(known)}.")
            if not given or min(given.values()) < 0 or sum(given.values()) <= 0:
                raise InvalidOptionError(
                    f"Weights of every {name} are >= 0 and not all zero, got {dict(given)}."
                )
        for name in ("strength", "nothing"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidOptionError(f"{name} must be between 0 and 1, got {getattr(self, name)}.")
        if not 8 <= self.em[0] <= self.em[1]:
            raise InvalidOptionError(f"em must be 8 <= smallest <= largest, got {self.em}.")

    def sample(self, seed: int, index: int) -> Sample:
        """Line number `index` of stream `seed`, RGB, degraded."""
        rng = sample_rng(seed, self.kind, index)
        if rng.random() < self.nothing:
            return self._nothing(rng)
        attempt = 0
        while True:
            block = _block(self, seed, index // PER_BLOCK, attempt)
            order = np.random.default_rng([seed, index // PER_BLOCK, attempt]).permutation(line_count(block))
            if len(order):
                number = int(order[index % PER_BLOCK % len(order)])
                line = cut_line(block, number, rng)
                if line is not None:
                    return scanned(line, rng, self.strength * rng.random())
            attempt += 1

    @property
    def _languages(self) -> Mapping[str, float]:
        assert not isinstance(self.language, str)
        return self.language

    def __hash__(self) -> int:
        return hash(
            (tuple(self.kinds.items()), tuple(self._languages.items()), self.strength, self.em, self.split)
        )

    def _compose(self, rng: np.random.Generator) -> Sample:
        kind: LineKind = _weighted(rng, self.kinds)
        language = _language(rng, self._languages)
        content = Content(
            text_pool(language, self.split),
            self.mixture,
            accents=rng.random() < (0.05 if language == "en" else 0.2),
        )
        block = BlockComposer(content, self.split, self.em).compose(rng, kind)
        if not block.regions:
            return block
        return degrade(block, rng, float(rng.uniform(0, self.strength)))

    def _nothing(self, rng: np.random.Generator) -> Sample:
        """A piece of surface without letters."""
        height = int(rng.integers(16, 64))
        size = (round(height * rng.uniform(0.5, LONGEST)), height)
        picture = Image.new("RGB", size, (255,) * 3) if rng.random() < 0.2 else background(rng, size)
        sample = Sample("line", (picture,), "", meta={"kind": "nothing"})
        return scanned(sample, rng, self.strength * rng.random())


@lru_cache(maxsize=2)
def _block(engine: LineEngine, seed: int, number: int, attempt: int) -> Sample:
    """Block `number` of a stream; kept for the lines that come next."""
    return engine._compose(np.random.default_rng([seed, 77, number, attempt]))


def _weighted(rng: np.random.Generator, weights: Mapping[LineKind, float]) -> LineKind:
    names = list(weights)
    shares = np.array([weights[name] for name in names], float)
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def _language(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """A language of those that there is text in; English where there is none of the others."""
    known = _installed(tuple(weights))
    names = [name for name in weights if name in known] or ["en"]
    shares = np.array([weights.get(name, 1.0) for name in names], float)
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


@lru_cache(maxsize=8)
def _installed(languages: tuple[str, ...]) -> frozenset[str]:
    found: set[str] = set()
    for language in languages:
        try:
            text_pool(language)
        except InvalidOptionError:
            continue
        found.add(language)
    return frozenset(found)
