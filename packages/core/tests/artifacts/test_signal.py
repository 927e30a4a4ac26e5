import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from ranvier.artifacts import SpikeTrain, Trace
from ranvier.errors import InputError

RASTERS = arrays(np.int64, (2, 7, 3), elements=st.integers(0, 4))
DT = 1e-3


@settings(max_examples=40, deadline=None)
@given(raster=RASTERS)
def test_events_keep_every_count(raster):
    train = SpikeTrain.from_raster(raster, dt=DT)

    np.testing.assert_array_equal(train.raster(), raster)
    assert train.total == raster.sum()
    assert (train.count >= 1).all()


@settings(max_examples=40, deadline=None)
@given(raster=RASTERS, whole=st.integers(1, 9))
def test_coarser_grid_keeps_the_number_of_spikes(raster, whole):
    binned = SpikeTrain.from_raster(raster, dt=DT).raster(whole * DT)

    assert binned.shape[1] == -(-7 // whole)
    np.testing.assert_array_equal(binned.sum(axis=1), raster.sum(axis=1))


def test_grid_finer_than_the_clock_is_refused_with_both_steps():
    train = SpikeTrain.from_raster(np.ones((1, 2, 1), dtype=int), dt=DT)

    with pytest.raises(InputError, match=r"dt = 0.0001 s is shorter than one native tick \(0.001"):
        train.raster(1e-4)


def test_event_times_are_seconds():
    raster = np.zeros((1, 4, 1), dtype=int)
    raster[0, 3] = 2

    assert SpikeTrain.from_raster(raster, dt=DT).times.tolist() == [0.003]


def test_trace_is_scaled_to_model_units():
    trace = Trace(np.array([[[2], [4]]]), interval=DT, scale=0.5, offset=1.0)

    assert trace.model.ravel().tolist() == [2.0, 3.0]
    assert trace.times.tolist() == [0.0, DT]


def test_trace_on_a_grid_holds_its_last_sample():
    trace = Trace(np.arange(3.0).reshape(1, 3, 1), interval=2e-3, start=1e-3)

    assert trace.on_grid(DT, 7).ravel().tolist() == [0, 0, 0, 1, 1, 2, 2]
