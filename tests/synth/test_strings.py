"""Random strings: every kind, the same for the same numbers, on one line."""

from __future__ import annotations

import re

import numpy as np
import pytest

from got_ocr2.errors import InvalidOptionError
from got_ocr2.synth.corpora.strings import STRING_KINDS, random_string

SHAPES = {
    "word": r"[A-Za-z]+", "letters": r"[A-Za-z]{2,12}", "code": r"[A-Z0-9][A-Z0-9./_ -]*",
    "integer": r"[-+]?\d{1,3}(.?\d{3})*|\d+", "decimal": r"-?[\d.,']+[.,]\d{1,5}", "money": r".*\d{2}.*",
    "percentage": r"\d+(\.\d+)? ?%", "date": r".*\d{2,4}.*", "time": r"\d{1,2}:\d\d(:\d\d| [apAP][mM])?",
    "phone": r"[+(]?[\d() /-]+", "url": r"[\w:/.?=-]+\.[a-z.]+[\w/?=-]*", "email": r"[\w.-]+@[a-z]+\.[a-z.]+",
    "path": r"[~./]*[\w/.]+\.[\w.]+", "hash": r"[A-Za-z0-9]{6,24}", "version": r"v?\d+(\.\d+)+.*",
    "reference": r".*[\w].*", "noise": r"[!-~]{3,14}",
}  # fmt: skip


@pytest.mark.parametrize("kind", STRING_KINDS)
def test_each_kind_looks_like_itself(kind: str) -> None:
    rng = np.random.default_rng(7)
    drawn = [random_string(rng, kind) for _ in range(200)]  # type: ignore[arg-type]
    assert len(set(drawn)) > 40
    for text in drawn:
        assert re.fullmatch(SHAPES[kind], text), text
        assert text == text.strip()


def test_the_same_numbers_give_the_same_strings() -> None:
    first, second = ([random_string(np.random.default_rng([n, 1])) for n in range(50)] for _ in range(2))
    assert first == second


def test_accents_are_put_on_words_only_when_asked() -> None:
    rng = np.random.default_rng(0)
    plain = "".join(random_string(rng, "word") for _ in range(100))
    accented = "".join(random_string(rng, "word", accents=True) for _ in range(100))
    assert plain.isascii()
    assert not accented.isascii()
    assert accented.isalpha()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match="haiku"):
        random_string(np.random.default_rng(0), "haiku")  # type: ignore[arg-type]
