"""The texts that the data engines may write: each with its language, licence and source package.

A corpus is a list of clean paragraphs. It comes from an installed Debian package where there is one. Two of
them have an extract inside this package, taken otherwise, so there is always something to write. The first
use of a Debian package reads it (seconds) and keeps the result in the user's cache. Where `GOT_OCR2_PACK` names a pack
(see `sources.packed`), its texts are the ones at hand.

About one paragraph in 25, chosen by a hash of its text, is held out for `split="test"`. A sentence of a
held-out paragraph that also stands in a training paragraph belongs to training only.
"""

from __future__ import annotations

import lzma
import re
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...errors import InvalidOptionError
from ..sources.cache import read_cached, write_cached
from ..sources.packed import pack_folder, packed_paragraphs, packed_texts
from .packages import (
    DEBIAN_HANDBOOK,
    FORTUNES,
    LIBREOFFICE_HELP,
    PYTHON_DOCS,
    WORD_LISTS,
    WORDNET,
    Extract,
    bundled,
    fortunes,
    king_james,
    pages,
    paragraphs_of,
    word_list,
    wordnet,
)

if TYPE_CHECKING:
    import numpy as np

Split = Literal["train", "test"]

_TEST_SHARE = 25
_CACHE_VERSION = 3
_MIN_SENTENCE = 4
_SENTENCE_END = re.compile(r'(?<=[.!?])["\')]?\s+(?=["\'(]?[A-ZÀ-Þ0-9])|(?<=[。！？；])')
_GLOSS_PART = re.compile(r'; (?=")')


@dataclass(frozen=True)
class Corpus:
    """A text that may be written.

    Attributes:
        name: e.g. "wordnet".
        language: ISO 639-1 code.
        licence: name of its licence.
        source: the package it is read from here, or "bundled".
    """

    name: str
    language: str
    licence: str
    source: str

    def paragraphs(self, split: Split = "train") -> Sequence[str]:
        """All paragraphs of a split, each on one line, in the order of the source."""
        return _split(self, _known(split))

    def sentences(self, split: Split = "train") -> Sequence[str]:
        """All sentences of a split, each once, in the order of the source."""
        return _sentences(self, _known(split))


@dataclass(frozen=True)
class _Origin:
    name: str
    language: str
    licence: str
    package: str
    needs: Path | str
    extract: Extract
    extract_bundled: Extract | None = None

    @property
    def installed(self) -> bool:
        return self.needs.exists() if isinstance(self.needs, Path) else shutil.which(self.needs) is not None


def _help(folder: str, language: str) -> _Origin:
    path = LIBREOFFICE_HELP / folder
    package = f"libreoffice-help-{folder.lower()}"
    return _Origin(f"libreoffice-{language}", language, "MPL-2.0", package, path, pages(path))


def _handbook(folder: str, language: str) -> _Origin:
    path = DEBIAN_HANDBOOK / folder
    licence = "GPL-2+ or CC-BY-SA-3.0"
    return _Origin(f"handbook-{language}", language, licence, "debian-handbook", path, pages(path))


def _fortunes(language: str, folder: str = "") -> _Origin:
    package = f"fortunes-{language}" if folder else "fortunes"
    path = FORTUNES / folder
    return _Origin(
        f"fortunes-{language}", language, "collection: BSD-4-Clause", package, path, fortunes(path)
    )


def _words(package: str, name: str, language: str, licence: str) -> _Origin:
    path = WORD_LISTS / name
    return _Origin(f"words-{language}", language, licence, package, path, word_list(path))


_ORIGINS: tuple[_Origin, ...] = (
    _Origin("wordnet", "en", "WordNet 3.0", "wordnet-base", WORDNET, wordnet, bundled("wordnet")),
    _Origin("king-james", "en", "public domain", "bible-kjv", "bible", king_james, bundled("king-james")),
    _Origin("python-docs", "en", "PSF-2.0", "python3.11-doc", PYTHON_DOCS, pages(PYTHON_DOCS)),
    *(_help(folder, folder[:2]) for folder in ("en-US", "de", "es", "fr", "it", "pl", "zh-CN")),
    *(
        _handbook(folder, folder[:2])
        for folder in ("en-US", "de-DE", "es-ES", "fr-FR", "it-IT", "nl-NL", "pl-PL", "pt-BR", "zh-CN")
    ),
    _fortunes("en"),
    _fortunes("de", "de"),
    _fortunes("es", "es"),
    _words("wfrench", "french", "fr", "GPL-2+"),
    _words("wngerman", "ngerman", "de", "GPL-2+ or GPL-3+"),
    _words("wspanish", "spanish", "es", "GPL-2+"),
    _words("witalian", "italian", "it", "GPL-2+"),
    _words("wdutch", "dutch", "nl", "BSD-3-Clause or CC-BY-3.0"),
    _words("wportuguese", "portuguese", "pt", "GPL-2+ or LGPL-2.1"),
    _words("wpolish", "polish", "pl", "GPL-2 or LGPL-2.1 or MPL-1.1"),
)

