"""The quick look for dark paper says what the medians say."""

from __future__ import annotations

import numpy as np
import pytest
from layout_pages import page

from got_ocr2.layout import ink
from got_ocr2.synth.composing.negatives import NegativeEngine


def pictures():
    rng = np.random.default_rng(0)
    yield from (
        np.asarray(page(lines=3, ink=a, paper=b)) for a, b in ((0, 255), (235, 20), (90, 150), (20, 110))
    )
    half = np.asarray(page(lines=4)).copy()
    half[:, 200:] = 255 - half[:, 200:]
    yield from (half, half // 2, half // 2 + 60, half[:30], half[:1], half[:, :2])
    yield from (np.asarray(NegativeEngine().sample(9, index).image.convert("L")) for index in range(12))
    for _ in range(40):
        noise = rng.integers(0, 256, (rng.integers(1, 40), rng.integers(1, 300)), dtype=np.uint8)
        yield from (noise, noise // 2, noise // 2 + 105, noise // 2 + 40)


def test_medians_that_are_dark_nowhere_need_not_be_computed(monkeypatch: pytest.MonkeyPatch):
    given = list(pictures())
    quick = [ink.dark_areas(one) for one in given]
    light = [ink._is_light(one, 3) for one in given]
    assert 0 < sum(light) < len(light)
    monkeypatch.setattr(ink, "_is_light", lambda *_: False)
    assert all(np.array_equal(a, ink.dark_areas(b)) for a, b in zip(quick, given, strict=True))
