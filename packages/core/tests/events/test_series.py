import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from ranvier.errors import InputError
from ranvier.events import EventSeries

COUNTS = hnp.arrays(
    np.int64, hnp.array_shapes(min_dims=2, max_dims=4, max_side=6), elements=st.integers(0, 4)
)
STEPS = st.sampled_from([1e-4, 1e-3, 1.024e-3, 0.1, 1 / 3])


@pytest.fixture
def series():
    return EventSeries([1e-3, 2.5e-3, 2.6e-3, 9e-3], [0, 2, 2, 1], t_stop=10e-3, shape=3)


@settings(max_examples=50, deadline=None)
@given(counts=COUNTS, dt=STEPS, start=st.sampled_from([0.0, 0.7, -2.1]))
def test_raster_to_events_and_back_is_exact(counts, dt, start):
    series = EventSeries.from_raster(counts, dt, t_start=start)

    assert len(series) == counts.sum()
    assert np.array_equal(series.raster(dt), counts)


@settings(max_examples=25, deadline=None)
@given(values=hnp.arrays(np.int64, (7, 3), elements=st.integers(-(2**40), 2**40)))
def test_graded_raster_keeps_its_values_and_its_type(values):
    series = EventSeries.from_raster(values, 1e-3, graded=True)
    raster = series.raster(1e-3)

    assert np.array_equal(raster, values)
    assert raster.dtype == np.int64
    assert len(series) == np.count_nonzero(values)


def test_one_event_per_step_fills_every_bin():
    series = EventSeries(np.arange(1000) * 1e-4, np.zeros(1000, int), t_stop=0.1)

    assert np.array_equal(series.raster(1e-4), np.ones((1000, 1)))


def test_events_in_one_bin_add_up_and_binary_clips_them(series):
    assert series.raster(1e-3)[2].tolist() == [0, 0, 2]
    assert series.raster(1e-3, binary=True)[2].tolist() == [0, 0, 1]


def test_event_just_below_the_end_stays_in_the_last_bin():
    series = EventSeries([np.nextafter(5e-3, 0)], [0], t_stop=5e-3)

    assert series.raster(1e-3)[:, 0].tolist() == [0, 0, 0, 0, 1]


def test_no_event_is_lost_when_the_bins_end_a_rounding_error_early():
    dt, bins = 0.1, 3
    series = EventSeries([np.nextafter(bins * dt, 0)], [0], t_stop=bins * dt)
    early = EventSeries([np.nextafter(0.3, 0)], [0], t_stop=0.3)

    assert series.raster(dt, num_bins=bins).sum() == 1
    assert early.raster(0.1 / 3, num_bins=9).sum() == 1


def test_window_inside_the_series_leaves_out_what_follows(series):
    assert series.raster(1e-3, t_start=1e-3, num_bins=2).tolist() == [[1, 0, 0], [0, 0, 2]]
    assert series.raster(1e-3, t_start=-1e-3, t_stop=1e-3).sum() == 0
    assert series.raster(1e-3, num_bins=0).shape == (0, 3)
    with pytest.raises(InputError, match="num_bins is -1"):
        series.raster(1e-3, num_bins=-1)


def test_raster_beyond_the_series_is_silent_or_periodic(series):
    once = series.raster(1e-3, num_bins=25)
    again = EventSeries(series.times, series.channels, t_stop=10e-3, shape=3, periodic=True).raster(
        1e-3, num_bins=25
    )

    assert once.sum() == 4
    assert np.array_equal(again[10:20], once[:10])
    assert np.array_equal(again[20:], once[:5])


def test_raster_with_two_ends_is_refused(series):
    with pytest.raises(InputError, match="give one of them"):
        series.raster(1e-3, t_stop=1.0, num_bins=3)


def test_events_are_sorted_and_arrays_read_only():
    series = EventSeries([3.0, 1.0, 2.0], [0, 1, 2], payload=[30, 10, 20])

    assert series.times.tolist() == [1.0, 2.0, 3.0]
    assert series.channels.tolist() == [1, 2, 0]
    assert series.payload.tolist() == [10, 20, 30]
    with pytest.raises(ValueError, match="read-only"):
        series.times[0] = 5.0


