import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import QuantizationError
from ranvier_bss2.quantization import refractory_settings

TIMES = st.lists(st.floats(0.04e-6, 32e-6), min_size=1, max_size=20)


def test_two_microseconds_take_32_counts_of_64_ns():
    found = refractory_settings(np.full(3, 2e-6))

    assert found.fast_clock == 3
    assert found.counter.tolist() == [32] * 3
    assert found.input_clock.tolist() == [1] * 3
    assert found.reset_holdoff.tolist() == [15] * 3
    np.testing.assert_allclose(found.period, 64e-9)


def test_longer_times_take_the_slow_clock():
    found = refractory_settings(np.array([0.5e-6, 0.5e-6, 30e-6]))

    assert found.input_clock.tolist() == [1, 1, 0]
    assert found.slow_clock > found.fast_clock


def test_a_long_holdoff_takes_the_slow_clock():
    found = refractory_settings(np.array([2e-6, 2e-6]), np.array([0.0, 3e-6]))

    assert found.input_clock.tolist() == [1, 0]
    period = found.period[1]
    assert found.reset_holdoff[1] == np.ceil(15 - np.trunc(3e-6 / period) / 2)


def test_the_shortest_time_runs_at_the_fastest_clock():
    found = refractory_settings(np.array([0.04e-6]))

    assert found.fast_clock == 0
    assert found.counter.tolist() == [6]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(TIMES)
def test_realised_times_are_at_most_one_period_longer(times):
    wanted = np.array(times)
    found = refractory_settings(wanted)

    assert np.all((found.counter >= 1) & (found.counter <= 255))
    assert np.all(np.abs(found.refractory - wanted) <= found.period * (1 + 1e-9))


def test_times_beyond_every_clock_are_refused():
    with pytest.raises(QuantizationError, match="clock scale 16, the largest is 15"):
        refractory_settings(np.array([0.1]))


def test_times_of_zero_are_refused():
    with pytest.raises(QuantizationError, match="give times > 0"):
        refractory_settings(np.array([0.0]))
