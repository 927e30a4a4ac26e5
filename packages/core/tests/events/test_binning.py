import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import InputError
from ranvier.events import bin_index, count_bins

STEPS = st.sampled_from([1e-6, 1e-4, 1e-3, 1.024e-3, 0.1, 1 / 3, 2.0])


@settings(max_examples=50, deadline=None)
@given(dt=STEPS, factor=st.integers(1, 1000), start=st.sampled_from([0.0, 0.3, -7.7, 1e3]))
def test_every_bin_edge_belongs_to_its_upper_bin(dt, factor, start):
    numbers = np.arange(200) * factor

    assert np.array_equal(bin_index(start + numbers * dt, dt=dt, t_start=start), numbers)


def test_edges_summed_in_milliseconds_do_not_fall_a_bin_short():
    times = np.arange(10_000) * 1e-4 * 1e3 * 1e-3

    assert np.array_equal(bin_index(times, dt=1e-4), np.arange(10_000))


def test_time_clearly_below_an_edge_stays_in_the_lower_bin():
    assert bin_index([1e-3 - 1e-10], dt=1e-3).tolist() == [0]


def test_times_before_the_start_have_negative_bins():
    assert bin_index([-0.5e-3, -1e-3, -1.5e-3], dt=1e-3).tolist() == [-1, -1, -2]


@settings(max_examples=50, deadline=None)
@given(dt=STEPS, bins=st.integers(0, 100_000), start=st.sampled_from([0.0, 0.1, -3.3]))
def test_window_of_whole_bins_has_that_many(dt, bins, start):
    assert count_bins(start, start + bins * dt, dt=dt) == bins


def test_started_bin_counts_as_a_bin():
    assert count_bins(0.0, 2.1e-3, dt=1e-3) == 3


@pytest.mark.parametrize("dt", [0.0, -1e-3, np.nan, np.inf])
def test_step_that_is_not_positive_is_refused(dt):
    with pytest.raises(InputError, match="above 0"):
        bin_index([0.0], dt=dt)


def test_bin_numbers_beyond_float_resolution_are_refused():
    with pytest.raises(InputError, match="use a larger dt"):
        bin_index([1e6], dt=1e-12)
