"""Corpora: clean paragraphs, honest splits, and a minimum that needs no package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from got_ocr2.errors import InvalidOptionError
from got_ocr2.synth.corpora import catalog as module
from got_ocr2.synth.corpora import packages as corpus_sources
from got_ocr2.synth.corpora.catalog import LANGUAGES, corpora, is_test, text_pool
from got_ocr2.synth.corpora.packages import clean, pages, paragraphs_of


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOT_OCR2_CACHE", str(tmp_path / "cache"))
    absent = [replace(origin, needs=Path("/nonexistent")) for origin in module._ORIGINS]
    monkeypatch.setattr(module, "_ORIGINS", tuple(absent))


@pytest.mark.usefixtures("nothing_installed")
def test_the_bundled_texts_need_no_package() -> None:
    found = corpora("en")
    assert [(corpus.name, corpus.source) for corpus in found] == [
        ("wordnet", "bundled"),
        ("king-james", "bundled"),
    ]
    for corpus in found:
        paragraphs, held_out = corpus.paragraphs(), corpus.paragraphs("test")
        assert len(paragraphs) > 2000
        assert 0.02 < len(held_out) / len(paragraphs) < 0.07
        assert all(clean(text) == text for text in (*paragraphs[:300], *held_out[:300]))


@pytest.mark.usefixtures("nothing_installed")
def test_a_language_without_its_packages_is_refused_with_their_names() -> None:
    with pytest.raises(InvalidOptionError, match="libreoffice-help-zh-cn"):
        corpora("zh")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match="tlh"):
        corpora("tlh")


@pytest.mark.usefixtures("nothing_installed")
def test_splits_share_nothing() -> None:
    for corpus in corpora("en"):
        assert set(corpus.paragraphs()).isdisjoint(corpus.paragraphs("test"))
        assert set(corpus.sentences()).isdisjoint(corpus.sentences("test"))
        assert all(map(is_test, corpus.paragraphs("test")))
        assert not any(map(is_test, corpus.paragraphs()))


@pytest.mark.usefixtures("nothing_installed")
def test_a_pool_gives_the_same_text_for_the_same_numbers() -> None:
    pool = text_pool("en")
    for draw in (pool.sentence, pool.paragraph, lambda rng: pool.words(rng, 7)):
        first, second = (draw(np.random.default_rng(5)) for _ in range(2))
        assert first == second
        assert first
        assert "\n" not in first


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("count", [1, 2, 13, 200])
def test_words_are_counted(count: int) -> None:
    words = text_pool("en", "test").words(np.random.default_rng(count), count)
    assert len(words.split(" ")) == count


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match="dev"):
        text_pool("en", "dev")  # type: ignore[arg-type]


def test_every_language_is_written_somewhere() -> None:
    assert set(LANGUAGES) >= {"en", "fr", "de", "es", "zh"}
    assert all(corpus.licence for corpus in corpora(None))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  Two   words\nand a tab\there ", "Two words and a tab here"),
        ("cafe\u0301 au lait, s'il vous plaît", "café au lait, s'il vous plaît"),
        ("too short", None),
        ("with a \u0c17 of another script", None),
        ("x" * 1501, None),
        ("电子表格文档", "电子表格文档"),
    ],
)
def test_cleaning(raw: str, expected: str | None) -> None:
    assert clean(raw) == expected


def test_a_paragraph_is_kept_once() -> None:
    assert paragraphs_of(["the first one here", "another one here", "the  first one here"]) == [
        "the first one here",
        "another one here",
    ]


def test_paragraphs_of_html(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text(
        "<h1>A <em>big</em> heading</h1><p class=x>Fish &amp; chips cost 5&nbsp;€</p>"
        '<ul class="docnav"><li>Next page of all</li></ul><li><p>inner paragraph only</p></li>'
        "<footer><p>debug information</p></footer>",
        "utf-8",
    )
    (tmp_path / "a.html").write_text("<td>a cell of a table¶</td>", "utf-8")
    assert paragraphs_of(pages(tmp_path)()) == [
        "a cell of a table",
        "A big heading",
        "Fish & chips cost 5 €",
        "inner paragraph only",
    ]


def test_entries_of_wordnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("verb", "adj", "adv"):
        (tmp_path / f"data.{part}").write_text("")
    (tmp_path / "data.noun").write_text(
        '  1 licence\n00000001 03 n 02 red_fox 0 Vulpes(a) 1 001 @ 00000002 n 0000 | an animal; "a fox ran"  \n'
    )
    monkeypatch.setattr(corpus_sources, "WORDNET", tmp_path)
    assert list(corpus_sources.wordnet()) == ['red fox, Vulpes: an animal; "a fox ran"']


def test_a_package_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOT_OCR2_CACHE", str(tmp_path))
    calls = 0

    def extract():
        nonlocal calls
        calls += 1
        yield from (f"paragraph number {n} of a text" for n in range(100))

    origin = module._Origin("trial", "en", "none", "trial-package", tmp_path, extract)
    monkeypatch.setattr(module, "_ORIGINS", (origin,))
    (corpus,) = corpora("en")
    first = corpus.paragraphs()
    module._all_paragraphs.cache_clear()
    module._split.cache_clear()
    assert corpus.paragraphs() == first
    assert calls == 1
