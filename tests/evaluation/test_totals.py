"""Totals and bootstrap intervals."""

import math

import numpy as np
import pytest

from got_ocr2.evaluation.statistics import Ratio, bootstrap, bootstrap_mean, total


def test_totals_weigh_by_length():
    assert total([Ratio(1, 10), Ratio(5, 90)]) == pytest.approx(0.06)
    assert math.isnan(total([]))
    assert math.isnan(total([Ratio(3, 0)]))
    assert Ratio(2, 4).rate == 0.5
    assert Ratio(0, 0).rate == 0
    assert Ratio(1, 0).rate == math.inf


def test_the_interval_covers_the_true_value_as_often_as_it_says():
    rng = np.random.default_rng(7)
    covered = 0
    for trial in range(200):
        sample = [Ratio(v) for v in rng.normal(0.3, 0.1, size=40)]
        low, high = bootstrap(sample, resamples=300, seed=trial)[1:3]
        covered += low <= 0.3 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_interval_is_repeatable_and_collapses_without_choice():
    sample = [Ratio(v, 2) for v in range(9)]
    assert bootstrap(sample) == bootstrap(sample)
    assert bootstrap(sample, seed=1) != bootstrap(sample)
    assert bootstrap([Ratio(0.5)])[:3] == (0.5, 0.5, 0.5)
    assert bootstrap([Ratio(0.5)] * 4)[:3] == (0.5, 0.5, 0.5)
    assert math.isnan(bootstrap([Ratio(1, 0), Ratio(0, 0)]).value)


def test_pages_without_weight_take_part_without_harm():
    estimate = bootstrap([Ratio(0, 0), Ratio(0, 0), Ratio(1, 4)])
    assert estimate.value == 0.25
    assert estimate.low == estimate.high == 0.25
    assert estimate.pages == 3


def test_a_mean_of_groups_gives_each_group_the_same_say():
    groups = [[Ratio(1), Ratio(0)], [Ratio(1)] * 98]
    estimate = bootstrap_mean(groups)
    assert estimate.value == 0.75
    assert estimate.pages == 100
    assert (estimate.low, estimate.high) == (0.5, 1.0)
