import numpy as np
import pytest

from ranvier.errors import InputError
from ranvier.events import (
    ContinuousSeries,
    EventSeries,
    as_raster,
    stack_rasters,
    unstack_rasters,
)

RNG = np.random.default_rng(0)


def counts(*shape):
    return np.random.default_rng(len(shape)).poisson(0.5, shape)


def test_stacked_rasters_are_padded_with_zeros_and_come_back():
    rasters = [counts(3, 2), counts(5, 2), counts(1, 2)]

    stacked, lengths = stack_rasters(rasters)

    assert stacked.shape == (3, 5, 2)
    assert lengths.tolist() == [3, 5, 1]
    assert stacked[0, 3:].sum() == 0
    for raster, part in zip(rasters, unstack_rasters(stacked, lengths), strict=True):
        assert np.array_equal(raster, part)


def test_rasters_of_different_widths_cannot_be_stacked():
    with pytest.raises(InputError, match="same shape"):
        stack_rasters([counts(3, 2), counts(3, 4)])
    with pytest.raises(InputError, match="at least one"):
        stack_rasters([])


@pytest.mark.parametrize("shape", [(6, 4), (2, 6, 4)])
def test_arrays_come_back_with_or_without_batch_axis(shape):
    array = counts(*shape)

    given = as_raster(array, dt=1e-3, shape=4)

    assert given.values.shape == (shape[0] if len(shape) == 3 else 1, 6, 4)
    assert np.array_equal(given.restore(given.values), array)


def test_events_come_back_as_events_or_as_traces():
    series = EventSeries.from_raster(counts(6, 4), 1e-3, t_start=0.5)

    given = as_raster(series, dt=1e-3, shape=4)

    assert given.restore(given.values) == series
    trace = given.restore(given.values + 0.5, signal="trace", unit="V")
    assert isinstance(trace, ContinuousSeries)
    assert (trace.t_start, trace.unit) == (0.5, "V")
    assert np.array_equal(trace.to_clocked(1e-3), given.values[0] + 0.5)


def test_clocked_input_is_sampled():
    samples = RNG.normal(size=(6, 4))

    given = as_raster(ContinuousSeries.from_clocked(samples, 1e-3), dt=1e-3, shape=4)

    assert np.array_equal(given.values[0], samples)


def test_list_of_series_becomes_a_padded_batch_and_comes_back():
    series = [EventSeries.from_raster(counts(n, 4), 1e-3) for n in (3, 7)]

    given = as_raster(series, dt=1e-3, shape=4)

    assert given.values.shape == (2, 7, 4)
    assert given.lengths.tolist() == [3, 7]
    assert given.restore(given.values) == series


def test_list_of_arrays_comes_back_as_list():
    arrays = [counts(3, 4), counts(5, 4)]

    given = as_raster(arrays, dt=1e-3, shape=4)

    for array, part in zip(arrays, given.restore(given.values), strict=True):
        assert np.array_equal(array, part)


def test_flat_events_fit_a_feature_map_and_the_other_way():
    camera = EventSeries.from_raster(counts(5, 2, 3, 4), 1e-3)

    assert as_raster(camera, dt=1e-3, shape=24).values.shape == (1, 5, 24)
    flat = EventSeries(camera.times, camera.channels, t_stop=5e-3, shape=24)
    assert np.array_equal(as_raster(flat, dt=1e-3, shape=(2, 3, 4)).values[0], camera.raster(1e-3))


@pytest.mark.parametrize(
    "data",
    [counts(5, 3), counts(1, 1, 5, 4), EventSeries([0.0], [0], shape=3), [counts(5, 3)]],
)
def test_input_of_the_wrong_width_is_refused(data):
    with pytest.raises(InputError, match="reshape the array"):
        as_raster(data, dt=1e-3, shape=4)


def test_camera_of_another_layout_is_not_reshaped_silently():
    camera = EventSeries([0.0], [0], shape=(2, 3, 4))

    with pytest.raises(InputError, match="reshape the array"):
        as_raster(camera, dt=1e-3, shape=(2, 4, 3))


def test_text_and_mixed_lists_are_refused():
    with pytest.raises(InputError, match="give numbers"):
        as_raster(np.array([["a"]]), dt=1e-3, shape=1)
    with pytest.raises(InputError, match="mixes"):
        as_raster([EventSeries([0.0], [0]), counts(3, 1)], dt=1e-3, shape=1)


def test_result_of_another_length_is_refused():
    given = as_raster(counts(5, 4), dt=1e-3, shape=4)

    with pytest.raises(InputError, match="does not belong"):
        given.restore(np.zeros((1, 6, 4)))
