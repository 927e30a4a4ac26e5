import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ranvier.errors import InputError
from ranvier.events import ContinuousSeries


@settings(max_examples=40, deadline=None)
@given(
    dt=st.sampled_from([1e-6, 1e-4, 1e-3, 0.1, 1 / 3]),
    steps=st.integers(1, 300),
    start=st.sampled_from([0.0, 0.7, -2.1]),
)
def test_clocked_samples_come_back_exactly(dt, steps, start):
    samples = np.random.default_rng(0).normal(size=(steps, 2))

    series = ContinuousSeries.from_clocked(samples, dt, t_start=start)

    assert np.array_equal(series.to_clocked(dt), samples)


def test_slower_clock_takes_every_third_sample():
    samples = np.arange(300.0)[:, None]
    series = ContinuousSeries.from_clocked(samples, 1e-4)

    assert np.array_equal(series.to_clocked(3e-4), samples[::3])


def test_previous_holds_and_linear_connects():
    held = ContinuousSeries([0.0, 1.0], [0.0, 2.0])
    line = ContinuousSeries([0.0, 1.0], [0.0, 2.0], interpolation="linear")

    assert held([0.0, 0.5, 1.0])[:, 0].tolist() == [0.0, 0.0, 2.0]
    assert line([0.0, 0.5, 1.0])[:, 0].tolist() == [0.0, 1.0, 2.0]


def test_outside_is_an_error_or_the_edge_value():
    inner = ContinuousSeries([0.0, 1.0], [3.0, 4.0])
    outer = ContinuousSeries([0.0, 1.0], [3.0, 4.0], extrapolate=True)

    with pytest.raises(InputError, match="extrapolate=True"):
        inner(1.5)
    assert outer([-9.0, 9.0])[:, 0].tolist() == [3.0, 4.0]


def test_periodic_series_repeats_and_closes_its_line():
    series = ContinuousSeries(
        [0.0, 1.0], [0.0, 2.0], t_stop=2.0, interpolation="linear", periodic=True
    )

    assert series([0.5, 1.5, 2.5, -0.5])[:, 0].tolist() == [1.0, 1.0, 1.0, 1.0]


def test_clip_interpolates_at_its_ends():
    series = ContinuousSeries([0.0, 1.0, 2.0], [0.0, 2.0, 6.0], interpolation="linear")

    clipped = series.clip(0.5, 1.5)

    assert clipped.times.tolist() == [0.5, 1.0, 1.5]
    assert clipped.samples[:, 0].tolist() == [1.0, 2.0, 4.0]


def test_arithmetic_acts_at_all_times_of_both():
    a = ContinuousSeries([0.0, 2.0], [0.0, 2.0], interpolation="linear", unit="V")
    b = ContinuousSeries([0.0, 1.0, 2.0], [1.0, 0.0, 1.0], interpolation="linear", unit="V")

    assert (a + b)([0.0, 1.0, 2.0])[:, 0].tolist() == [1.0, 1.0, 3.0]
    assert (a - b)(1.0)[0] == 1.0
    assert (2 * a + 1)(2.0)[0] == 5.0
    assert (1 - a)(2.0)[0] == -1.0
    assert (a * b).unit == "V·V"
    assert (-a / 2)(2.0)[0] == -1.0


def test_sum_of_different_units_is_refused():
    volts = ContinuousSeries([0.0], [1.0], unit="V")
    amperes = ContinuousSeries([0.0], [1.0], unit="A")

    with pytest.raises(InputError, match="cannot add 'V' and 'A'"):
        volts + amperes


def test_division_by_zero_is_refused():
    with pytest.raises(InputError, match="NaN or infinite"):
        ContinuousSeries([0.0], [1.0]) / 0


def test_append_time_and_channels():
    a = ContinuousSeries.from_clocked([[1.0], [2.0]], 1.0)
    b = ContinuousSeries.from_clocked([[3.0]], 1.0)

    assert a.append_time(b, b).to_clocked(1.0)[:, 0].tolist() == [1.0, 2.0, 3.0, 3.0]
    assert a.append_channels(a).to_clocked(1.0).tolist() == [[1.0, 1.0], [2.0, 2.0]]


def test_merge_prefers_the_later_argument():
    a = ContinuousSeries([0.0, 1.0], [1.0, 1.0])
    b = ContinuousSeries([1.0, 2.0], [5.0, 6.0])

    assert a.merge(b).samples[:, 0].tolist() == [1.0, 5.0, 6.0]
    with pytest.raises(InputError, match="one number of channels"):
        a.merge(ContinuousSeries([0.0], [[1.0, 2.0]]))


@pytest.mark.parametrize(
    ("times", "samples", "message"),
    [
        ([0.0, 0.0], [1.0, 1.0], "increase strictly"),
        ([0.0], [np.nan], "NaN"),
        ([0.0, 1.0], [1.0], "for 2 times"),
        ([], [], "at least one"),
    ],
)
def test_malformed_samples_are_refused(times, samples, message):
    with pytest.raises(InputError, match=message):
        ContinuousSeries(times, samples)


def test_resample_keeps_values_at_new_times():
    series = ContinuousSeries([0.0, 1.0], [0.0, 2.0], interpolation="linear")

    assert series.resample([0.25, 0.75]).samples[:, 0].tolist() == [0.5, 1.5]
