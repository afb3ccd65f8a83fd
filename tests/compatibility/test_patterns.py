"""Every pattern of the table against both libraries."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from patterns import PATTERNS, Pattern, table
from sides import Side, ours, theirs

from got_ocr2.errors import GotOcr2Error

pytest.importorskip("transformers")
PAGE = Path(__file__).parents[2] / "docs" / "from-transformers.md"
CLOSE = {"atol": 3e-5, "rtol": 2e-4}


@pytest.fixture(scope="module")
def picture():
    from PIL import Image, ImageDraw

    page = Image.new("RGB", (150, 90), "white")
    ImageDraw.Draw(page).text((8, 10), "General OCR", fill=(20, 10, 40))
    return page


@pytest.fixture(scope="module")
def sides(byte_folder, picture) -> tuple[Side, Side]:
    return ours(byte_folder, picture), theirs(byte_folder, picture)


def same(a: Any, b: Any) -> None:
    """Refuses anything but equal ids and texts, and numbers that are close."""
    if isinstance(a, torch.Tensor):
        assert isinstance(b, torch.Tensor)
        if a.is_floating_point():
            torch.testing.assert_close(a.detach(), b.detach(), **CLOSE)
        else:
            assert a.tolist() == b.tolist()
    elif isinstance(a, Mapping):
        assert dict(a) == dict(b)
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    else:
        assert a == b


def named(pattern: Pattern) -> str:
    return pattern.code


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p.verdict == "works"], ids=named)
def test_both_give_the_same(pattern, sides):
    torch.manual_seed(0)
    found = pattern.run(sides[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pattern.run(sides[1])
    same(found, expected)


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p.verdict == "differs"], ids=named)
def test_what_differs_on_purpose_works_here_and_is_explained(pattern, sides):
    assert pattern.note
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pattern.run(sides[0])
        try:
            same(found, pattern.run(sides[1]))
        except Exception:
            return
    pytest.fail("both libraries do the same: move it to what works")


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p.verdict == "refused"], ids=named)
def test_what_is_refused_says_what_to_do(pattern, sides):
    with pytest.raises(GotOcr2Error) as caught:
        pattern.run(sides[0])
    assert pattern.note in str(caught.value)


def test_the_page_shows_the_table():
    assert table() in PAGE.read_text(encoding="utf-8")