def test_default_window_holds_the_last_event():
    series = EventSeries([0.0, 5e-3], [0, 0])

    assert series.raster(1e-3)[:, 0].tolist() == [1, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"times": [np.nan], "channels": [0]}, "NaN or infinite"),
        ({"times": [0.0, 1.0], "channels": [0]}, "one of each per event"),
        ({"times": [0.0], "channels": [0.5]}, "whole numbers"),
        ({"times": [0.0], "channels": [-1]}, "larger shape"),
        ({"times": [0.0], "channels": [3], "shape": 3}, "0 to 2"),
        ({"times": [1.0], "channels": [0], "t_stop": 1.0}, "larger window"),
        ({"times": [-1.0], "channels": [0]}, "larger window"),
        ({"times": [0.0], "channels": [0], "payload": [np.inf]}, "payloads are NaN"),
        ({"times": [], "channels": [], "t_start": 1.0, "t_stop": 0.0}, "finite interval"),
        ({"times": [0.0], "channels": [0], "shape": (1, 2, 3, 4)}, "polarity, row, column"),
        ({"times": [0.0], "channels": [0], "shape": 0}, "at least 1"),
    ],
)
def test_malformed_events_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        EventSeries(arguments.pop("times"), arguments.pop("channels"), **arguments)


@pytest.mark.parametrize(
    ("raster", "message"),
    [
        (np.array([[-1, 0]]), "negative"),
        (np.array([[0.5, 0]]), "not whole numbers"),
        (np.array([[np.nan, 0]]), "not whole numbers"),
        (np.array([[1e300, 0]]), "above 2147483647"),
        (np.zeros(4), "take one sample"),
        (np.array([["a"]]), "give integers"),
    ],
)
def test_raster_that_holds_no_counts_is_refused(raster, message):
    with pytest.raises(InputError, match=message):
        EventSeries.from_raster(raster, 1e-3)


def test_coordinates_follow_the_shape_in_c_order():
    series = EventSeries([0.0], [1 * 12 + 2 * 4 + 3], shape=(2, 3, 4))

    assert (series.x[0], series.y[0], series.p[0]) == (3, 2, 1)
    assert EventSeries([0.0], [5], shape=6).p is None


@settings(max_examples=25, deadline=None)
@given(counts=COUNTS)
def test_structured_array_round_trip(counts):
    series = EventSeries.from_raster(counts, 1e-3)
    array = series.to_structured()

    assert EventSeries.from_structured(array, shape=series.shape, t_stop=series.t_stop) == series
    by_coordinates = array[["t", "x", "y", "p"]]
    again = EventSeries.from_structured(by_coordinates, shape=series.shape, t_stop=series.t_stop)
    assert again == series


def test_tonic_round_trip_keeps_microseconds():
    dtype = [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "?")]
    events = np.array([(0, 3, 1, True), (1001, 0, 0, False), (8_000_003, 2, 1, True)], dtype)

    series = EventSeries.from_tonic(events, sensor_size=(4, 2, 2))

    assert series.shape == (2, 2, 4)
    assert series.times.tolist() == [0.0, 1.001e-3, 8.000003]
    assert np.array_equal(series.to_tonic(), events)


def test_tonic_events_in_seconds_are_refused():
    events = np.zeros(2, dtype=[("t", "f8"), ("x", "i2"), ("p", "?")])

    with pytest.raises(InputError, match="from_structured"):
        EventSeries.from_tonic(events)


def test_slice_by_time_and_channel_keeps_numbers(series):
    part = series[2e-3:9e-3, [1, 2]]

    assert part.times.tolist() == [2.5e-3, 2.6e-3]
    assert part.shape == (3,)
    assert (part.t_start, part.t_stop) == (2e-3, 9e-3)
    assert len(series[:, 1]) == 1
    with pytest.raises(InputError, match="0 to 2"):
        series[:, 7]


def test_equality_compares_everything(series):
    same = EventSeries(series.times, series.channels, t_stop=10e-3, shape=3)

    assert series == same
    assert series != EventSeries(series.times, series.channels, t_stop=10e-3, shape=4)
    assert series != EventSeries(
        series.times, series.channels, t_stop=10e-3, shape=3, payload=np.ones(4)
    )
