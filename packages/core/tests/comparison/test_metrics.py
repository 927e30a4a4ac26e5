import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ranvier import comparison as measures
from ranvier.errors import InputError

SEEDS = st.integers(0, 2**32 - 1)


def train(*steps, n=20):
    raster = np.zeros((1, n, 1), dtype=np.int64)
    np.add.at(raster, (0, list(steps), 0), 1)
    return raster


def rasters(seed, *, number=2):
    rng = np.random.default_rng(seed)
    return [rng.poisson(0.2, (3, 15, 4)) for _ in range(number)]


def distance(one, other, *, dt=1e-3, tau=5e-3):
    return measures.van_rossum(one, other, dt=dt, tau=tau)


def slow_distance(one, other, *, dt, tau):
    """Sum the closed form over pairs of spikes: <f, g> = 1/2 sum exp(-|ti - tj| / tau)."""
    steps = np.arange(len(one)) * dt
    kernel = np.exp(-np.abs(steps[:, None] - steps[None]) / tau) / 2
    difference = one - other
    return math.sqrt(max(0.0, difference @ kernel @ difference))


def test_one_spike_is_half_a_square_away_from_silence():
    assert distance(train(3), train()) == pytest.approx(math.sqrt(0.5))


def test_the_last_step_counts_as_much_as_the_first():
    assert distance(train(19), train()) == pytest.approx(distance(train(0), train()))


@pytest.mark.parametrize("apart", [1, 4, 12])
def test_two_spikes_are_as_far_apart_as_the_formula_says(apart):
    found = distance(train(2), train(2 + apart), dt=1e-3, tau=5e-3)

    assert found == pytest.approx(math.sqrt(1 - math.exp(-apart * 1e-3 / 5e-3)))


def test_two_spikes_in_one_step_are_twice_as_far_as_one():
    assert distance(train(4, 4), train()) == pytest.approx(2 * distance(train(4), train()))


@given(SEEDS)
def test_distance_equals_the_sum_over_all_pairs_of_spikes(seed):
    one, other = rasters(seed)

    found = distance(one, other, dt=1e-3, tau=7e-3)

    for sample in range(3):
        for neuron in range(4):
            slow = slow_distance(
                one[sample, :, neuron], other[sample, :, neuron], dt=1e-3, tau=7e-3
            )
            assert found[sample, neuron] == pytest.approx(slow, abs=1e-7)


@given(SEEDS)
def test_distance_is_a_metric(seed):
    a, b, c = rasters(seed, number=3)

    assert not distance(a, a).any()
    np.testing.assert_array_equal(distance(a, b), distance(b, a))
    assert (distance(a, c) <= distance(a, b) + distance(b, c) + 1e-12).all()


@pytest.mark.parametrize(("dt", "tau"), [(0.0, 1.0), (1e-3, 0.0), (1e-3, math.nan), (math.inf, 1)])
def test_times_that_are_not_positive_are_refused(dt, tau):
    with pytest.raises(InputError, match="give a positive time"):
        distance(train(1), train(2), dt=dt, tau=tau)


def test_a_decision_is_the_largest_score_and_the_first_of_equals():
    scores = [[0, 3, 1], [2, 2, 0], [0, 0, 0]]

    assert measures.decisions(scores).tolist() == [1, 0, 0]
    assert measures.undecided(scores) == 2


def test_accuracy_is_the_share_of_hits():
    assert measures.accuracy([0, 1, 2, 2], [0, 1, 1, 1]) == 0.5


@given(SEEDS)
def test_agreement_is_symmetric_and_perfect_with_itself(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 3, (2, 10))

    assert measures.agreement(one, other) == measures.agreement(other, one)
    assert measures.agreement(one, one) == 1


@pytest.mark.parametrize("pair", [([0], [0, 1]), ([], []), ([[0]], [[0]])])
def test_decisions_of_unequal_number_are_refused(pair):
    with pytest.raises(InputError, match="one per sample"):
        measures.agreement(*pair)


def test_scores_without_channels_are_refused():
    with pytest.raises(InputError, match="n_samples, n_channels"):
        measures.decisions([1, 2, 3])


def test_correlation_of_counts_by_hand():
    assert measures.count_correlation([[1, 2], [3, 4]], [[2, 4], [6, 8]]) == pytest.approx(1)
    assert measures.count_correlation([[0, 1]], [[1, 0]]) == pytest.approx(-1)
    assert measures.count_correlation([[1, 2, 3]], [[1, 3, 2]]) == pytest.approx(0.5)


def test_correlation_of_equal_constants_is_perfect_and_of_others_undefined():
    assert measures.count_correlation([[0, 0]], [[0, 0]]) == 1
    assert measures.count_correlation([[0, 0]], [[1, 2]]) is None


@given(SEEDS)
def test_correlation_is_symmetric_and_ignores_scale(seed):
    one, other = np.random.default_rng(seed).poisson(3.0, (2, 4, 5))

    found = measures.count_correlation(one, other)

    assert found == measures.count_correlation(other, one)
    if found is not None and not np.array_equal(one, other):
        assert measures.count_correlation(3 * one + 1, other) == pytest.approx(found)


def test_a_hundredth_of_the_power_is_twenty_decibels():
    assert measures.membrane_snr(100.0, 1.0) == pytest.approx(20)
    assert measures.membrane_snr(1.0, 0.0) == math.inf
    assert measures.membrane_snr(0.0, 1.0) is None


def test_the_first_difference_is_the_earliest_step_then_sample_then_neuron():
    one = np.zeros((3, 5, 2, 2), dtype=int)
    other = one.copy()
    other[0, 4, 0, 0] = 1
    other[2, 3, 1, 0] = 1
    other[1, 3, 1, 1] = 1

    assert measures.first_difference(one, other) == (3, 1, 3)
    assert measures.first_difference(other, one) == (3, 1, 3)
    assert measures.first_difference(one, one) is None
