"""The codes of the four weight biases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_array_equal

from ranvier.errors import QuantizationError
from ranvier_dynapse2.biases import WEIGHT_BIASES, BiasTable, published_table
from ranvier_dynapse2.weights import assign_masks, solve_codes, solve_levels, sums_of_masks

TABLE = published_table()
LARGEST = 4.938702101060086e-07
MAGNITUDES = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20)


def gauss(n=128, *, seed=0, width=1.0):
    return np.abs(np.random.default_rng(seed).normal(0, width, n))


@given(values=MAGNITUDES, i_scale=st.sampled_from([1e-13, 1e-9, 1e-8, 5e-7, 1e-3]))
@settings(max_examples=60, deadline=None)
def test_codes_are_of_the_table_and_the_error_is_that_of_their_currents(values, i_scale):
    coded = solve_codes(values, table=TABLE, i_scale=i_scale)

    currents = [
        float(TABLE.current(name, *code))
        for name, code in zip(WEIGHT_BIASES, coded.codes, strict=True)
    ]
    assert_array_equal(coded.bases, currents)
    realised = sums_of_masks(np.array(currents) / i_scale)[coded.masks]
    error = np.sum((np.array(values) - realised) ** 2)
    assert coded.error == pytest.approx(error, rel=1e-9, abs=1e-30 * max(values) ** 2)
    assert coded.bases.max() <= LARGEST


@pytest.mark.parametrize("seed", range(3))
def test_codes_cost_little_beyond_the_best_levels(seed):
    values = gauss(seed=seed)

    coded = solve_codes(values, table=TABLE, i_scale=1e-8)

    assert coded.error <= 1.02 * solve_levels(values).error


@pytest.mark.parametrize("seed", range(3))
def test_codes_chosen_together_are_not_worse_than_codes_rounded_one_by_one(seed):
    values = gauss(seed=seed, width=5)
    levels = solve_levels(values)
    rounded = [TABLE.code(WEIGHT_BIASES[0], base * 1e-8) for base in levels.bases]
    bases = np.array([TABLE.current(WEIGHT_BIASES[0], *code) for code in rounded]) / 1e-8
    alone = np.sum((sums_of_masks(bases)[assign_masks(values, bases)] - values) ** 2)

    coded = solve_codes(values, table=TABLE, i_scale=1e-8)

    assert coded.error <= alone


def test_on_a_coarse_table_no_combination_of_codes_is_better():
    currents = np.full((2, 6, 256), 1e-7)
    currents[:, 0] = np.minimum(np.arange(256), 14) * 1e-9
    currents[:, 1:] = 14e-9
    table = BiasTable(currents / 0.22)
    values = gauss(30, width=12)

    coded = solve_codes(values, table=table, i_scale=1e-9)

    errors = [
        np.sum(np.abs(values[:, np.newaxis] - sums_of_masks(bases)).min(axis=1) ** 2)
        for bases in itertools.combinations_with_replacement(np.arange(15.0), 4)
    ]
    assert coded.error == pytest.approx(min(errors), rel=1e-9)


def test_masks_are_optimal_for_the_realised_currents():
    values = gauss()

    coded = solve_codes(values, table=TABLE, i_scale=1e-8)

    assert_array_equal(coded.masks, assign_masks(values, coded.bases / 1e-8))


def test_currents_never_exceed_the_largest_of_the_table():
    coded = solve_codes([1.0, 7.0, 15.0], table=TABLE, i_scale=5e-7)

    assert coded.codes[-1] == (5, 255)
    assert coded.levels.values.max() <= 4 * LARGEST / 5e-7
    assert coded.masks[-1] == 15


def test_the_limit_counts_in_the_optimisation():
    values = gauss(124, width=5)
    i_scale = 10e-8
    levels = solve_levels(values)
    cut = np.minimum(levels.bases, LARGEST / i_scale)
    clipped = np.sum((sums_of_masks(cut)[assign_masks(values, cut)] - values) ** 2)

    coded = solve_codes(values, table=TABLE, i_scale=i_scale)

    assert coded.error < 0.7 * clipped


def test_a_base_without_use_has_the_lowest_code_and_its_current_is_shown():
    coded = solve_codes([3.0, 3.0], table=TABLE, i_scale=1e-8)

    assert_array_equal(coded.levels.used.sum(), 1)
    assert coded.codes[0] == (0, 0)
    assert coded.bases[0] == pytest.approx(8.2013e-14, rel=1e-4)


def test_no_magnitudes_need_no_codes():
    coded = solve_codes([], table=TABLE, i_scale=1e-8)

    assert coded.codes == ((0, 0),) * 4
    assert (coded.error, coded.mse) == (0.0, 0.0)


def test_currents_ascend():
    coded = solve_codes(gauss(), table=TABLE, i_scale=1e-8)

    assert np.all(np.diff(coded.bases) >= 0)


def test_magnitudes_below_every_current_take_what_is_nearest():
    coded = solve_codes([1e-9, 1.0], table=TABLE, i_scale=1e-14)

    assert_array_equal(coded.masks, [0, 0])
    assert coded.error == pytest.approx(1.0)


def test_order_of_the_values_does_not_matter():
    values = gauss()
    order = np.random.default_rng(1).permutation(values.size)

    coded = solve_codes(values, table=TABLE, i_scale=1e-8)
    shuffled = solve_codes(values[order], table=TABLE, i_scale=1e-8)

    assert shuffled.codes == coded.codes
    assert_array_equal(shuffled.masks, coded.masks[order])


@pytest.mark.parametrize("i_scale", [0.0, -1e-8, np.nan, np.inf])
def test_impossible_scales_are_refused(i_scale):
    with pytest.raises(QuantizationError, match=r"current scale .* A; .* > 0 A"):
        solve_codes([1.0], table=TABLE, i_scale=i_scale)


def test_negative_magnitudes_are_refused():
    with pytest.raises(QuantizationError, match=r"-2.0 at 1"):
        solve_codes([1.0, -2.0], table=TABLE, i_scale=1e-8)