LANGUAGES: tuple[str, ...] = tuple(sorted({origin.language for origin in _ORIGINS}))


def corpora(language: str | Sequence[str] | None = "en") -> tuple[Corpus, ...]:
    """The corpora at hand in a language (or several, or None for all), in a fixed order.

    Raises:
        InvalidOptionError: a language that no corpus is written in, or whose packages are not installed.
    """
    wanted = LANGUAGES if language is None else (language,) if isinstance(language, str) else tuple(language)
    found: list[Corpus] = []
    for code in wanted:
        if code not in LANGUAGES:
            raise InvalidOptionError(
                f"There is no text in language {code!r}; it is one of {', '.join(LANGUAGES)}."
            )
    for origin in _ORIGINS:
        source = _source(origin)
        if origin.language in wanted and source is not None:
            found.append(Corpus(origin.name, origin.language, origin.licence, source))
    if not found:
        packages = ", ".join(origin.package for origin in _ORIGINS if origin.language in wanted)
        raise InvalidOptionError(
            f"No text in language {', '.join(wanted)} is installed; install one of: {packages}."
        )
    return tuple(found)


def all_paragraphs(corpus: Corpus) -> Sequence[str]:
    """All paragraphs of both splits, each on one line, in the order of the source."""
    return _all_paragraphs(corpus)


def _source(origin: _Origin) -> str | None:
    """Where a text would be read from; None if it is not at hand."""
    if (pack := pack_folder()) is not None:
        return packed_texts(pack).get(origin.name)
    if origin.installed:
        return origin.package
    return "bundled" if origin.extract_bundled else None


@dataclass(frozen=True)
class TextPool:
    """Random text from several corpora of one split.

    Attributes:
        corpora: where it is taken from, each equally likely.
        split: "train" or "test".
    """

    corpora: tuple[Corpus, ...]
    split: Split = "train"

    def sentence(self, rng: np.random.Generator) -> str:
        """A random sentence, at most a few hundred characters, on one line."""
        return _pick(rng, self._corpus(rng).sentences(self.split))

    def paragraph(self, rng: np.random.Generator) -> str:
        """A random paragraph, on one line."""
        return _pick(rng, self._corpus(rng).paragraphs(self.split))

    def words(self, rng: np.random.Generator, count: int) -> str:
        """`count` (>= 1) consecutive words on one line; characters in Chinese, whose words have no spaces."""
        corpus = self._corpus(rng)
        joint = "" if corpus.language == "zh" else " "
        words: list[str] = []
        while len(words) < count:
            sentence = _pick(rng, corpus.sentences(self.split))
            words += list(sentence) if corpus.language == "zh" else sentence.split(" ")
        start = int(rng.integers(len(words) - count + 1))
        return joint.join(words[start : start + count]).strip()

    def _corpus(self, rng: np.random.Generator) -> Corpus:
        return self.corpora[int(rng.integers(len(self.corpora)))]


def text_pool(language: str | Sequence[str] | None = "en", split: Split = "train") -> TextPool:
    """All corpora at hand in a language; raises as `corpora` does."""
    return TextPool(corpora(language), _known(split))


def is_test(paragraph: str) -> bool:
    """Whether a paragraph is held out; depends on its text alone."""
    return zlib.crc32(paragraph.encode()) % _TEST_SHARE == 0


def _known(split: Split) -> Split:
    if split not in ("train", "test"):
        raise InvalidOptionError(f"Unknown text split {split!r}; it is train or test.")
    return split


def _pick(rng: np.random.Generator, items: Sequence[str]) -> str:
    return items[int(rng.integers(len(items)))]


@cache
def _all_paragraphs(corpus: Corpus) -> tuple[str, ...]:
    if (pack := pack_folder()) is not None:
        return packed_paragraphs(pack, corpus.name)
    origin = next(origin for origin in _ORIGINS if origin.name == corpus.name)
    if corpus.source == "bundled":
        assert origin.extract_bundled is not None
        return tuple(origin.extract_bundled())
    name = f"text-{_CACHE_VERSION}-{corpus.name}.xz"
    if (data := read_cached(name)) is not None:
        return tuple(lzma.decompress(data).decode().splitlines())
    found = paragraphs_of(origin.extract())
    write_cached(name, lzma.compress("\n".join(found).encode(), preset=1))
    return tuple(found)


@cache
def _split(corpus: Corpus, split: Split) -> tuple[str, ...]:
    return tuple(text for text in _all_paragraphs(corpus) if is_test(text) == (split == "test"))


@cache
def _sentences(corpus: Corpus, split: Split) -> tuple[str, ...]:
    parts = _GLOSS_PART if corpus.name == "wordnet" else _SENTENCE_END
    found = dict.fromkeys(
        stripped
        for text in _split(corpus, split)
        for part in parts.split(text)
        if len(stripped := part.strip()) >= _MIN_SENTENCE and any(map(str.isalpha, stripped))
    )
    if split == "test":
        train = set(_sentences(corpus, "train"))
        return tuple(sentence for sentence in found if sentence not in train)
    return tuple(found)
