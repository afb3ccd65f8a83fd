"""Backgrounds: every kind at odd sizes, and the same for the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from got_ocr2.errors import InvalidOptionError
from got_ocr2.synth.drawing.backgrounds import BACKGROUND_KINDS, background, colored, grain, octaves


@pytest.mark.parametrize("kind", BACKGROUND_KINDS)
@pytest.mark.parametrize("size", [(1, 1), (3, 170), (211, 90)])
def test_each_kind_at_any_size(kind, size: tuple[int, int]) -> None:
    first, second = (background(np.random.default_rng(4), size, kind) for _ in range(2))
    assert first.mode == "RGB"
    assert first.size == size
    assert first.tobytes() == second.tobytes()


def test_other_numbers_give_another_picture() -> None:
    pictures = {background(np.random.default_rng(n), (40, 30)).tobytes() for n in range(20)}
    assert len(pictures) == 20


@pytest.mark.parametrize(("kind", "size", "named"), [("sky", (5, 5), "sky"), (None, (0, 9), "0 x 9")])
def test_nonsense_is_refused(kind, size, named: str) -> None:
    with pytest.raises(InvalidOptionError, match=named):
        background(np.random.default_rng(0), size, kind)


def test_noise_has_the_promised_mean_and_spread() -> None:
    fine = np.asarray(grain(np.random.default_rng(1), (500, 300), 12.0), float)
    assert abs(fine.mean() - 128) < 1
    assert abs(fine.std() - 12) < 1
    smooth = np.asarray(octaves(np.random.default_rng(1), (500, 300)), float)
    assert abs(smooth.mean() - 128) < 8
    assert np.abs(np.diff(smooth, axis=1)).mean() < 4 < smooth.std()


def test_coloring_puts_colours_at_both_ends() -> None:
    gray = octaves(np.random.default_rng(2), (30, 20)).point([0] * 128 + [255] * 128)
    pixels = np.asarray(colored(gray, (10, 20, 30), (200, 210, 220))).reshape(-1, 3)
    assert {tuple(pixel) for pixel in pixels.tolist()} == {(10, 20, 30), (200, 210, 220)}
