"""The automatic current scale."""

from __future__ import annotations

import numpy as np
import pytest

from ranvier.errors import QuantizationError
from ranvier_dynapse2.biases import published_table
from ranvier_dynapse2.weights import choose_scale, solve_codes, solve_levels

TABLE = published_table()
LARGEST = 4.938702101060086e-07
BINARY = np.arange(1.0, 16.0)
SPREAD = np.array([1.0, 10.0, 100.0, 1e5])


def choose(values, i_scale, **options):
    return choose_scale(values, table=TABLE, i_scale=i_scale, **options)


@pytest.mark.parametrize("i_scale", [1.001e-10, 1e-8, 6.17e-8])
def test_a_scale_that_works_is_kept(i_scale):
    assert choose(BINARY, i_scale) == i_scale


def test_a_scale_that_saturates_is_lowered_until_the_largest_base_just_fits():
    chosen = choose(BINARY, 5e-7)

    assert chosen == pytest.approx(LARGEST / 8, rel=1e-9)
    assert solve_levels(BINARY).bases[-1] * chosen <= LARGEST


def test_the_chosen_scale_reaches_the_error_of_unlimited_levels():
    values = np.abs(np.random.default_rng(0).normal(0, 5, 124))

    chosen = choose(values, 5e-7)

    own = solve_codes(values, table=TABLE, i_scale=5e-7).error
    assert (
        solve_codes(values, table=TABLE, i_scale=chosen).error < 1.02 * solve_levels(values).error
    )
    assert own > 20 * solve_levels(values).error


def test_a_scale_with_tiny_currents_is_raised_until_the_smallest_base_is_good():
    chosen = choose(BINARY, 1e-12)

    assert chosen == pytest.approx(100e-12, rel=1e-6)


def test_saturation_counts_before_small_currents():
    chosen = choose(SPREAD, 1e-12)

    assert chosen == pytest.approx(LARGEST / 1e5, rel=1e-6)


def test_a_saturated_scale_is_lowered_even_when_small_currents_suffer():
    chosen = choose(SPREAD, 1e-11)

    assert chosen == pytest.approx(LARGEST / 1e5, rel=1e-6)


@pytest.mark.parametrize(
    ("i_scale", "factors", "expected"), [(5e-7, (0.5, 2), 2.5e-7), (1e-12, (0.5, 2), 2e-12)]
)
def test_the_change_stays_within_what_the_gain_can_compensate(i_scale, factors, expected):
    assert choose(BINARY, i_scale, factors=factors) == pytest.approx(expected, rel=1e-12)


def test_bases_without_use_do_not_count():
    assert choose([3.0, 3.0], 1e-8) == 1e-8


@pytest.mark.parametrize("values", [[], [0.0, 0.0]])
def test_without_weights_the_scale_is_kept(values):
    assert choose(values, 7e-3) == 7e-3


def test_from_the_smallest_good_current_on_codes_are_within_two_per_cent():
    wanted = np.geomspace(1e-10, LARGEST, 5000)
    reachable = np.unique(TABLE.row("SYAM_W0_P"))

    error = np.abs(reachable - wanted[:, np.newaxis]).min(axis=1) / wanted

    assert 0.01 < error.max() < 0.018


@pytest.mark.parametrize("factors", [(1.1, 2), (0.5, 0.9), (-1, 2), (np.nan, 2)])
def test_factors_that_exclude_one_are_refused(factors):
    with pytest.raises(QuantizationError, match="factors of the scale include 1"):
        choose(BINARY, 1e-8, factors=factors)


def test_impossible_scales_are_refused():
    with pytest.raises(QuantizationError, match=r"current scale 0\.0 A"):
        choose(BINARY, 0.0)
