"""Medians and quantiles beside numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from got_ocr2.layout.ranks import median, quantiles


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 30, 101])
def test_they_equal_numpys_to_the_bit(count: int) -> None:
    rng = np.random.default_rng(count)
    for values in (rng.normal(size=count) * 1e3, rng.integers(0, 5, count).astype(np.float64)):
        shares = [0.0, 0.15, 0.5, 0.9, 0.97, 1.0]
        assert median(values) == np.median(values)
        assert quantiles(values, shares) == np.quantile(values, shares).tolist()
